"""The task of an officer who has somebody look in the field first: put aside, and taken up with what was left of it."""

from __future__ import annotations

from dataclasses import replace

from activities.casework.clocks import keep_orders, reckon
from activities.casework.information import leave_questions
from activities.casework.ladder import next_look, rule_of
from activities.casework.tasks import seek_decider
from activities.casework.work import Work
from db.repositories.cases import save_case
from db.repositories.pauses import cut_pause
from db.repositories.put_aside import find_put_aside, put_task_aside
from db.repositories.tasks import TaskRecord, begin_pause, end_pause, fired_rungs, save_task
from domain.audit import AuditType
from domain.lifecycle import Position
from domain.pauses import PauseCause

_CAUSE = PauseCause.GROUND_CHECK


async def put_aside(work: Work, task: TaskRecord) -> None:
    """The clock of the task stands from now on; what it had asked of other offices is left behind."""
    await work.write_kept()
    await leave_questions(work, task)
    await cut_pause(work.connection, task.id, PauseCause.INFORMATION_REQUESTED, at=work.at)
    await begin_pause(work.connection, task, _CAUSE, at=work.at)
    await put_task_aside(work.connection, task)
    work.note(AuditType.TASK_CLOCK_PAUSED, task=str(task.id), cause=_CAUSE.value)


async def take_up_again(work: Work, position: Position) -> TaskRecord | None:
    """The task that was put aside is open again, on the rung that it had come to; None where none was.

    The check that it waited for has been closed. Its deadline is by what is known now.
    """
    found = await find_put_aside(work.connection, work.case.id)
    if found is None:
        return None
    before, cause = found
    await work.write_kept()
    work.stand_at(position)
    await end_pause(work.connection, before, _CAUSE, at=work.at)
    rule, fired = rule_of(work, before.stage), await fired_rungs(work.connection, before.id)
    clocks = await work.desk.rules.clocks_now(work.connection, work.case.area_code, at=work.at)
    reckoned = await reckon(work, before, rule, clocks, fired=fired)
    await keep_orders(work, before, reckoned)
    look = await next_look(work, rule, reckoned.task.deadline, fired=fired)
    task = replace(reckoned.task, status="open", next_milestone_at=look, version=before.version + 1)
    await save_task(
        work.connection,
        before,
        status=task.status,
        due_at=task.due_at,
        deadline=task.deadline.model_dump(mode="json"),
        next_milestone_at=look,
        clock_job=task.clock_job,
    )
    work.note(
        AuditType.TASK_CLOCK_RESUMED,
        status=position.status,
        task=str(task.id),
        cause=_CAUSE.value,
        stage=task.stage.value,
        level=task.level,
        level_cause=cause and cause.value,
        due_at=task.due_at.isoformat(),
    )
    await save_case(work.connection, work.case, position, level=task.level, cause=cause, reason=None)
    work.case = replace(work.case, level=task.level, cause=cause, version=work.case.version + 1)
    return await seek_decider(work, task)
