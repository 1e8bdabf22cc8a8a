"""Where the time of a case went: each task's holder and pauses, cut into spans and added up for each holder.

A task is held by the role that its stage names until it is decided, also after it has escalated: silence is the
holder's. Where nobody in that role may decide, the task went to the next rung in the instant in which it was opened,
and is held by the receiver. A delivery is the system's until the Ministry has taken it in, and the Ministry's from
then on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ClockInterval as ClockIntervalRow
from db.models import Escalation, Task, TaskGrant
from db.repositories.tasks import PAUSE_COLUMNS, pause_of
from domain.audit import AuditEvent, AuditType
from domain.custody import Holding, Span, custody
from domain.pauses import ClockInterval, PauseCause
from domain.policy import Power, RungAction
from domain.vocabulary import EscalationCause, Role, Stage
from services.queries.holding import Desk, Party
from services.queries.view import View
from services.queries.who import Post, Who


class Keeper(View):
    """Who had the case: a party, and for officers the role and its offices."""

    party: Party
    desks: tuple[Desk, ...]


class CustodySpan(View):
    """A stretch of the life of a case."""

    begins: datetime
    ends: datetime
    length: timedelta
    keeper: Keeper
    stage: Stage | None = Field(description="Null while the case waits for the system to take it up")
    task_id: UUID | None
    paused: PauseCause | None = Field(description="Why the clock stood; null while it ran")


class HeldInAll(View):
    """All the time that one keeper had the case."""

    keeper: Keeper
    total: timedelta
    running: timedelta = Field(description="With the clock running")
    paused: timedelta = Field(description="With the clock standing")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHeld:
    """A task of the case as custody sees it."""

    id: UUID
    area_code: str
    stage: Stage
    opened_at: datetime
    decided_at: datetime | None
    pushed_at: datetime | None
    roles: tuple[Role, ...]
    pauses: tuple[ClockInterval, ...]

    @property
    def put_aside(self) -> bool:
        """Whether somebody is to look in the field before its holder goes on."""
        return any(pause.cause is PauseCause.GROUND_CHECK and pause.to is None for pause in self.pauses)

    @property
    def posts(self) -> tuple[Post, ...]:
        """The posts that held it, as they were filled when it was opened."""
        return tuple(Post(self.area_code, role, self.opened_at) for role in self.roles)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A holder in the reckoning: a keeper with a task or without."""

    keeper: Keeper
    stage: Stage | None = None
    task_id: UUID | None = None


async def read_tasks_held(
    connection: AsyncConnection,
    update_id: UUID,
    *,
    events: Iterable[AuditEvent],
) -> list[TaskHeld]:
    """The tasks of a case in their order. `events` are its trail, which knows when a delivery was pushed."""
    columns = (Task.id, Task.area_code, Task.stage, Task.opened_at, Task.decided_at)
    statement = select(*columns).add_columns(_holding_roles(), _received_by()).where(Task.update_id == update_id)
    rows = (await connection.execute(statement.order_by(Task.opened_at, Task.id))).all()
    pauses = await _pauses_by_task(connection, update_id)
    pushed = {event.data.get("task"): event.at for event in events if event.type == AuditType.UPDATE_PUSHED}
    return [_held(row, pauses[row.id], pushed.get(str(row.id))) for row in rows]


def _holding_roles() -> ColumnElement[list[str]]:
    return (
        select(func.array_agg(aggregate_order_by(TaskGrant.role, TaskGrant.role.asc())))
        .where(TaskGrant.task_id == Task.id, TaskGrant.power == Power.DECIDE.value, TaskGrant.rung.is_(None))
        .correlate(Task)
        .scalar_subquery()
        .label("holding_roles")
    )


def _received_by() -> ColumnElement[str]:
    """The receiver of the last rung that fired, as the task was opened, because nobody might decide.

    A post that falls vacant later goes on holding it: to fill it, or to name who stands in, is its office's.
    """
    return (
        select(Escalation.to_role)
        .where(
            Escalation.task_id == Task.id,
            Escalation.action == RungAction.ESCALATE.value,
            Escalation.cause == EscalationCause.NO_ELIGIBLE_DECIDER.value,
            Escalation.fired_at == Task.opened_at,
        )
        .order_by(Escalation.level.desc())
        .limit(1)
        .correlate(Task)
        .scalar_subquery()
        .label("received_by")
    )


