"""Giving a case up: when the applicant is told that an unmended case will lapse, when it does, and the way back.

A case lapses past its repair's whole ladder, and never before the applicant has had the time of the notice. While the
clock of the repair stands, for a paper or by an order, that time stands too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.calendar import WorkingCalendar
from domain.deadlines import ClockInterval, Deadline, compute_deadline
from domain.errors import NotReopenable, ReopenTooLate
from domain.policy.waits import LapseRule
from domain.text import Note
from domain.vocabulary import ReopenReason, Status


class ReopeningInput(BaseModel):
    """Why a lapsed case is taken up again, and in the words of whoever does."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: ReopenReason
    text: Note


def told_from(
    rule: LapseRule,
    rung_times: Sequence[datetime],
    *,
    pauses: Sequence[ClockInterval],
    calendar: WorkingCalendar,
    now: datetime,
) -> Deadline:
    """From when on the applicant may be told: so long after the last rung of the repair."""
    return compute_deadline(max(rung_times), duration=rule.after, calendar=calendar, pauses=pauses, now=now)


def lapses_from(
    rule: LapseRule,
    told_at: datetime,
    *,
    pauses: Sequence[ClockInterval],
    calendar: WorkingCalendar,
    now: datetime,
) -> Deadline:
    """From when on the case may lapse, of which the applicant was told at `told_at`."""
    return compute_deadline(told_at, duration=rule.notice, calendar=calendar, pauses=pauses, now=now)


def last_moment_to_reopen(rule: LapseRule, lapsed_at: datetime, *, calendar: WorkingCalendar) -> Deadline:
    """Until when a lapsed case can be reopened, explained."""
    return compute_deadline(lapsed_at, duration=rule.reopen_within, calendar=calendar)


def require_reopenable(status: Status, *, reopens: bool) -> None:
    """Raise NotReopenable for a case that has not lapsed, and for one that was reopened already."""
    if status is not Status.LAPSED:
        raise NotReopenable(f"The case is {status.value}; only one that has lapsed is reopened.")
    if reopens:
        raise NotReopenable(
            "The case was reopened before and has lapsed again.", remedy="Submit a new update for the household."
        )


def require_in_time(deadline: Deadline, *, at: datetime, last_day: str) -> None:
    """Raise ReopenTooLate past the deadline; at it there is still time."""
    if at > deadline.due_at:
        raise ReopenTooLate(
            f"The last day to reopen the case was {last_day}.",
            data={"last_day": last_day, "due_at": deadline.due_at.isoformat()},
        )
