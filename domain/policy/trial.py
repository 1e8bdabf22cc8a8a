"""A policy tried on open cases: what would be different for them if they began under it now. They keep their own."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, NonNegativeInt

from domain.calendar import WorkingCalendar
from domain.deadlines import Credit, Deadline, compute_deadline
from domain.durations import Duration, WorkingDays
from domain.policy.model import Policy
from domain.policy.stages import StageRule
from domain.vocabulary import DISPUTE_STAGES, Kind, Stage


class Effect(StrEnum):
    """In what a case would be treated otherwise, in the stage it is in."""

    ROUTE = "route"
    STAGE_GONE = "stage_gone"
    DEADLINE = "deadline"
    DECIDERS = "deciders"
    OUTCOMES = "outcomes"
    QUORUM = "quorum"
    SILENCE = "silence"
    MINUTES = "minutes"
    LADDER = "ladder"
    PAUSES = "pauses"


class Example(BaseModel):
    """The deadline of the most urgent of several cases: as it is, and as it would be."""

    model_config = ConfigDict(frozen=True)

    due_at: AwareDatetime
    would_be_due_at: AwareDatetime


class Group(BaseModel):
    """Open cases that would be treated otherwise in the same ways. `stage` is null while a case has no open task."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    stage: Stage | None
    cases: NonNegativeInt
    effects: tuple[Effect, ...]
    deadline: Duration | None = None
    would_be: Duration | None = None
    first_due: Example | None = None


class Trial(BaseModel):
    """How many cases are open, how many of them would be treated otherwise, and in what. None of them is changed."""

    model_config = ConfigDict(frozen=True)

    tried_at: AwareDatetime
    open_cases: NonNegativeInt
    affected: NonNegativeInt
    groups: tuple[Group, ...]


def effects_on(kind: Kind, stage: Stage | None, *, before: Policy, after: Policy) -> tuple[Effect, ...]:
    """In what a case of `kind` in `stage` would be treated otherwise.

    Of a case in dispute only the route is compared: the rule of its stage depends on what is contested in it.
    """
    found: list[Effect] = []
    if not after.offers(kind):
        return (Effect.ROUTE,)
    route = after.route_of(kind).stages
    if not before.offers(kind) or route != before.route_of(kind).stages:
        found.append(Effect.ROUTE)
    if stage is None:
        return tuple(found)
    if stage in DISPUTE_STAGES:
        return tuple(found)
    if stage is Stage.GROUND_CHECK and after.ground_checks is None:
        return (*found, Effect.STAGE_GONE)
    if stage not in {Stage.REPAIR, Stage.GROUND_CHECK} and stage not in route:
        return (*found, Effect.STAGE_GONE)
    found += _between(before.stage(stage), after.stage(stage))
    if after.stage(stage).needs_minutes and before.minutes != after.minutes and Effect.MINUTES not in found:
        found.append(Effect.MINUTES)
    return tuple(found)


def _between(old: StageRule, new: StageRule) -> list[Effect]:
    changed = {
        Effect.DEADLINE: old.deadline != new.deadline,
        Effect.DECIDERS: set(old.deciders) != set(new.deciders),
        Effect.OUTCOMES: old.outcomes != new.outcomes,
        Effect.QUORUM: old.quorum != new.quorum,
        Effect.SILENCE: old.on_exhausted != new.on_exhausted,
        Effect.MINUTES: old.needs_minutes != new.needs_minutes,
        Effect.LADDER: [_act(rung) for rung in old.ladder] != [_act(rung) for rung in new.ladder],
        Effect.PAUSES: old.pauses != new.pauses,
    }
    return [effect for effect, is_so in changed.items() if is_so]


def _act(rung: BaseModel) -> BaseModel:
    """A rung without where it comes from, which changes nothing for a case."""
    return rung.model_copy(update={"source": "-"})


def due_under(
    policy: Policy,
    deadline: Deadline,
    *,
    stage: Stage,
    remoteness: int,
    calendar: WorkingCalendar,
    now: datetime,
) -> datetime:
    """When a running task would be due by the policy's rule of its stage, its pauses and extensions as they are."""
    duration = policy.stage(stage).deadline
    extra = policy.remoteness_credit(remoteness) if isinstance(duration, WorkingDays) else 0
    remote = [Credit(working_days=extra, cause="remote_area")] if extra else []
    return compute_deadline(
        deadline.started_at,
        duration=duration,
        calendar=calendar,
        pauses=deadline.pauses,
        credits=[*remote, *(credit for credit in deadline.credits if credit.cause != "remote_area")],
        now=now,
    ).due_at
