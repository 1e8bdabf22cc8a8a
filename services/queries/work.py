"""One task in full: its clock, the powers over it, the rungs that fired, and whoever has it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Escalation, Task, TaskGrant, Update
from db.repositories.cases import CaseRecord
from db.repositories.tasks import read_pauses
from domain.authority import Grant
from domain.calendar import WorkingCalendar
from domain.deadlines import Deadline
from domain.ladder import stage_rule
from domain.pauses import ClockInterval
from domain.policy import Policy, Power, StageRule
from domain.vocabulary import EscalationCause, Outcome, ReasonCode, Role, Stage
from services.kawal import Kawal
from services.queries.clock import ExplainedDeadline, NextRung, explained, upcoming
from services.queries.holding import HOLDER_COLUMNS, Holder, deciders, holder_of, posts_of
from services.queries.view import PersonRef, View
from services.queries.who import Post, Who


class Powers(View):
    """What a role may do with the task; `rung` is the step of the ladder that gave it, null for the stage's own."""

    role: Role
    power: Power
    rung: int | None


class TaskInFull(View):
    """A piece of work in a stage."""

    id: UUID
    stage: Stage
    revision: int
    status: str = Field(description="open, decided or cancelled")
    opened_at: datetime
    level: int
    cause: EscalationCause | None
    holder: Holder | None = Field(description="Who has it; null once it is done")
    powers: tuple[Powers, ...]
    deadline: ExplainedDeadline
    pauses: tuple[ClockInterval, ...] = Field(description="When its clock stood or, without an end, still stands")
    next_rung: NextRung | None = Field(description="What happens next when nobody acts; null past the last rung")
    next_look_at: datetime | None = Field(description="When the system looks again: at a rung, or to send a digest")
    decided_by: PersonRef | None
    decided_at: datetime | None
    outcome: Outcome | None
    reason: ReasonCode | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What was read of a task; `row` holds its columns, the area and the status of its case, and `deciders`."""

    row: Row[*tuple[Any, ...]]
    powers: tuple[Powers, ...]
    fired: frozenset[int]
    pauses: tuple[ClockInterval, ...]
    rule: StageRule
    calendar: WorkingCalendar

    @property
    def deadline(self) -> Deadline:
        """The deadline as it was reckoned last."""
        return Deadline.model_validate(self.row.deadline)

    @property
    def grants(self) -> list[Grant]:
        """The powers, as authority is judged by."""
        return [Grant(role=held.role, power=held.power) for held in self.powers]

    def posts(self, *, at: datetime) -> Iterator[Post]:
        """The posts that may decide it."""
        return posts_of(self.row, at=at)

    @property
    def people(self) -> tuple[UUID | None, ...]:
        """Those whose names it takes to tell of it."""
        return (self.row.claimed_by, self.row.decided_by)


async def find_task(
    kawal: Kawal,
    connection: AsyncConnection,
    which: ColumnElement[bool],
    *,
    policy: Policy,
    case: CaseRecord,
) -> TaskFacts | None:
    """The one task of the case that fits, with all that stands around it."""
    row = (await connection.execute(_task(which))).one_or_none()
    if row is None:
        return None
    granted = select(TaskGrant.role, TaskGrant.power, TaskGrant.rung).where(TaskGrant.task_id == row.id)
    granted = granted.order_by(TaskGrant.rung.asc().nulls_first(), TaskGrant.role, TaskGrant.power)
    powers = (await connection.execute(granted)).mappings()
    fired = await connection.scalars(select(Escalation.rung).where(Escalation.task_id == row.id))
    return TaskFacts(
        row=row,
        powers=tuple(Powers.model_validate(dict(held)) for held in powers),
        fired=frozenset(fired),
        pauses=tuple(await read_pauses(connection, row.id)),
        rule=stage_rule(policy, Stage(row.stage), settled=case.settled, contested=case.contested),
        calendar=await kawal.rules.calendar(connection, row.area_code),
    )


def _task(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    columns = (
        *(Task.id, Task.update_id, Task.area_code, Task.stage, Task.revision, Task.status.label("task_status")),
        *(Task.level, Task.cause, Task.deadline, Task.next_milestone_at, Task.version),
        *(Task.decided_by, Task.decided_at, Task.outcome, Task.reason, Update.status),
    )
    return (
        select(*columns, *HOLDER_COLUMNS).add_columns(deciders()).join(Update, Update.id == Task.update_id).where(which)
    )


def task_in_full(facts: TaskFacts, who: Who, *, now: datetime) -> TaskInFull:
    """The task as it is told."""
    row, deadline = facts.row, facts.deadline
    is_open = row.task_status == "open"
    return TaskInFull(
        id=row.id,
        stage=row.stage,
        revision=row.revision,
        status=row.task_status,
        opened_at=row.opened_at,
        level=row.level,
        cause=row.cause,
        holder=holder_of(row, who, at=now) if is_open else None,
        powers=facts.powers,
        deadline=explained(deadline, now=now if is_open else row.decided_at),
        pauses=facts.pauses,
        next_rung=upcoming(facts.rule, deadline, fired=facts.fired, calendar=facts.calendar) if is_open else None,
        next_look_at=row.next_milestone_at,
        decided_by=who.person(row.decided_by),
        decided_at=row.decided_at,
        outcome=row.outcome,
        reason=row.reason,
        version=row.version,
    )
