from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.changes import Applied, MoveIn, apply_change, check_change, identity_expectations
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import TODAY, VILLAGE, context, ids


def arrival(**fields: object) -> MoveIn:
    sample = SAMPLES[Kind.MOVE_IN]
    assert isinstance(sample, MoveIn)
    return sample.model_copy(update=fields)


def found(change: MoveIn) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context())]


def test_a_household_that_came_is_founded_and_remembers_from_where() -> None:
    assert found(arrival()) == []
    result = apply_change(arrival(), base=None, current=None, area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    (household,) = result.households
    assert (household.area_code, household.came_from, household.came_on) == (VILLAGE, "32.73", date(2026, 1, 12))
    assert household.last_verified_on == TODAY
    assert [e.kk_number for e in identity_expectations(arrival(), None)] == [household.kk_number]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (arrival(origin_area=None), ("/change/origin_area", "origin_unclear")),
        (arrival(origin_country="MY"), ("/change/origin_area", "origin_unclear")),
        (arrival(origin_area=VILLAGE), ("/change/origin_area", "origin_same_village")),
        (arrival(moved_on=TODAY + timedelta(days=1)), ("/change/moved_on", "date_in_future")),
        (arrival(kk_number="1"), ("/change/kk_number", "kk_malformed")),
    ],
)
def test_what_keeps_an_arrival_from_being_accepted(change: MoveIn, problem: tuple[str, str]) -> None:
    assert problem in found(change)
