"""The clock of one step of a village's plan: when it is due by what is known now, and when each rung of its ladder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from domain.calendar import WorkingCalendar
from domain.clock_orders import ClockOrder, credits_of, pauses_of
from domain.deadlines import Credit, Deadline, compute_deadline
from domain.durations import WorkingDays
from domain.ladder import rung_times
from domain.policy.signoffs import SignoffRule
from domain.vocabulary import Stage


class SignoffClock(NamedTuple):
    """A deadline, and the moment of each rung."""

    deadline: Deadline
    times: tuple[datetime, ...]


def signoff_clock(
    rule: SignoffRule,
    opened_at: datetime,
    *,
    calendar: WorkingCalendar,
    orders: Sequence[ClockOrder],
    extra_days: int,
    now: datetime,
) -> SignoffClock:
    """The clock of a step that was opened at this moment, `extra_days` for a remote village.

    Orders over the area stop it, and outages give it days, as they do to the deliberations of the village.
    """
    remote = isinstance(rule.deadline, WorkingDays) and extra_days
    given = [Credit(working_days=extra_days, cause="remote_area")] if remote else []
    given += credits_of(orders, stage=Stage.DELIBERATION, opened_at=opened_at, now=now)
    deadline = compute_deadline(
        opened_at,
        duration=rule.deadline,
        calendar=calendar,
        pauses=pauses_of(orders, stage=Stage.DELIBERATION, opened_at=opened_at),
        credits=given,
        now=now,
    )
    return SignoffClock(deadline, rung_times(rule.ladder, deadline, calendar=calendar))
