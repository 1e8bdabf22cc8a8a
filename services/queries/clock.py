"""The clock of a task: its deadline explained, how late it is, and which rung of the ladder comes next."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from domain.calendar import ONE_DAY, WorkingCalendar
from domain.deadlines import Deadline
from domain.ladder import next_rung, rung_times
from domain.policy import Power, RungAction, StageRule
from domain.vocabulary import Role
from services.queries.view import Text, View


class ExplainedDeadline(View):
    """When something is due, in one sentence and as data."""

    due_at: datetime
    overdue: bool
    sentence: Text = Field(description="The whole reckoning in one sentence, in the time of the area")
    reckoning: Deadline = Field(description="Start, days allowed, days not counted and why, credits, pauses")


class Lateness(View):
    """How far past its deadline something is."""

    working_days: int = Field(description="Working days since the day it was due; 0 within that day")
    elapsed: timedelta


class NextRung(View):
    """What happens next when nobody acts."""

    rung: int
    at: datetime
    action: RungAction
    to: Role | Literal["holder"]
    grants: tuple[Power, ...] = Field(description="What the receiver may do from then on")
    notify: tuple[Role, ...]


def explained(deadline: Deadline, *, now: datetime) -> ExplainedDeadline:
    """The deadline for people."""
    return ExplainedDeadline(
        due_at=deadline.due_at,
        overdue=deadline.due_at < now and not deadline.standing,
        sentence=Text(id=deadline.sentence("id"), en=deadline.sentence("en")),
        reckoning=deadline,
    )


def lateness(due_at: datetime, *, now: datetime, calendar: WorkingCalendar) -> Lateness | None:
    """How late it is; None before it is due."""
    if now <= due_at:
        return None
    day, today = calendar.local_day(due_at), calendar.local_day(now)
    days = 0
    while day < today:
        day += ONE_DAY
        days += calendar.is_working_day(day)
    return Lateness(working_days=days, elapsed=now - due_at)


def upcoming(
    rule: StageRule,
    deadline: Deadline,
    *,
    fired: Collection[int],
    calendar: WorkingCalendar,
) -> NextRung | None:
    """The rung that fires next; None past the last one, when only digests are left."""
    times = rung_times(rule.ladder, deadline, calendar=calendar)
    index = next_rung(times, fired=fired)
    if index is None:
        return None
    rung = rule.ladder[index]
    return NextRung(
        rung=index,
        at=times[index],
        action=rung.action,
        to=rung.to,
        grants=tuple(sorted(rung.grants)),
        notify=rung.notify,
    )
