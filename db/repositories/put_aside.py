"""The task of a case that is put aside while somebody looks in the field: at most one, and it comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Task
from db.repositories.tasks import TASK_COLUMNS, TaskRecord, end_pause, save_task, task_of
from domain.pauses import PauseCause
from domain.vocabulary import EscalationCause

PUT_ASIDE = "put_aside"


async def put_task_aside(connection: AsyncConnection, task: TaskRecord) -> None:
    """The task waits, with its powers and the rungs that have fired; nobody holds it meanwhile."""
    await save_task(connection, task, status=PUT_ASIDE, next_milestone_at=None, claimed_by=None, claimed_at=None)


async def find_put_aside(
    connection: AsyncConnection, update_id: UUID
) -> tuple[TaskRecord, EscalationCause | None] | None:
    """The task that was put aside, and why it stands above the bottom of its ladder if it does."""
    wanted = select(*TASK_COLUMNS, Task.cause).where(Task.update_id == update_id, Task.status == PUT_ASIDE)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else (task_of(row[:-1]), row.cause and EscalationCause(row.cause))


async def drop_put_aside(connection: AsyncConnection, update_id: UUID, *, at: datetime) -> None:
    """What was put aside is no longer asked for: the case went elsewhere while somebody was to look."""
    found = await find_put_aside(connection, update_id)
    if found is None:
        return
    task = replace(found[0], status="cancelled")
    await end_pause(connection, task, PauseCause.GROUND_CHECK, at=at)
    await connection.execute(
        update(Task)
        .where(Task.id == task.id)
        .values(status=task.status, decided_at=at, next_milestone_at=None, version=task.version + 1)
    )
