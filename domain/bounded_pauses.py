"""Pauses that people begin: together they are no longer than a policy says, and each says at once when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from domain.calendar import WorkingCalendar
from domain.deadlines import compute_deadline
from domain.durations import Duration
from domain.pauses import ClockInterval, PauseCause, Stop, merged


def stands_until(
    longest: Duration,
    *,
    at: datetime,
    cause: PauseCause,
    pauses: Sequence[ClockInterval],
    calendar: WorkingCalendar,
) -> datetime:
    """Until when a clock with these pauses may stand for `cause` from `at` on; `at` itself once that is used up.

    What is left of the longest pause: it is counted from the first one on, and stands itself while the clock ran. No
    moment counts twice.
    """
    fresh = compute_deadline(at, duration=longest, calendar=calendar).due_at
    stood = merged((pause for pause in pauses if pause.cause is cause), as_of=at)
    before = [Stop(stop.begins, min(stop.ends, at)) for stop in stood if stop.begins < at]
    if not before:
        return fresh
    ran = [
        ClockInterval(from_=one.ends, to=other.begins, cause=cause)
        for one, other in pairwise([*before, Stop(at, at)])
        if one.ends < other.begins
    ]
    left = compute_deadline(before[0].begins, duration=longest, calendar=calendar, pauses=ran).due_at
    return max(at, min(fresh, left))
