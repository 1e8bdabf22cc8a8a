"""Waiting for a paper: never longer than the policy says, whatever came before, and the repair has what was left."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deadlines import ClockInterval, PauseCause, compute_deadline
from domain.document_waits import waits_until
from domain.durations import CalendarDays, Duration, Elapsed, WorkingDays
from domain.errors import NotPossibleNow
from domain.ladder import next_look_at
from domain.policy.waits import DocumentWaitRule
from domain.vocabulary import Strength
from tests.unit.office_calendars import local, regency

CALENDAR = regency()
START = local("2026-02-02 09:00")
HOURS = timedelta(hours=1)


def rule(longest: Duration) -> DocumentWaitRule:
    return DocumentWaitRule(longest=longest, source="test", strength=Strength.PROPOSAL)


SIXTY = rule(CalendarDays(calendar_days=60))
lengths: st.SearchStrategy[Duration] = st.one_of(
    st.builds(CalendarDays, calendar_days=st.integers(1, 90)),
    st.builds(Elapsed, elapsed=st.integers(1, 90 * 24).map(lambda hours: hours * HOURS)),
)


def waited(begins: datetime, ends: datetime) -> ClockInterval:
    return ClockInterval(from_=begins, to=ends, cause=PauseCause.WAITING_DOCUMENT)


def test_sixty_calendar_days_end_at_closing_time_of_the_sixtieth() -> None:
    until = waits_until(SIXTY, at=START, pauses=(), calendar=CALENDAR)
    assert until == CALENDAR.closes_at(CALENDAR.local_day(START) + timedelta(days=60))


def test_without_a_rule_nothing_waits() -> None:
    with pytest.raises(NotPossibleNow, match="no time to wait"):
        waits_until(None, at=START, pauses=(), calendar=CALENDAR)


def test_what_stood_for_another_cause_was_no_wait() -> None:
    stood = ClockInterval(from_=START, to=START + 1000 * HOURS, cause=PauseCause.AREA_SUSPENDED)
    later = START + 2000 * HOURS
    assert waits_until(SIXTY, at=later, pauses=[stood], calendar=CALENDAR) == waits_until(
        SIXTY, at=later, pauses=(), calendar=CALENDAR
    )


@given(lengths, st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), min_size=1, max_size=8))
def test_all_waits_of_a_repair_together_are_no_longer_than_one_could_have_been(
    longest: Duration, waits: list[tuple[int, float]]
) -> None:
    """Each begins some hours after the one before ended, and is cut somewhere on its way."""
    now, pauses = START, list[ClockInterval]()
    longest_of_all = timedelta(0)
    for gap, share in waits:
        now += gap * HOURS
        longest_of_all = max(longest_of_all, compute_deadline(now, duration=longest, calendar=CALENDAR).due_at - now)
        try:
            until = waits_until(rule(longest), at=now, pauses=pauses, calendar=CALENDAR)
        except NotPossibleNow:
            break
        assert until > now
        ends = now + share * (until - now)
        pauses.append(waited(now, ends))
        now = ends
    total = sum((pause.to - pause.from_ for pause in pauses if pause.to), timedelta(0))
    assert total <= longest_of_all


@given(st.integers(1, 40), st.integers(0, 2000), st.integers(0, 400))
def test_counted_in_working_days_a_wait_that_was_used_up_leaves_nothing_and_half_of_one_no_more_than_a_whole(
    days: int, begins: int, gap: int
) -> None:
    longest, start = rule(WorkingDays(working_days=days)), START + begins * HOURS
    whole = waits_until(longest, at=start, pauses=(), calendar=CALENDAR)
    with pytest.raises(NotPossibleNow, match="as long as the policy allows"):
        waits_until(longest, at=whole + gap * HOURS, pauses=[waited(start, whole)], calendar=CALENDAR)
    half = waited(start, start + (whole - start) / 2)
    assert half.to is not None
    later = half.to + gap * HOURS
    fresh = waits_until(longest, at=later, pauses=(), calendar=CALENDAR)
    assert later < waits_until(longest, at=later, pauses=[half], calendar=CALENDAR) <= fresh


@given(st.integers(1, 20), st.integers(0, 120), st.integers(1, 60 * 24))
def test_the_repair_has_after_the_wait_what_was_left_before_it(days: int, after: int, length: int) -> None:
    begins = START + after * HOURS
    pause = waited(begins, begins + length * HOURS)
    allowed = Elapsed(elapsed=timedelta(days=days))
    before = compute_deadline(START, duration=allowed, calendar=CALENDAR)
    now = compute_deadline(START, duration=allowed, calendar=CALENDAR, pauses=[pause], now=begins)
    if begins < before.due_at:
        assert pause.to is not None
        assert now.due_at - pause.to == before.due_at - begins
    else:
        assert now.due_at == before.due_at


def test_a_waiting_repair_is_looked_at_when_its_wait_ends_and_not_before() -> None:
    ends = START + 100 * HOURS
    assert next_look_at(ends + 50 * HOURS, [waited(START, ends)], at=START) == ends
    assert next_look_at(ends + 50 * HOURS, [waited(START, ends)], at=ends) == ends + 50 * HOURS
