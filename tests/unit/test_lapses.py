"""When a case lapses: never before its notice has had its time, whatever stood meanwhile, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines import ClockInterval, PauseCause
from domain.durations import CalendarDays, Duration, Elapsed, WorkingDays
from domain.errors import NotReopenable, ReopenTooLate
from domain.lapses import lapses_from, last_moment_to_reopen, require_in_time, require_reopenable, told_from
from domain.lifecycle import Happening, Position, move
from domain.policy.waits import LapseRule
from domain.vocabulary import CLOSED_STATUSES, HUMAN_STAGES, Stage, Status, Strength
from tests.unit.office_calendars import local, regency

CALENDAR = regency()
START = local("2026-02-02 09:00")
HOUR = timedelta(hours=1)
DAYS = LapseRule(
    after=WorkingDays(working_days=20),
    notice=WorkingDays(working_days=10),
    reopen_within=CalendarDays(calendar_days=90),
    source="test",
    strength=Strength.PROPOSAL,
)
notices: st.SearchStrategy[Duration] = st.one_of(
    st.builds(CalendarDays, calendar_days=st.integers(7, 40)),
    st.builds(WorkingDays, working_days=st.integers(5, 30)),
    st.builds(Elapsed, elapsed=st.integers(1, 900).map(lambda hours: hours * HOUR)),
)


@given(notices, st.integers(0, 200), st.integers(1, 60 * 24))
def test_a_pause_never_brings_the_lapse_nearer_and_one_in_the_notice_is_given_back(
    notice: Duration, after: int, length: int
) -> None:
    rule = DAYS.model_copy(update={"notice": notice})
    begins = START + after * HOUR
    pause = ClockInterval(from_=begins, to=begins + length * HOUR, cause=PauseCause.WAITING_DOCUMENT)
    plain = lapses_from(rule, START, pauses=(), calendar=CALENDAR, now=START).due_at
    moved = lapses_from(rule, START, pauses=[pause], calendar=CALENDAR, now=START).due_at
    assert moved >= plain > START
    if begins < plain:
        assert pause.to is not None
        assert moved > min(pause.to, plain)
        assert not pause.stands_at(moved)
    if isinstance(notice, Elapsed) and begins < plain:
        assert moved == plain + length * HOUR


def test_it_is_told_so_long_after_the_last_rung_by_time_and_not_by_place() -> None:
    rungs = [START + 300 * HOUR, START, START + 200 * HOUR]
    told = told_from(DAYS, rungs, pauses=(), calendar=CALENDAR, now=START)
    assert told.started_at == rungs[0]


def test_the_last_second_is_in_time_to_reopen_and_the_next_one_names_the_last_day() -> None:
    deadline = last_moment_to_reopen(DAYS, START, calendar=CALENDAR)
    require_in_time(deadline, at=deadline.due_at, last_day="2026-05-03")
    with pytest.raises(ReopenTooLate, match="2026-05-03"):
        require_in_time(deadline, at=deadline.due_at + timedelta(seconds=1), last_day="2026-05-03")


@pytest.mark.parametrize("status", Status)
def test_only_what_has_lapsed_is_reopened_and_once(status: Status) -> None:
    if status is Status.LAPSED:
        require_reopenable(status, reopens=False)
        with pytest.raises(NotReopenable, match="lapsed again"):
            require_reopenable(status, reopens=True)
        return
    with pytest.raises(NotReopenable, match=status.value):
        require_reopenable(status, reopens=False)


@pytest.mark.parametrize("stage", HUMAN_STAGES)
def test_a_reopened_case_begins_with_the_repair_and_goes_back_to_where_it_was_returned(stage: Stage) -> None:
    route = (Stage.IDENTITY_CHECK, *HUMAN_STAGES, Stage.DELIVERY)
    settled = frozenset(route[: route.index(stage)])
    received = Position(route=route, status=Status.RECEIVED, settled=settled, returned_from=stage)
    begun = move(received, Happening.STARTED)
    assert (begun.status, begun.stage, begun.settled) == (Status.RETURNED, Stage.REPAIR, settled)
    assert move(begun, Happening.RESUBMITTED).stage is stage
    lapsed = move(begun, Happening.LAPSED)
    assert lapsed.status is Status.LAPSED
    assert lapsed.status in CLOSED_STATUSES
