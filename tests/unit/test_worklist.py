"""Which households a round verifies again: why, in which order, and how many a village can."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.baseline import MatchState
from domain.ids import new_id
from domain.policy import ReverificationRule
from domain.policy.reverification import DEFAULT_REVERIFICATION
from domain.rounds import Days
from domain.targets import TargetReason
from domain.worklist import Believed, capacity_of, months_before, months_between, reasons_of, work_list
from tests.unit.office_calendars import regency

OPENED = date(2026, 12, 1)
RULE = DEFAULT_REVERIFICATION


def believed(data_of: date = date(2026, 6, 1), **facts: Any) -> Believed:
    sound: dict[str, Any] = {"verified": True, "match_state": MatchState.MATCHED, "duplicates": 0, "completeness": 100}
    return Believed(household_id=new_id(), data_of=data_of, **(sound | facts))


@pytest.mark.parametrize(
    ("household", "reasons"),
    [
        (believed(), ()),
        (believed(date(2024, 12, 1)), (TargetReason.OLD,)),
        (believed(date(2024, 12, 2)), ()),
        (believed(verified=False), (TargetReason.NEVER_VERIFIED,)),
        (believed(date(2020, 1, 1), verified=False), (TargetReason.NEVER_VERIFIED,)),
        (believed(match_state=MatchState.MISMATCHED), (TargetReason.MISMATCHED,)),
        (believed(match_state=MatchState.UNKNOWN), (TargetReason.UNCHECKED,)),
        (believed(duplicates=1, completeness=59), (TargetReason.DUPLICATE, TargetReason.INCOMPLETE)),
        (believed(completeness=60), ()),
    ],
)
def test_a_household_is_listed_for_the_reasons_that_hold(
    household: Believed, reasons: tuple[TargetReason, ...]
) -> None:
    assert reasons_of(household, rule=RULE, opened=OPENED) == reasons


def test_the_oldest_and_riskiest_come_first_and_what_is_sound_is_left_out() -> None:
    never = believed(verified=False)
    old = believed(date(2024, 11, 1))
    older = believed(date(2020, 1, 1))
    doubtful = believed(date(2024, 11, 1), match_state=MatchState.MISMATCHED)
    listed = work_list([believed(), old, never, older, doubtful], rule=RULE, opened=OPENED)
    assert [each.household_id for each in listed] == [each.household_id for each in (older, doubtful, never, old)], (
        "99 points, 81, 60 and 41"
    )
    assert [each.points for each in listed] == [99, 81, 60, 41]


def test_a_regency_may_verify_more_often_and_for_fewer_reasons() -> None:
    yearly = ReverificationRule.model_validate(
        RULE.model_dump()
        | {"old_after_months": 12, "risks": [risk.model_dump() for risk in RULE.risks if risk.reason == "old"]}
    )
    assert reasons_of(believed(date(2025, 12, 1), duplicates=2), rule=yearly, opened=OPENED) == (TargetReason.OLD,)


@given(st.permutations(range(6)))
def test_the_same_baseline_makes_the_same_list(order: list[int]) -> None:
    households = [believed(date(2024, 1, 1)) for _ in range(3)] + [believed(verified=False) for _ in range(3)]
    shuffled = [households[place] for place in order]
    assert work_list(shuffled, rule=RULE, opened=OPENED) == work_list(households, rule=RULE, opened=OPENED)


@given(st.dates(date(2000, 1, 1), date(2030, 12, 31)), st.integers(0, 120))
def test_months_are_counted_alike_forwards_and_backwards(day: date, months: int) -> None:
    before = months_before(day, months)
    assert months_between(before, day) >= months
    assert months_between(date.fromordinal(before.toordinal() + 1), day) < max(months, 1)


def test_a_village_is_asked_for_what_its_operators_can_do_on_working_days() -> None:
    week = Days(opens=date(2026, 11, 16), closes=date(2026, 11, 22))
    found = capacity_of(2, window=week, rule=RULE, calendar=regency())
    assert found == (2, 5, 100)
    assert capacity_of(0, window=week, rule=RULE, calendar=regency()).households == 0
