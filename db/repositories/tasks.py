"""Tasks, the powers over them, their pauses and the rungs that fired."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ClockInterval as ClockIntervalRow
from db.models import Decision, Escalation, Notification, Task, TaskGrant
from db.writes import Write, added, changed
from domain.authority import Grant
from domain.deadlines import Deadline
from domain.errors import NotFound
from domain.ids import new_id
from domain.pauses import ClockInterval, PauseCause
from domain.policy import Power, Rung
from domain.quorum import Vote
from domain.vocabulary import EscalationCause, Outcome, Role, Stage


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as its row holds it; `clock_job` is the last change of orders or calendars that it was reckoned by."""

    id: UUID
    update_id: UUID
    area_code: str
    stage: Stage
    revision: int
    status: str
    opened_at: datetime
    due_at: datetime
    deadline: Deadline
    next_milestone_at: datetime | None
    digests_sent: int
    level: int
    claimed_by: UUID | None
    decided_by: UUID | None
    decided_at: datetime | None
    outcome: Outcome | None
    version: int
    clock_job: int = 0

    @property
    def open(self) -> bool:
        """Whether the work is still to be done."""
        return self.status == "open"


TASK_COLUMNS = (
    Task.id,
    Task.update_id,
    Task.area_code,
    Task.stage,
    Task.revision,
    Task.status,
    Task.opened_at,
    Task.due_at,
    Task.deadline,
    Task.next_milestone_at,
    Task.digests_sent,
    Task.level,
    Task.claimed_by,
    Task.decided_by,
    Task.decided_at,
    Task.outcome,
    Task.version,
    Task.clock_job,
)
_TASK_NAMES = tuple(column.key for column in TASK_COLUMNS)


def task_of(values: Iterable[Any]) -> TaskRecord:
    """The task out of the values of `TASK_COLUMNS`, in their order."""
    row = SimpleNamespace(**dict(zip(_TASK_NAMES, values, strict=True)))
    return TaskRecord(
        id=row.id,
        update_id=row.update_id,
        area_code=row.area_code,
        stage=Stage(row.stage),
        revision=row.revision,
        status=row.status,
        opened_at=row.opened_at,
        due_at=row.due_at,
        deadline=Deadline.model_validate(row.deadline),
        next_milestone_at=row.next_milestone_at,
        digests_sent=row.digests_sent,
        level=row.level,
        claimed_by=row.claimed_by,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        outcome=row.outcome and Outcome(row.outcome),
        version=row.version,
        clock_job=row.clock_job,
    )


_TASK = select(*TASK_COLUMNS).where(Task.id == bindparam("task_id"))
_OPEN_TASK = select(*TASK_COLUMNS).where(Task.update_id == bindparam("update_id"), Task.status == "open")
_SAVE_TASK = update(Task).where(Task.id == bindparam("task_id"))
_GRANTS = select(TaskGrant.role, TaskGrant.power).where(TaskGrant.task_id == bindparam("task_id"))
_ADD_GRANTS_OF_TASK = text("""
INSERT INTO task_grants (task_id, role, power, area_code)
SELECT :task_id, granted.role, granted.power, :area_code
FROM unnest(CAST(:roles AS text[]), CAST(:powers AS text[])) AS granted(role, power)
RETURNING 1
""")
_VOTES = select(Decision.actor_id, Decision.actor_role, Decision.on_behalf_of).where(
    Decision.task_id == bindparam("task_id"), Decision.actor_id.is_not(None)
)
_ADD_GRANTS = upsert(TaskGrant).on_conflict_do_nothing()
_END_PAUSES = (
    update(ClockIntervalRow)
    .where(
        ClockIntervalRow.task_id == bindparam("of_task"),
        or_(ClockIntervalRow.to_at.is_(None), ClockIntervalRow.to_at > bindparam("at")),
    )
    .values(to_at=func.greatest(ClockIntervalRow.from_at, bindparam("at")))
    .returning(ClockIntervalRow.cause, ClockIntervalRow.from_at)
)


