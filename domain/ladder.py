"""The escalation ladder of one task: when each rung is due, which are due now, when to look again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.calendar import WorkingCalendar
from domain.deadlines import Deadline, compute_deadline, rung_at
from domain.durations import Duration
from domain.pauses import ClockInterval, PauseCause
from domain.policy import Policy, Power, Rung, RungAction, StageRule
from domain.vocabulary import HUMAN_STAGES, Stage

_MOST_JITTER = timedelta(seconds=60)
_JITTER_SHARE = 0.1
_JITTER_STEPS = 4096
_WHILE_STANDING = timedelta(hours=1)
_ENDED_ALOUD = frozenset({PauseCause.AREA_SUSPENDED})
"""Pauses of which nobody knows until when they last, and whose end is signalled to the engine."""
_ENDED_IN_TIME = frozenset({PauseCause.WAITING_DOCUMENT, PauseCause.INFORMATION_REQUESTED})
"""Pauses that last until a moment that is known; something is to be done when it comes."""


def stage_rule(
    policy: Policy,
    stage: Stage,
    *,
    settled: Collection[Stage],
    contested: Stage | None = None,
) -> StageRule:
    """The rule of a stage as it holds for a case whose stages `settled` have their answer.

    In a dispute it is that about the no of `contested`. The check that makes up for a waived one cannot be waived
    again: its ladder tells, and lets nobody decide.
    """
    rule = policy.stage(stage, contested=contested)
    if stage is Stage.IDENTITY_CHECK and any(human in settled for human in HUMAN_STAGES):
        told = tuple(rung.model_copy(update={"grants": rung.grants - {Power.DECIDE}}) for rung in rule.ladder)
        return rule.model_copy(update={"ladder": told, "outcomes": frozenset()})
    return rule


def rung_times(ladder: Sequence[Rung], deadline: Deadline, *, calendar: WorkingCalendar) -> tuple[datetime, ...]:
    """The exact moment at which each rung is due."""
    return tuple(rung_at(deadline, rung.after, calendar=calendar) for rung in ladder)


def due_rungs(times: Sequence[datetime], *, fired: Collection[int], at: datetime) -> list[int]:
    """The rungs due `at` this moment that have not fired, in the order in which they were due."""
    due = [index for index, moment in enumerate(times) if index not in fired and moment <= at]
    return sorted(due, key=lambda index: (times[index], index))


def next_rung_at(times: Sequence[datetime], *, fired: Collection[int]) -> datetime | None:
    """When the next rung is due that has not fired; None past the last one."""
    return min((moment for index, moment in enumerate(times) if index not in fired), default=None)


def next_milestone_at(
    rule: StageRule,
    deadline: Deadline,
    times: Sequence[datetime],
    *,
    fired: Collection[int],
) -> datetime | None:
    """When the next rung is due, or the deadline itself where the case then goes on; None past the last rung."""
    upcoming = next_rung_at(times, fired=fired)
    if not rule.lapses:
        return upcoming
    return deadline.due_at if upcoming is None else min(upcoming, deadline.due_at)


def next_rung(times: Sequence[datetime], *, fired: Collection[int]) -> int | None:
    """Which rung is due next; None past the last one."""
    waiting = (index for index in range(len(times)) if index not in fired)
    return min(waiting, key=lambda index: (times[index], index), default=None)


def next_escalation(ladder: Sequence[Rung], *, fired: Collection[int]) -> int | None:
    """The first rung, from the bottom, that would give somebody else authority and has not fired."""
    rungs = (index for index, rung in enumerate(ladder) if rung.action is RungAction.ESCALATE)
    return next((index for index in rungs if index not in fired), None)


def next_look_at(upcoming: datetime, pauses: Sequence[ClockInterval], *, at: datetime) -> datetime:
    """When to look at a task whose next rung comes at `upcoming` by what is known `at` this moment.

    While its clock stands and nobody knows until when, what is left stays the same: it is looked at once an hour.
    Whoever ends such a pause says so at once. A pause that ends by itself is looked at when it does.
    """
    held = any(pause.to is None and pause.cause in _ENDED_ALOUD and pause.from_ <= at for pause in pauses)
    ends = [pause.to for pause in pauses if pause.cause in _ENDED_IN_TIME and pause.to is not None and pause.to > at]
    return min([max(upcoming, at + _WHILE_STANDING) if held else upcoming, *ends])


def next_digest_at(last: datetime, *, every: Duration, calendar: WorkingCalendar) -> datetime:
    """Past the last rung nothing is decided by silence; those told of it are told again at this moment."""
    return compute_deadline(last, duration=every, calendar=calendar).due_at


def digest_after(due: datetime, *, every: Duration, calendar: WorkingCalendar, now: datetime) -> datetime:
    """The digest that follows the one that was `due`.

    Digests are counted from the moment at which the last one was due, not from the later one at which it was told:
    else those of a deadline at closing time would each lose a day.
    """
    upcoming = next_digest_at(due, every=every, calendar=calendar)
    return upcoming if upcoming > now else next_digest_at(now, every=every, calendar=calendar)


def spread(moment: datetime, *, task_id: UUID, deadline: Deadline) -> datetime:
    """The moment at which to act on what is due at `moment`: up to a tenth of the duration later, at most a minute.

    Deadlines of one window fall due in the same instant; spread over a minute they lag seconds behind instead of
    most of one. The due time itself stays exact, and the same task is always spread the same way.
    """
    most = min(_MOST_JITTER, _JITTER_SHARE * (deadline.due_at - deadline.started_at))
    return moment + most * ((task_id.int % _JITTER_STEPS) / _JITTER_STEPS)
