"""Questions that overlap: no moment of a bounded pause counts twice, and together they are no longer than one."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.bounded_pauses import stands_until
from domain.deadlines import ClockInterval, PauseCause
from domain.durations import Elapsed
from domain.pauses import merged
from tests.unit.office_calendars import local, regency

CALENDAR = regency()
START = local("2026-02-02 09:00")
HOUR = timedelta(hours=1)
CAUSE = PauseCause.INFORMATION_REQUESTED


@given(st.integers(1, 300), st.lists(st.tuples(st.integers(0, 60), st.floats(0, 1)), min_size=1, max_size=8))
def test_pauses_that_overlap_and_are_cut_stand_in_all_no_longer_than_the_longest(
    longest: int, asked: list[tuple[int, float]]
) -> None:
    allowed, now, pauses = Elapsed(elapsed=longest * HOUR), START, list[ClockInterval]()
    for later, share in asked:
        now += later * HOUR
        until = stands_until(allowed, at=now, cause=CAUSE, pauses=pauses, calendar=CALENDAR)
        assert until >= now
        pauses.append(ClockInterval(from_=now, to=now + share * (until - now), cause=CAUSE))
    stood = sum((stop.ends - stop.begins for stop in merged(pauses, as_of=None)), timedelta(0))
    assert stood <= longest * HOUR


def test_a_second_question_at_once_stands_as_long_as_the_first() -> None:
    allowed = Elapsed(elapsed=10 * HOUR)
    first = ClockInterval(from_=START, to=START + 10 * HOUR, cause=CAUSE)
    for later in range(10):
        at = START + later * HOUR
        assert stands_until(allowed, at=at, cause=CAUSE, pauses=[first], calendar=CALENDAR) == first.to
