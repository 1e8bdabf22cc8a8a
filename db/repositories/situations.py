"""What a step of a case, or an act of a person, is judged on: read in one statement once the case is locked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid as UuidType
from sqlalchemy import and_, bindparam, exists, func, null, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditStream, ClockInterval, IdempotencyKey, Task, Update
from db.repositories.cases import CASE_COLUMNS, CaseRecord, Standing, case_of, no_case, standing_columns, standing_of
from db.repositories.idempotency import KeyedAct, no_act
from db.repositories.people import SeatRow
from db.repositories.tasks import TASK_COLUMNS, TaskRecord, no_task, task_of
from db.repositories.trail import HEAD_COLUMNS, head_of, stream_of_update
from domain.audit import Head


class TaskInView(NamedTuple):
    """A task, its case, and what authority over it is judged on."""

    task: TaskRecord
    case: CaseRecord
    standing: Standing


class Situation(NamedTuple):
    """An act that is to be recorded, by whom, and all that its case, locked before, says to it.

    `seats` are those of the person, none where the account is gone or disabled. `clock_stands` is false where the clock
    of the open task has never stood, nor will by what is known; `head` is the end of the case's trail.
    """

    keyed: KeyedAct
    seats: list[SeatRow]
    case: CaseRecord
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
_READ_WITH_HEAD = (
    select(*CASE_COLUMNS, *HEAD_COLUMNS)
    .outerjoin(AuditStream, AuditStream.stream == bindparam("stream"))
    .where(Update.id == bindparam("update_id"))
)
_SEAT = func.kawal_seats(IdempotencyKey.actor_id, bindparam("at"), null()).alias("seat").column
_SEATS_OF_ACTOR = type_coerce(func.jsonb_agg(func.to_jsonb(_SEAT)), JSONB)
_SITUATION = (
    select(
        *TASK_COLUMNS,
        *CASE_COLUMNS,
        Task.id.is_not(None).label("has_task"),
        select(_SEATS_OF_ACTOR).scalar_subquery().label("seats"),
        IdempotencyKey.id.label("act_id"),
        IdempotencyKey.actor_id,
        IdempotencyKey.request,
        IdempotencyKey.response,
        IdempotencyKey.origin,
        exists().where(ClockInterval.task_id == Task.id).label("clock_stands"),
        *HEAD_COLUMNS,
        *standing_columns(_UPDATE_ID, Task.id),
    )
    .select_from(IdempotencyKey)
    .join(Update, Update.id == _UPDATE_ID)
    .outerjoin(Task, and_(Task.update_id == _UPDATE_ID, Task.status == "open"))
    .outerjoin(AuditStream, AuditStream.stream == bindparam("stream"))
    .where(IdempotencyKey.id == bindparam("act_id"))
)


def locking_case(update_id: UUID) -> str:
    """What locks the case as `lock_case` does, as the opening of a transaction."""
    return f"SELECT FROM updates WHERE id = '{update_id}' FOR UPDATE"


async def read_case_with_head(connection: AsyncConnection, update_id: UUID) -> tuple[CaseRecord, Head | None]:
    """The case, and the end of its trail where it has one. Raises NotFound."""
    wanted = {"update_id": update_id, "stream": stream_of_update(update_id)}
    row = (await connection.execute(_READ_WITH_HEAD, wanted)).one_or_none()
    if row is None:
        raise no_case(update_id)
    return case_of(row[: len(CASE_COLUMNS)]), head_of(row)


async def read_task_in_view(connection: AsyncConnection, task_id: UUID) -> TaskInView:
    """A task within view with its case and its standing. Raises NotFound."""
    row = (await connection.execute(_TASK_IN_VIEW, {"task_id": task_id})).one_or_none()
    if row is None:
        raise no_task(task_id)
    tasks = len(TASK_COLUMNS)
    return TaskInView(task_of(row[:tasks]), case_of(row[tasks : tasks + len(CASE_COLUMNS)]), standing_of(row))


async def read_situation(connection: AsyncConnection, act_id: UUID, *, update_id: UUID, at: datetime) -> Situation:
    """What the act `act_id` on this case, locked before, is judged on by who its actor is `at`. Raises NotFound."""
    wanted = {"act_id": act_id, "update_id": update_id, "stream": stream_of_update(update_id), "at": at}
    row = (await connection.execute(_SITUATION, wanted)).one_or_none()
    if row is None:
        raise no_act(act_id)
    task, case = len(TASK_COLUMNS), len(TASK_COLUMNS) + len(CASE_COLUMNS)
    return Situation(
        keyed=KeyedAct(row.act_id, row.actor_id, row.request, row.response, row.origin),
        seats=[SeatRow.of(seat) for seat in row.seats or ()],
        case=case_of(row[task:case]),
        task=task_of(row[:task]) if row.has_task else None,
        standing=standing_of(row),
        clock_stands=row.clock_stands,
        head=head_of(row),
    )
