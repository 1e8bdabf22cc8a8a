"""When each rung of a ladder is due, which are due now, and how tasks of one deadline are spread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import WorkingCalendar
from domain.deadlines import Deadline, compute_deadline
from domain.durations import WorkingDays
from domain.ids import new_id
from domain.ladder import (
    due_rungs,
    next_digest_at,
    next_escalation,
    next_rung,
    next_rung_at,
    rung_times,
    spread,
    stage_rule,
)
from domain.policy import Policy, Power, RungAction, default_policy, demo_policy
from domain.vocabulary import HUMAN_STAGES, Role, Stage

MONDAY_MORNING = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)  # nine o'clock in Taraju
CALENDAR = WorkingCalendar(area_code="*", version=1, zone="Asia/Jakarta")
T = tuple(MONDAY_MORNING + timedelta(hours=hours) for hours in (10, 20, 20, 40))


def deadline_of(days: int = 5) -> Deadline:
    return compute_deadline(MONDAY_MORNING, duration=WorkingDays(working_days=days), calendar=CALENDAR)


def test_default_verification_reminds_half_way_and_climbs_at_the_deadline_and_two_and_three_working_days_after() -> (
    None
):
    ladder = default_policy().stage(Stage.VERIFICATION).ladder
    deadline = deadline_of()
    half, due, second, third = rung_times(ladder, deadline, calendar=CALENDAR)
    assert half - deadline.started_at == (deadline.due_at - deadline.started_at) / 2
    assert due == deadline.due_at == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)  # the Monday after, at closing time
    assert (second, third) == (datetime(2026, 3, 11, 9, 0, tzinfo=UTC), datetime(2026, 3, 12, 9, 0, tzinfo=UTC))
    assert [(rung.action, rung.to) for rung in ladder] == [
        (RungAction.REMIND, "holder"),
        (RungAction.ESCALATE, Role.DISTRICT_SUPERVISOR),
        (RungAction.ESCALATE, Role.REGENCY_HEAD),
        (RungAction.ESCALATE, Role.REGENCY_ASSISTANT),
    ]


@pytest.mark.parametrize("policy", [default_policy(), demo_policy()], ids=["default", "demo"])
@pytest.mark.parametrize("stage", [*HUMAN_STAGES, Stage.REPAIR, Stage.DELIVERY])
def test_rungs_of_every_default_ladder_come_in_their_order(policy: Policy, stage: Stage) -> None:
    rule = policy.stage(stage)
    deadline = compute_deadline(MONDAY_MORNING, duration=rule.deadline, calendar=CALENDAR)
    times = rung_times(rule.ladder, deadline, calendar=CALENDAR)
    assert list(times) == sorted(times)
    assert times[0] > deadline.started_at


def test_rung_is_due_from_its_exact_moment_on() -> None:
    assert due_rungs(T, fired=(), at=T[0] - timedelta(microseconds=1)) == []
    assert due_rungs(T, fired=(), at=T[0]) == [0]


def test_rungs_that_were_slept_through_are_due_together_in_their_order() -> None:
    assert due_rungs(T, fired=(), at=T[3]) == [0, 1, 2, 3]
    assert due_rungs(T, fired={0, 2}, at=T[3]) == [1, 3]
    assert due_rungs((T[3], T[0]), fired=(), at=T[3]) == [1, 0]


@given(fired=st.sets(st.integers(0, 3)), hours=st.integers(0, 50))
def test_what_is_due_next_has_not_fired_and_comes_no_later_than_the_others(fired: set[int], hours: int) -> None:
    at = MONDAY_MORNING + timedelta(hours=hours)
    after = fired | set(due_rungs(T, fired=fired, at=at))
    assert due_rungs(T, fired=after, at=at) == []
    index, moment = next_rung(T, fired=after), next_rung_at(T, fired=after)
    if index is None:
        assert moment is None
        assert after == {0, 1, 2, 3}
    else:
        assert index not in after
        assert moment == T[index] > at


def test_climbing_at_once_passes_by_reminders_and_ends_past_the_last_rung() -> None:
    ladder = default_policy().stage(Stage.VERIFICATION).ladder
    fired: set[int] = set()
    while (index := next_escalation(ladder, fired=fired)) is not None:
        assert ladder[index].action is RungAction.ESCALATE
        fired.add(index)
    assert fired == {1, 2, 3}


def test_daily_digest_of_a_deadline_at_closing_time_comes_every_working_day_at_closing_time() -> None:
    moment = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)  # Thursday, closing time
    days: list[int] = []
    for _ in range(4):
        moment = next_digest_at(moment, every=WorkingDays(working_days=1), calendar=CALENDAR)
        days.append(moment.day)
    assert days == [6, 9, 10, 11]
    assert moment.hour == 9


@given(task_id=st.uuids(), days=st.integers(1, 30))
def test_action_is_spread_over_at_most_a_minute_after_the_due_time_and_always_alike(task_id: UUID, days: int) -> None:
    deadline = deadline_of(days)
    acted = spread(deadline.due_at, task_id=task_id, deadline=deadline)
    assert timedelta(0) <= acted - deadline.due_at < timedelta(seconds=60)
    assert acted == spread(deadline.due_at, task_id=task_id, deadline=deadline)


def test_tasks_opened_one_after_the_other_are_spread_apart() -> None:
    deadline = deadline_of()
    moments = {spread(deadline.due_at, task_id=new_id(), deadline=deadline) for _ in range(500)}
    assert len(moments) > 400


def test_short_deadline_is_spread_over_a_tenth_of_itself() -> None:
    policy = demo_policy()
    duration = policy.stage(Stage.VERIFICATION).deadline
    deadline = compute_deadline(MONDAY_MORNING, duration=duration, calendar=CALENDAR)
    lags = [spread(deadline.due_at, task_id=uuid4(), deadline=deadline) - deadline.due_at for _ in range(300)]
    assert max(lags) < (deadline.due_at - deadline.started_at) / 10


def test_check_that_makes_up_for_a_waived_one_cannot_be_waived() -> None:
    policy = default_policy()
    first = stage_rule(policy, Stage.IDENTITY_CHECK, settled={Stage.IDENTITY_CHECK})
    assert any(Power.DECIDE in rung.grants for rung in first.ladder)
    again = stage_rule(policy, Stage.IDENTITY_CHECK, settled={Stage.IDENTITY_CHECK, Stage.VERIFICATION})
    assert not again.outcomes
    assert again.ladder
    assert not any(Power.DECIDE in rung.grants for rung in again.ladder)


@pytest.mark.parametrize("stage", [*HUMAN_STAGES, Stage.REPAIR, Stage.DELIVERY])
def test_rule_of_every_other_stage_is_the_policys(stage: Stage) -> None:
    policy = default_policy()
    assert stage_rule(policy, stage, settled=set(Stage)) == policy.stage(stage)
