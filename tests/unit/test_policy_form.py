"""What a person reads who writes a policy that is not well formed: the place, what is wrong, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput, Violation
from domain.policy import default_policy, parse_policy
from domain.policy.form import MOST_REPORTED, MOST_VALUES
from tests.unit.policy_changes import Change, append, as_json, at, drop, to


def refused(data: object) -> list[Violation]:
    with pytest.raises(InvalidInput) as refusal:
        parse_policy(data)
    return refusal.value.violations


def refused_with(*changes: Change) -> list[Violation]:
    data = as_json(default_policy())
    for change in changes:
        change(data)
    return refused(data)


@pytest.mark.parametrize(
    ("change", "pointer", "code", "said"),
    [
        (drop("/repair"), "/repair", "field_missing", "`repair` is missing"),
        (drop("/stages/0/deadline"), "/stages/0/deadline", "field_missing", "`deadline` is missing"),
        (drop("/reasons/3/public_text/en"), "/reasons/3/public_text/en", "field_missing", "`en` is missing"),
        (to("/stages/0/dedline", 1), "/stages/0/dedline", "field_unknown", "spelling"),
        (to("/a~b", 1), "/a~0b", "field_unknown", "spelling"),
        (to("/stages/0/stage", "verifikasi"), "/stages/0/stage", "value_unknown", "'verification'"),
        (to("/stages/0/deciders/0", "boss"), "/stages/0/deciders/0", "value_unknown", "'puskesos_officer'"),
        (to("/stages/0/ladder/1/to", "boss"), "/stages/0/ladder/1/to", "value_unknown", "'holder'"),
        (to("/reasons/0/who_mends", "boss"), "/reasons/0/who_mends", "value_unknown", "'applicant' or 'nobody'"),
        (to("/reasons/0/code", "other"), "/reasons/0/code", "value_unknown", "'identity_mismatch'"),
        (to("/on_exhausted", "deemed"), "/on_exhausted", "value_unknown", "'hold'"),
        (to("/area_code", "Tasikmalaya"), "/area_code", "value_refused", "`32.06`"),
        (to("/name", "My policy"), "/name", "value_refused", "lower-case"),
        (to("/title/id", " "), "/title/id", "value_refused", "The value is empty."),
        (to("/repair/source", ""), "/repair/source", "value_refused", "at least 1 character"),
        (to("/title", "Policy"), "/title", "wrong_type", "An object"),
        (to("/routes", {}), "/routes", "wrong_type", "A list"),
        (to("/stages/0/outcomes", "forward"), "/stages/0/outcomes", "wrong_type", "A list"),
        (to("/stages/0/needs_minutes", "maybe"), "/stages/0/needs_minutes", "wrong_type", "`true` or `false`"),
        (to("/stages/0/source", 7), "/stages/0/source", "wrong_type", "A text"),
        (to("/extension_limit/times", "x"), "/extension_limit/times", "wrong_type", "A whole number"),
        (to("/extension_limit/times", -1), "/extension_limit/times", "value_refused", "greater than or equal to 0"),
        (to("/repair/deadline", {"days": 5}), "/repair/deadline", "duration_form", '{"working_days": 5}'),
        (to("/repair/deadline", 5), "/repair/deadline", "duration_form", '{"elapsed": "PT20S"}'),
        (
            to("/repair/deadline/working_days", "5"),
            "/repair/deadline/working_days",
            "wrong_type",
            "A whole number",
        ),
        (
            to("/repair/deadline", {"elapsed": "20 s"}),
            "/repair/deadline/elapsed",
            "value_refused",
            "ISO 8601 duration",
        ),
        (
            to("/stages/1/deadline", {"window_close": "musdes"}),
            "/stages/1/deadline/at_least",
            "field_missing",
            "`at_least` is missing",
        ),
        (
            to("/stages/1/deadline/at_least/working_days", 0),
            "/stages/1/deadline/at_least/working_days",
            "value_refused",
            "greater than or equal to 1",
        ),
        (
            to("/stages/1/deadline/window_close", {}),
            "/stages/1/deadline/window_close",
            "value_unknown",
            "'musdes'",
        ),
        (to("/repair/ladder/0/after", {"shar": 1}), "/repair/ladder/0/after", "after_form", '{"share": 0.5}'),
        (
            to("/repair/ladder/0/after/share", 2.0),
            "/repair/ladder/0/after/share",
            "value_refused",
            "less than or equal to 1",
        ),
        (to("/repair/deciders", ["village_operator"] * 51), "/repair/deciders", "value_refused", "at most 50"),
    ],
)
def test_a_fault_of_form_is_named_at_its_place_in_plain_words(
    change: Change, pointer: str, code: str, said: str
) -> None:
    (violation,) = refused_with(change)

    assert (violation.pointer, violation.code) == (pointer, code)
    assert said in f"{violation.detail} {violation.remedy}"
    assert violation.remedy


@pytest.mark.parametrize("data", [None, [], "policy", 7])
def test_what_is_no_object_is_refused_as_a_whole(data: object) -> None:
    (violation,) = refused(data)

    assert (violation.pointer, violation.detail) == ("", "An object is expected here.")


def test_all_faults_of_form_come_in_one_answer() -> None:
    found = refused_with(drop("/repair/stage"), to("/title/en", 5), to("/identity/patience", {}))

    assert [v.pointer for v in found] == ["/title/en", "/repair/stage", "/identity/patience"]


def test_a_well_formed_policy_that_breaks_a_rule_is_refused_by_the_rule() -> None:
    (violation,) = refused_with(to("/stages/2/ladder", []))

    assert (violation.pointer, violation.code) == ("/stages/2/ladder", "empty_ladder")


def test_a_flood_of_faults_is_cut_off() -> None:
    fields = {f"field_{i}": i for i in range(MOST_REPORTED + 1)}

    assert len(refused(fields)) == MOST_REPORTED


def test_a_policy_beyond_all_measure_is_refused_before_it_is_read() -> None:
    (violation,) = refused_with(append("/routes", list(range(MOST_VALUES))))

    assert violation.code == "policy_too_large"


def places(value: Any, *, pointer: str = "") -> Iterator[str]:
    if pointer:
        yield pointer
    entries: Any = ()
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType, reportUnknownMemberType]
    for key, inner in entries:
        yield from places(inner, pointer=f"{pointer}/{key}")


PLACES = sorted(places(as_json(default_policy())))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(PLACES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "elapsed", "x"]), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(pointer=st.sampled_from(PLACES), value=ANYTHING)
def test_whatever_stands_anywhere_is_accepted_or_refused_at_a_place_that_exists(pointer: str, value: object) -> None:
    data = as_json(default_policy())
    to(pointer, value)(data)

    try:
        parse_policy(data)
    except InvalidInput as refusal:
        for violation in refusal.violations:
            parent, _, last = violation.pointer.rpartition("/")
            if violation.code != "field_missing":
                at(data, violation.pointer)
            elif parent:
                assert last not in at(data, parent)
