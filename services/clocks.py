"""The clock of a task that people stop and let run again: reckoned anew, and looked at in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.outbox import tell_deadline_moved
from db.repositories.tasks import TaskRecord, fired_rungs, save_task
from domain.ladder import next_look_at
from domain.pauses import ClockInterval
from domain.policy import StageRule
from domain.supervision import reckoned_anew
from services.kawal import Kawal


async def save_reckoned(
    kawal: Kawal,
    connection: AsyncConnection,
    task: TaskRecord,
    rule: StageRule,
    pauses: Sequence[ClockInterval],
    *,
    at: datetime,
    also: datetime | None = None,
) -> TaskRecord:
    """The task as it is once its pauses are these; the case is locked. The engine is told of an earlier look.

    `also` is a further moment at which something is to be done.
    """
    deadline, next_rung_at = reckoned_anew(
        task.deadline,
        rule=rule,
        calendar=await kawal.rules.calendar(connection, task.area_code),
        pauses=pauses,
        fired=await fired_rungs(connection, task.id),
        now=at,
    )
    upcoming = next_rung_at or task.next_milestone_at
    look = None if upcoming is None else next_look_at(upcoming, deadline.pauses, at=at)
    look = min((moment for moment in (look, also) if moment is not None), default=None)
    await save_task(
        connection,
        task,
        due_at=deadline.due_at,
        deadline=deadline.model_dump(mode="json"),
        next_milestone_at=look,
    )
    if look is not None and task.next_milestone_at is not None and look < task.next_milestone_at:
        await tell_deadline_moved(connection, task.update_id, task_id=task.id, at=at)
    return replace(task, due_at=deadline.due_at, deadline=deadline, next_milestone_at=look, version=task.version + 1)
