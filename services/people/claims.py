"""Tasks that somebody has claimed who leaves: free again, or in the hands of another who may decide them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Task
from db.repositories import trail
from db.repositories.cases import lock_case, read_standing, touch_case
from db.repositories.tasks import TaskRecord, notify, read_task, save_task
from db.repositories.trail import Doer, Entry, stream_of_update
from domain.audit import AuditType
from domain.authority import Actor
from domain.errors import DomainError
from domain.supervision import working_seat
from services.queries.scope import within


class TaskMoved(BaseModel):
    """What became of a claimed task; `because` is why it was not handed over."""

    task_id: UUID
    update_id: UUID
    handed_to: UUID | None
    because: str | None = None


async def release_claims(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    area_code: str,
    by: Doer,
    at: datetime,
    to: Actor | None = None,
    unless_held_by: Actor | None = None,
) -> list[TaskMoved]:
    """Take every open task of an area from whoever claimed it; `to` has those that they may decide.

    `unless_held_by` is the claimer with the seats that are left to them: what they may still decide stays theirs.
    Cases are locked in the order of their ids, as every act on one locks it first.
    """
    claimed = select(Task.id, Task.update_id).where(
        Task.claimed_by == user_id, Task.status == "open", within(Task.area_code, (area_code,))
    )
    rows: Sequence[Row[*tuple[Any, ...]]] = (await connection.execute(claimed.order_by(Task.update_id))).all()
    moved = [
        await _move(connection, row.update_id, row.id, user_id, to=to, unless_held_by=unless_held_by, by=by, at=at)
        for row in rows
    ]
    return [task for task in moved if task is not None]


async def _move(
    connection: AsyncConnection,
    update_id: UUID,
    task_id: UUID,
    holder: UUID,
    *,
    to: Actor | None,
    unless_held_by: Actor | None,
    by: Doer,
    at: datetime,
) -> TaskMoved | None:
    await lock_case(connection, update_id)
    task = await read_task(connection, task_id)
    if not task.open or task.claimed_by != holder:
        return None
    if unless_held_by is not None and await _refusal(connection, unless_held_by, task) is None:
        return None
    because = None if to is None else await _refusal(connection, to, task)
    new = None if to is None or because is not None else to.user_id
    await save_task(connection, task, claimed_by=new, claimed_at=None if new is None else at)
    data: dict[str, JsonValue] = {"task": str(task.id), "stage": task.stage.value, "holder": str(holder)}
    if new is not None:
        data["to"] = str(new)
        await _tell(connection, task, new, at=at)
    kind = AuditType.TASK_RELEASED if new is None else AuditType.TASK_REASSIGNED
    await touch_case(connection, update_id)
    entry = Entry(type=kind, by=by, data=data)
    await trail.record(connection, stream_of_update(update_id), [entry], at=at, area_code=task.area_code)
    return TaskMoved(task_id=task.id, update_id=update_id, handed_to=new, because=because)


async def _refusal(connection: AsyncConnection, to: Actor, task: TaskRecord) -> str | None:
    """Why `to` may not work on the task: the code of the refusal; None when they may."""
    try:
        standing = await read_standing(connection, task.update_id, task_id=task.id)
        working_seat(
            to,
            area_code=task.area_code,
            stage=task.stage,
            grants=standing.grants,
            involvements=standing.involvements,
        )
    except DomainError as refusal:
        return refusal.code
    return None


async def _tell(connection: AsyncConnection, task: TaskRecord, user_id: UUID, *, at: datetime) -> None:
    await notify(
        connection,
        "handed_over",
        update_id=task.update_id,
        task_id=task.id,
        area_code=task.area_code,
        at=at,
        user_ids=[user_id],
    )
