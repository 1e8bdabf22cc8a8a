"""What is wrong with the form of a policy, in words that whoever writes one understands, at its place in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice, zip_longest
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.errors import Violation

MOST_REPORTED = 100
"""Whoever has mended so many faults will ask again."""

MOST_VALUES = 20_000
"""About twenty times what the default policy holds. Pydantic reports every fault of a hostile one, for seconds."""

_EXPECTED = {
    "string_type": "A text",
    "bool_type": "`true` or `false`",
    "bool_parsing": "`true` or `false`",
    "int_type": "A whole number",
    "int_parsing": "A whole number",
    "int_from_float": "A whole number",
    "float_type": "A number",
    "tuple_type": "A list",
    "frozen_set_type": "A list",
    "model_type": "An object",
    "model_attributes_type": "An object",
    "timedelta_type": "An ISO 8601 duration",
}

_PATTERNS = {
    "area_code": "Write a regency such as `32.06`, or `*` for the whole nation.",
    "name": "Start with a lower-case letter and go on with up to 62 of `a-z`, `0-9`, `_` and `-`.",
}


def is_too_large(data: object) -> bool:
    """Whether decoded JSON holds more than `MOST_VALUES` values, counted no further than that."""
    pending, seen = [data], 0
    while pending and seen <= MOST_VALUES:
        seen += 1
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(cast("Mapping[object, object]", value).values())
        elif isinstance(value, list | tuple):
            pending.extend(cast("Sequence[object]", value))
    return seen > MOST_VALUES


def violations_of_form(error: ValidationError, *, data: object) -> list[Violation]:
    """The faults that pydantic found in `data`, one for each place, at most `MOST_REPORTED` of them."""
    places: dict[str, list[ErrorDetails]] = {}
    for fault in error.errors(include_url=False):
        places.setdefault(_pointer(fault, data=data), []).append(fault)
    return [_violation(pointer, faults=faults) for pointer, faults in islice(places.items(), MOST_REPORTED)]


def _violation(pointer: str, *, faults: list[ErrorDetails]) -> Violation:
    """One place may have several faults: one for each alternative that the value could have been."""
    code, detail, remedy = _words(faults[0], choices=", ".join(filter(None, map(_choices, faults))))
    return Violation(pointer=pointer, code=code, detail=detail, remedy=remedy)


def _words(fault: ErrorDetails, *, choices: str) -> tuple[str, str, str]:
    field = fault["loc"][-1] if fault["loc"] else ""
    match fault["type"]:
        case "missing":
            words = "field_missing", f"The field `{field}` is missing.", "Add it."
        case "extra_forbidden":
            words = "field_unknown", "There is no such field here.", "Remove it, or correct its spelling."
        case "enum" | "literal_error":
            words = "value_unknown", "This value is not known here.", f"Choose one of {choices}."
        case "duration_form" | "after_form":
            words = fault["type"], _sentence(fault["msg"]), "Write one of these forms."
        case "string_pattern_mismatch":
            words = "value_refused", f"This is not a valid `{field}`.", _PATTERNS[str(field)]
        case kind if kind in _EXPECTED:
            words = "wrong_type", f"{_EXPECTED[kind]} is expected here.", "Change the value to that type."
        case _:
            words = "value_refused", _sentence(fault["msg"]), "Change the value accordingly."
    return words


def _choices(fault: ErrorDetails) -> str:
    return str(fault.get("ctx", {}).get("expected", ""))


def _sentence(message: str) -> str:
    """Pydantic's message as a sentence: "Value error, is empty" becomes "The value is empty."."""
    text = message.removeprefix("Value error, ").replace("Input should", "The value should")
    if text.startswith(("is ", "contains ")):
        text = f"The value {text}"
    return f"{text[0].upper()}{text[1:]}."


def _pointer(fault: ErrorDetails, *, data: object) -> str:
    """The place of a fault as a JSON Pointer.

    Pydantic's location also names the alternative of a union that it tried, sometimes by the very name of a field:
    `deadline, window_close, at_least`. Such a step is left out: it cannot be taken in the data, or it can and ends at
    a bare value, while the step after it belongs beside it and not below.
    """
    location = fault["loc"]
    steps: list[str] = []
    here = data
    for step, following in zip_longest(location, location[1:]):
        inner = _step(here, step)
        if inner is None:
            if following is None and fault["type"] == "missing":
                steps.append(str(step))
        elif following is None or _holds_more(inner[0]) or not _is_beside(following, here=here, fault=fault):
            steps.append(str(step))
            here = inner[0]
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def _is_beside(step: str | int, *, here: object, fault: ErrorDetails) -> bool:
    return _step(here, step) is not None or (fault["type"] == "missing" and step == fault["loc"][-1])


def _step(here: object, step: str | int) -> tuple[object] | None:
    """What stands one step further, boxed since it may be null; None where there is no such step."""
    if isinstance(here, Mapping) and step in here:
        return (cast("Mapping[object, object]", here)[step],)
    if isinstance(here, list | tuple) and isinstance(step, int):
        items = cast("Sequence[object]", here)
        return (items[step],) if 0 <= step < len(items) else None
    return None


def _holds_more(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)
