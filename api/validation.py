"""What is wrong with the form of a request, in words its sender understands, and never with what was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast

from domain.errors import Violation

MOST_REPORTED = 50
"""Whoever has mended so many faults will ask again."""

_OUTSIDE_BODY = frozenset({"path", "query", "header", "cookie"})
_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z_.-]{0,63}")
"""A name that somebody sent is repeated only if it looks like one: people put numbers of persons anywhere."""

_EXPECTED = {
    "string_type": "A text",
    "string_unicode": "A text in Unicode",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "int_type": "A whole number",
    "int_parsing": "A whole number",
    "int_parsing_size": "A whole number of ordinary size",
    "int_from_float": "A whole number",
    "float_type": "A number",
    "float_parsing": "A number",
    "decimal_type": "A number",
    "decimal_parsing": "A number",
    "tuple_type": "A list",
    "list_type": "A list",
    "frozen_set_type": "A list",
    "dict_type": "An object",
    "model_type": "An object",
    "model_attributes_type": "An object",
    "uuid_type": "An id (UUID)",
    "uuid_parsing": "An id (UUID)",
    "uuid_version": "An id (UUID)",
    "date_type": "A date written as YYYY-MM-DD",
    "date_parsing": "A date written as YYYY-MM-DD",
    "date_from_datetime_parsing": "A date written as YYYY-MM-DD",
    "date_from_datetime_inexact": "A date written as YYYY-MM-DD",
    "datetime_type": "A moment such as 2026-03-02T08:15:00+07:00",
    "datetime_parsing": "A moment such as 2026-03-02T08:15:00+07:00",
    "datetime_from_date_parsing": "A moment such as 2026-03-02T08:15:00+07:00",
    "timezone_aware": "A moment with its offset from UTC",
}
"""What is expected where a value of another type came, by pydantic's name for the fault."""

_NAMES_A_BOUND = frozenset(
    {
        "string_too_short",
        "string_too_long",
        "too_short",
        "too_long",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
    },
)
"""Faults whose message names a bound and nothing of the value."""


def violations_of(faults: Sequence[Any], *, body: object) -> list[Violation]:
    """One violation for each place at fault, at most `MOST_REPORTED`; pointers lead into the body.

    What stands in the path, the query or a header is pointed at as `/query/limit`.
    """
    found: dict[str, Violation] = {}
    for fault in islice(faults, MOST_REPORTED):
        violation = _violation(fault, body=body)
        found.setdefault(violation.pointer, violation)
    return list(found.values())


def _violation(fault: Mapping[str, Any], *, body: object) -> Violation:
    location = tuple(cast("Sequence[str | int]", fault["loc"]))
    pointer, field = _place(location, fault=fault, body=body)
    code, detail, remedy = _words(fault, field=field)
    return Violation(pointer=pointer, code=code, detail=detail, remedy=remedy)


def _words(fault: Mapping[str, Any], *, field: str) -> tuple[str, str, str]:
    named = f"The field `{field}`" if field else "Something"
    match fault["type"]:
        case "missing" | "union_tag_not_found":
            words = "field_missing", f"{named} is missing.", "Add it."
        case "extra_forbidden":
            words = "field_unknown", "There is no such field here.", "Remove it, or correct its spelling."
        case "enum" | "literal_error" | "union_tag_invalid":
            words = "value_unknown", f"{named} has a value that is not known here.", f"Choose one of {_choices(fault)}."
        case "value_error":
            words = "value_refused", _sentence(str(fault["ctx"]["error"])), "Change it accordingly."
        case kind if kind in _EXPECTED:
            words = "wrong_type", f"{_EXPECTED[kind]} is expected here.", "Change the value to that form."
        case kind if kind in _NAMES_A_BOUND:
            message = str(fault["msg"]).replace("Input should", "The value should")
            words = "value_refused", f"{message}.", "Change it accordingly."
        case _:
            words = "value_refused", f"{named} is not written as it should be.", "Look at its form in /openapi.json."
    return words


def _choices(fault: Mapping[str, Any]) -> str:
    """The values that pydantic lists between quotation marks, some of them as members of an enumeration."""
    context = cast("Mapping[str, Any]", fault.get("ctx", {}))
    listed = re.findall(r"'([^']+)'", str(context.get("expected") or context.get("expected_tags")))
    return ", ".join(listed) or "the values in /openapi.json"


def _sentence(message: str) -> str:
    """The words of one of our own validators: "is empty" becomes "The value is empty."."""
    return f"The value {message}." if message.startswith(("is ", "contains ")) else f"{message.rstrip('.')}."


def _place(location: tuple[str | int, ...], *, fault: Mapping[str, Any], body: object) -> tuple[str, str]:
    """The pointer to the fault, and the name of the field it leads to (empty for a place in a list or the whole)."""
    source, *steps = location
    taken = [str(source), *map(str, steps)] if source in _OUTSIDE_BODY else _steps_in(body, steps)
    if fault["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        taken.append(str(fault["ctx"]["discriminator"]).strip("'"))
    elif fault["type"] == "extra_forbidden" and taken and not _SHOWN_NAME.fullmatch(taken[-1]):
        taken.pop()
    return _pointer(taken), taken[-1] if taken and not taken[-1].isdecimal() else ""


def _steps_in(body: object, steps: Sequence[str | int]) -> list[str]:
    """The steps that lead into the body: pydantic also names the member of a union that it chose, by its tag."""
    taken: list[str] = []
    here = body
    tag_left_out = False
    for step in steps:
        if not tag_left_out and _is_tag(here, step):
            tag_left_out = True
            continue
        taken.append(str(step))
        here, tag_left_out = _inside(here, step), False
    return taken


def _is_tag(here: object, step: str | int) -> bool:
    return isinstance(here, Mapping) and cast("Mapping[str, object]", here).get("kind") == step


def _inside(here: object, step: str | int) -> object:
    if isinstance(here, Mapping):
        return cast("Mapping[object, object]", here).get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(cast("list[object]", here)):
        return cast("list[object]", here)[step]
    return None


def _pointer(steps: Sequence[str]) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
