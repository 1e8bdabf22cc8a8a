"""Whether a case will miss the cut-off of its round: by the deadlines of what is left of its route.

Pessimistic on purpose: every stage that is left is taken to use its whole deadline. Pauses that are yet to come are not
known and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.calendar import WorkingCalendar
from domain.deadlines import Credit, compute_deadline
from domain.durations import WorkingDays
from domain.lifecycle import Position
from domain.policy import Policy
from domain.vocabulary import CONFLICT_STAGES, Stage

_REACH: Final = timedelta(days=400)
"""How far back from a cut-off it is looked for the last moment from which it is still reached."""
_EXACT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """By what the stages that are left are counted: the policy, the calendar, the remoteness; the stage in dispute."""

    policy: Policy
    calendar: WorkingCalendar
    remoteness: int
    contested: Stage | None = None


def stages_left(position: Position) -> tuple[Stage, ...]:
    """The stages that are to come before delivery, in order, without the one that the case is in.

    A conflict decides in place of the stage that it is about; a check that was waived is made up for before delivery.
    Nothing is left of a case that is delivered or closed.
    """
    if position.closed or position.stage is Stage.DELIVERY:
        return ()
    passed = position.settled | {position.stage, Stage.DELIVERY}
    if position.stage in CONFLICT_STAGES:
        passed |= {position.contested}
    left = tuple(stage for stage in position.route if stage not in passed)
    if position.stage is Stage.OPINION:
        left = (Stage.CONFLICT, *left)
    return (*left, Stage.IDENTITY_CHECK) if position.identity_waived else left


def approved_by(due_at: datetime, left: Sequence[Stage], going: Going) -> datetime:
    """When a case whose open task is due at `due_at` is approved, if every stage takes as long as it may."""
    extra = going.policy.remoteness_credit(going.remoteness)
    for stage in left:
        duration = going.policy.stage(stage, contested=going.contested).deadline
        remote = isinstance(duration, WorkingDays) and extra
        given = [Credit(working_days=extra, cause="remote_area")] if remote else []
        due_at = compute_deadline(due_at, duration=duration, calendar=going.calendar, credits=given).due_at
    return due_at


def last_due(cutoff_at: datetime, left: Sequence[Stage], going: Going) -> datetime:
    """The last moment at which the open task may be due for the case to be approved by the cut-off, to the second.

    A later due time never gives an earlier approval, so it is found by halving; a cut-off that nothing within reach
    meets has the moment before that.
    """
    earliest, latest = cutoff_at - _REACH, cutoff_at
    if approved_by(latest, left, going) <= cutoff_at:
        return latest
    while latest - earliest > _EXACT:
        between = earliest + (latest - earliest) / 2
        if approved_by(between, left, going) <= cutoff_at:
            earliest = between
        else:
            latest = between
    return earliest


def will_miss(due_at: datetime, last: datetime, *, now: datetime) -> bool:
    """Whether a case misses the cut-off when its open task is due at `due_at`, or is overdue, and may be by `last`."""
    return max(due_at, now) > last
