"""Pauses that people begin and end: each lasts until a moment that is known when it begins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ClockInterval as ClockIntervalRow
from db.repositories.tasks import TaskRecord
from domain.ids import new_id
from domain.pauses import ClockInterval, PauseCause


async def begin_pause_until(connection: AsyncConnection, task: TaskRecord, pause: ClockInterval) -> UUID:
    """Write down that the clock of a task stands for a time; the id of the pause."""
    pause_id = new_id()
    row = {
        "id": pause_id,
        "task_id": task.id,
        "update_id": task.update_id,
        "area_code": task.area_code,
        "from_at": pause.from_,
        "to_at": pause.to,
        "cause": pause.cause.value,
    }
    await connection.execute(insert(ClockIntervalRow).values(row))
    return pause_id


async def cut_pause(connection: AsyncConnection, task_id: UUID, cause: PauseCause, *, at: datetime) -> None:
    """A pause for this cause that would have lasted on ends at the moment `at`."""
    lasting = (ClockIntervalRow.task_id == task_id, ClockIntervalRow.cause == cause.value, ClockIntervalRow.to_at > at)
    await connection.execute(
        update(ClockIntervalRow).where(*lasting).values(to_at=func.greatest(ClockIntervalRow.from_at, at))
    )


async def cut_one_pause(connection: AsyncConnection, pause_id: UUID, *, at: datetime) -> None:
    """This pause, which may be one of several for its cause, ends at the moment `at` if it would have lasted on."""
    lasting = (ClockIntervalRow.id == pause_id, ClockIntervalRow.to_at > at)
    await connection.execute(
        update(ClockIntervalRow).where(*lasting).values(to_at=func.greatest(ClockIntervalRow.from_at, at))
    )
