"""What an act of a person is judged on, read in one statement."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid as UuidType
from sqlalchemy import and_, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditStream, ClockInterval, IdempotencyKey, Task, Update
from db.repositories.cases import CASE_COLUMNS, CaseRecord, Standing, case_of, standing_columns, standing_of
from db.repositories.idempotency import KeyedAct, no_act
from db.repositories.tasks import TASK_COLUMNS, TaskRecord, no_task, task_of
from db.repositories.trail import stream_of_update
from domain.audit import Head


class TaskInView(NamedTuple):
    """A task, its case, and what authority over it is judged on."""

    task: TaskRecord
    case: CaseRecord
    standing: Standing


class Situation(NamedTuple):
    """An act that is to be recorded, and all that its case, locked before, says to it.

    `clock_stands` is false where the clock of the open task has never stood, nor will by what is known; `head` is the
    end of the case's trail.
    """

    keyed: KeyedAct
    task: TaskRecord | None
    standing: Standing
    clock_stands: bool
    head: Head | None


_UPDATE_ID = bindparam("update_id", type_=UuidType())
_TASK_IN_VIEW = (
    select(*TASK_COLUMNS, *CASE_COLUMNS, *standing_columns(Task.update_id, Task.id))
    .join_from(Task, Update, Update.id == Task.update_id)
    .where(Task.id == bindparam("task_id"))
)
_SITUATION = (
    select(
        *TASK_COLUMNS,
        IdempotencyKey.id.label("act_id"),
        IdempotencyKey.actor_id,
        IdempotencyKey.request,
        IdempotencyKey.response,
        IdempotencyKey.origin,
        exists().where(ClockInterval.task_id == Task.id).label("clock_stands"),
        AuditStream.seq.label("head_seq"),
        AuditStream.hash.label("head_hash"),
        *standing_columns(_UPDATE_ID, Task.id),
    )
    .select_from(IdempotencyKey)
    .outerjoin(Task, and_(Task.update_id == _UPDATE_ID, Task.status == "open"))
    .outerjoin(AuditStream, AuditStream.stream == bindparam("stream"))
    .where(IdempotencyKey.id == bindparam("act_id"))
)


async def read_task_in_view(connection: AsyncConnection, task_id: UUID) -> TaskInView:
    """A task within view with its case and its standing. Raises NotFound."""
    row = (await connection.execute(_TASK_IN_VIEW, {"task_id": task_id})).one_or_none()
    if row is None:
        raise no_task(task_id)
    tasks = len(TASK_COLUMNS)
    return TaskInView(task_of(row[:tasks]), case_of(row[tasks : tasks + len(CASE_COLUMNS)]), standing_of(row))


async def read_situation(connection: AsyncConnection, act_id: UUID, *, update_id: UUID) -> Situation:
    """What the act `act_id` on this case is judged on; the case has been locked before. Raises NotFound."""
    wanted = {"act_id": act_id, "update_id": update_id, "stream": stream_of_update(update_id)}
    row = (await connection.execute(_SITUATION, wanted)).one_or_none()
    if row is None:
        raise no_act(act_id)
    return Situation(
        keyed=KeyedAct(row.act_id, row.actor_id, row.request, row.response, row.origin),
        task=None if row.id is None else task_of(row[: len(TASK_COLUMNS)]),
        standing=standing_of(row),
        clock_stands=row.clock_stands,
        head=None if row.head_seq is None else Head(row.head_seq, row.head_hash),
    )