async def _pauses_by_task(connection: AsyncConnection, update_id: UUID) -> dict[UUID, list[ClockInterval]]:
    statement = select(*PAUSE_COLUMNS).where(ClockIntervalRow.update_id == update_id).order_by(ClockIntervalRow.from_at)
    by_task: dict[UUID, list[ClockInterval]] = defaultdict(list)
    for row in await connection.execute(statement):
        by_task[row.task_id].append(pause_of(row))
    return by_task


def _held(row: Row[*tuple[Any, ...]], pauses: Sequence[ClockInterval], pushed_at: datetime | None) -> TaskHeld:
    roles: list[str] = row.holding_roles or []
    return TaskHeld(
        id=row.id,
        area_code=row.area_code,
        stage=Stage(row.stage),
        opened_at=row.opened_at,
        decided_at=row.decided_at,
        pushed_at=pushed_at,
        roles=tuple(Role(role) for role in ([row.received_by] if row.received_by else roles)),
        pauses=tuple(pauses),
    )


def posts_held(tasks: Iterable[TaskHeld]) -> Iterator[Post]:
    """The posts whose offices it takes to tell of the custody."""
    for task in tasks:
        yield from task.posts


def custody_of(
    tasks: Iterable[TaskHeld],
    who: Who,
    *,
    begins: datetime,
    ends: datetime,
) -> tuple[CustodySpan, ...]:
    """The life of a case in spans whose lengths add up to `ends - begins`; between tasks it is the system's."""
    holdings = [holding for task in tasks for holding in _holdings(task, who)]
    between = _Kept(Keeper(party=Party.SYSTEM, desks=()))
    return tuple(_told(span) for span in custody(holdings, begins=begins, ends=ends, otherwise=between))


def _holdings(task: TaskHeld, who: Who) -> Iterator[Holding[_Kept]]:
    def part(party: Party, begins: datetime, ends: datetime | None) -> Holding[_Kept]:
        desks = tuple(Desk(role=post.role, offices=who.offices_of(post)) for post in task.posts)
        keeper = Keeper(party=party, desks=desks if party is Party.OFFICERS else ())
        return Holding(holder=_Kept(keeper, task.stage, task.id), begins=begins, ends=ends, pauses=task.pauses)

    match task.stage:
        case Stage.IDENTITY_CHECK:
            yield part(Party.CIVIL_REGISTRY, task.opened_at, task.decided_at)
        case Stage.DELIVERY:
            yield part(Party.SYSTEM, task.opened_at, task.pushed_at or task.decided_at)
            if task.pushed_at is not None:
                yield part(Party.MINISTRY, task.pushed_at, task.decided_at)
        case _:
            begins = task.opened_at
            for aside in (pause for pause in task.pauses if pause.cause is PauseCause.GROUND_CHECK):
                yield part(Party.OFFICERS, begins, aside.from_)
                begins = aside.to or aside.from_
            if not task.put_aside:
                yield part(Party.OFFICERS, begins, task.decided_at)


def _told(span: Span[_Kept]) -> CustodySpan:
    return CustodySpan(
        begins=span.begins,
        ends=span.ends,
        length=span.length,
        keeper=span.holder.keeper,
        stage=span.holder.stage,
        task_id=span.holder.task_id,
        paused=span.paused,
    )


def added_up(spans: Iterable[CustodySpan]) -> tuple[HeldInAll, ...]:
    """The time of each keeper, in the order in which they first had the case."""
    running: dict[Keeper, timedelta] = {}
    paused: dict[Keeper, timedelta] = {}
    for span in spans:
        kind, other = (running, paused) if span.paused is None else (paused, running)
        kind[span.keeper] = kind.get(span.keeper, timedelta()) + span.length
        other.setdefault(span.keeper, timedelta())
    return tuple(
        HeldInAll(keeper=keeper, total=running[keeper] + paused[keeper], running=running[keeper], paused=paused[keeper])
        for keeper in dict.fromkeys(span.keeper for span in spans)
    )
