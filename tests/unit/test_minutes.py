"""Papers of a village: quorum, faults, and what is always refused."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.minutes import Attendance, CaseFacts, MinutesInput, PaperFacts, missing_from
from domain.minutes_rules import check_paper
from domain.policy import MinutesRule, default_policy
from domain.vocabulary import AttendanceGroup

POLICY = default_policy()
RULE = POLICY.minutes
assert RULE is not None
GOOD: MinutesRule = RULE
TODAY = date(2026, 3, 2)
CASE = UUID(int=7)
attendance = st.lists(
    st.builds(Attendance, group=st.sampled_from(AttendanceGroup), present=st.integers(0, 5)), max_size=12
)


def paper(**changes: Any) -> MinutesInput:
    groups = [quorum.group for quorum in GOOD.quorum]
    return MinutesInput.model_validate(
        {
            "area_code": "32.06.13.2001",
            "type": "musdes",
            "number": "1/BA",
            "held_on": TODAY.isoformat(),
            "place": "Balai Desa",
            "attendance": [{"group": group, "present": 1} for group in groups],
            "signed_by": [{"role": role, "name": "Dadang"} for role in GOOD.signers],
            "scan": str(uuid4()),
            "cases": [{"update_id": str(CASE), "outcome": "forward"}],
            **changes,
        }
    )


def codes(given_paper: MinutesInput, *, submitted_on: date = TODAY, today: date = TODAY) -> list[str]:
    facts = PaperFacts(today=today, cases={CASE: CaseFacts(submitted_on)}, number_taken_by=None)
    return [fault.code for fault in check_paper(given_paper, policy=POLICY, rule=GOOD, facts=facts)]


def test_paper_in_good_order_has_no_fault() -> None:
    assert codes(paper()) == []


@given(present=attendance)
def test_there_is_a_quorum_when_and_only_when_every_group_has_its_number(present: list[Attendance]) -> None:
    counted = {group: sum(each.present for each in present if each.group is group) for group in AttendanceGroup}
    reached = all(counted[quorum.group] >= quorum.at_least for quorum in GOOD.quorum)
    assert (missing_from(present, GOOD) == {}) is reached


@given(
    present=attendance, more=st.builds(Attendance, group=st.sampled_from(AttendanceGroup), present=st.integers(0, 9))
)
def test_nobody_is_missing_who_comes_besides(present: list[Attendance], more: Attendance) -> None:
    before, after = missing_from(present, GOOD), missing_from([*present, more], GOOD)
    assert after.keys() <= before.keys()
    assert all(after[group] <= before[group] for group in after)


@given(days=st.integers(-400, 400), submitted=st.integers(-400, 400))
def test_day_of_a_paper_lies_between_the_submission_and_the_present(days: int, submitted: int) -> None:
    held_on, submitted_on = TODAY + timedelta(days=days), TODAY + timedelta(days=submitted)
    found = codes(paper(held_on=held_on.isoformat()), submitted_on=submitted_on)
    assert ("date_in_future" in found) is (held_on > TODAY)
    assert ("date_before_submission" in found) is (held_on < submitted_on)