async def read_task(connection: AsyncConnection, task_id: UUID) -> TaskRecord:
    """A task within view. Raises NotFound."""
    found = await _find(connection, _TASK, task_id=task_id)
    if found is None:
        raise no_task(task_id)
    return found


def no_task(task_id: UUID) -> NotFound:
    """The refusal of a task that is not there, or not for whoever asks."""
    return NotFound(f"There is no task {task_id} for you.")


async def find_open_task(connection: AsyncConnection, update_id: UUID) -> TaskRecord | None:
    """The one open task of a case, if it has one."""
    return await _find(connection, _OPEN_TASK, update_id=update_id)


async def find_last_task(connection: AsyncConnection, update_id: UUID, stage: Stage) -> UUID | None:
    """The task of a case that was opened last in a stage, if there was one: ids of tasks are ordered by time."""
    wanted = select(Task.id).where(Task.update_id == update_id, Task.stage == stage.value)
    found: UUID | None = await connection.scalar(wanted.order_by(Task.id.desc()).limit(1))
    return found


async def _find(
    connection: AsyncConnection,
    wanted: Select[*tuple[Any, ...]],
    **which: UUID,
) -> TaskRecord | None:
    row = (await connection.execute(wanted, which)).one_or_none()
    return None if row is None else task_of(row)


def opened_task(task: TaskRecord, grants: Sequence[Grant]) -> list[Write]:
    """A task that is opened, with the powers that roles have over it from the start."""
    row = {
        "id": task.id,
        "update_id": task.update_id,
        "area_code": task.area_code,
        "stage": task.stage.value,
        "revision": task.revision,
        "status": task.status,
        "opened_at": task.opened_at,
        "due_at": task.due_at,
        "deadline": task.deadline.model_dump(mode="json"),
        "next_milestone_at": task.next_milestone_at,
        "level": task.level,
        "clock_job": task.clock_job,
        "version": task.version,
    }
    powers = {
        "task_id": task.id,
        "area_code": task.area_code,
        "roles": [grant.role.value for grant in grants],
        "powers": [grant.power.value for grant in grants],
    }
    return [added("opened_task", Task, row), Write("granted", _ADD_GRANTS_OF_TASK, powers)]


def closed_task(task: TaskRecord, **changes: object) -> Write:
    """What `save_task` writes, of a task that is no longer open."""
    return changed("closed_task", Task, task.id, {"version": task.version + 1, **changes})


async def save_task(connection: AsyncConnection, task: TaskRecord, **changes: object) -> None:
    """Change columns of a task; its version goes up by one."""
    await connection.execute(_SAVE_TASK, {"task_id": task.id, "version": task.version + 1, **changes})


async def read_grants(connection: AsyncConnection, task_id: UUID) -> list[Grant]:
    """The powers over a task."""
    rows = await connection.execute(_GRANTS, {"task_id": task_id})
    return [Grant(role=Role(row.role), power=Power(row.power)) for row in rows]


async def add_grants(
    connection: AsyncConnection,
    task: TaskRecord,
    grants: Iterable[Grant],
    *,
    rung: int | None = None,
) -> None:
    """Give powers over a task; what a role has already stays as it was given first."""
    rows = [
        {"task_id": task.id, "role": grant.role, "power": grant.power, "area_code": task.area_code, "rung": rung}
        for grant in grants
    ]
    if rows:
        await connection.execute(_ADD_GRANTS, rows)


async def read_votes(connection: AsyncConnection, task_id: UUID) -> list[Vote]:
    """The forwards that have been given on an open task, each by another person."""
    rows = await connection.execute(_VOTES, {"task_id": task_id})
    return [Vote(user_id=row.actor_id, role=Role(row.actor_role), on_behalf_of=row.on_behalf_of) for row in rows]


async def fired_rungs(connection: AsyncConnection, task_id: UUID) -> frozenset[int]:
    """Which rungs of the task's ladder have fired."""
    return frozenset(await connection.scalars(select(Escalation.rung).where(Escalation.task_id == task_id)))


async def add_escalation(
    connection: AsyncConnection,
    task: TaskRecord,
    rung: Rung,
    *,
    index: int,
    level: int,
    cause: EscalationCause,
    due_at: datetime,
    at: datetime,
) -> None:
    """Write down that a rung fired. The primary key refuses the second time."""
    await connection.execute(
        insert(Escalation).values(
            task_id=task.id,
            rung=index,
            update_id=task.update_id,
            area_code=task.area_code,
            action=rung.action.value,
            to_role=rung.to,
            level=level,
            cause=cause.value,
            due_at=due_at,
            fired_at=at,
        ),
    )


async def read_pauses(connection: AsyncConnection, task_id: UUID) -> list[ClockInterval]:
    """The spans in which the clock of a task stood or stands."""
    rows = await connection.execute(
        select(*PAUSE_COLUMNS).where(ClockIntervalRow.task_id == task_id).order_by(ClockIntervalRow.from_at),
    )
    return [pause_of(row) for row in rows]


PAUSE_COLUMNS = (
    ClockIntervalRow.task_id,
    ClockIntervalRow.from_at,
    ClockIntervalRow.to_at,
    ClockIntervalRow.cause,
    ClockIntervalRow.note,
    ClockIntervalRow.order_id,
)


def pause_of(row: Row[*tuple[Any, ...]]) -> ClockInterval:
    """The pause in a row of `PAUSE_COLUMNS`."""
    return ClockInterval(
        from_=row.from_at, to=row.to_at, cause=PauseCause(row.cause), note=row.note, order=row.order_id
    )


def is_overdue(*, at: datetime) -> ColumnElement[bool]:
    """That an open task is past its deadline. One whose clock stopped before it was due does not become so."""
    return and_(Task.due_at < at, ~is_held_up())


def is_held_up() -> ColumnElement[bool]:
    """That the clock of a task stopped before it was due, and nobody knows until when."""
    return exists().where(
        ClockIntervalRow.task_id == Task.id,
        ClockIntervalRow.to_at.is_(None),
        ClockIntervalRow.from_at < Task.due_at,
    )


async def begin_pause(connection: AsyncConnection, task: TaskRecord, cause: PauseCause, *, at: datetime) -> bool:
    """Stop the clock of a task; False when it stands already for this cause."""
    inserted = await connection.execute(
        upsert(ClockIntervalRow)
        .values(
            id=new_id(),
            task_id=task.id,
            update_id=task.update_id,
            area_code=task.area_code,
            from_at=at,
            cause=cause.value,
        )
        .on_conflict_do_nothing(),
    )
    return bool(inserted.rowcount)


async def end_pause(connection: AsyncConnection, task: TaskRecord, cause: PauseCause, *, at: datetime) -> bool:
    """Let the clock of a task run again; False when it did not stand for this cause."""
    ended = await connection.execute(
        update(ClockIntervalRow)
        .where(
            ClockIntervalRow.task_id == task.id,
            ClockIntervalRow.cause == cause.value,
            ClockIntervalRow.order_id.is_(None),
            ClockIntervalRow.to_at.is_(None),
        )
        .values(to_at=at),
    )
    return bool(ended.rowcount)


async def end_pauses(connection: AsyncConnection, task: TaskRecord, *, at: datetime) -> list[PauseCause]:
    """Let the clock of a task run again, whatever it stood or would have stood for; the causes for which it stood."""
    ended = await connection.execute(_END_PAUSES, {"of_task": task.id, "at": at})
    return [PauseCause(row.cause) for row in ended if row.from_at <= at]


async def notify(
    connection: AsyncConnection,
    subject: str,
    *,
    update_id: UUID,
    task_id: UUID | None,
    area_code: str,
    at: datetime,
    roles: Iterable[Role] = (),
    user_ids: Iterable[UUID] = (),
) -> None:
    """Tell roles over the area, and persons, about a case; `subject` is a stable code."""
    shared = {
        "update_id": update_id,
        "task_id": task_id,
        "area_code": area_code,
        "subject": subject,
        "created_at": at,
    }
    rows = [{"id": new_id(), "to_role": role.value, "to_user_id": None, **shared} for role in roles] + [
        {"id": new_id(), "to_role": None, "to_user_id": user_id, **shared} for user_id in user_ids
    ]
    if rows:
        await connection.execute(insert(Notification), rows)
