"""A repair that nobody sends in: the applicant is told that the case will lapse, once, and later it does, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from activities.casework.ladder import rule_of
from activities.casework.stages import arrive, step_of
from activities.casework.tasks import close_task
from activities.casework.work import Work
from db.repositories.lapses import NoticeRecord, add_notice, find_notice, mark_lapsed, move_notice, read_reason
from db.repositories.tasks import TaskRecord, fired_rungs, save_task
from domain.audit import AuditType
from domain.contracts import NextStep
from domain.ladder import next_rung_at, rung_times
from domain.lapses import lapses_from, told_from
from domain.lifecycle import Happening, move
from domain.policy import LapseRule, StageRule
from domain.vocabulary import Role, Stage


async def see_to_lapse(work: Work, task: TaskRecord) -> NextStep:
    """Tell that a repair past its last rung will lapse, or let it lapse; else the case stays where it is.

    Neither happens while the clock stands, and the second never without the first and its time.
    """
    rule = work.policy.lapse
    if rule is None or task.stage is not Stage.REPAIR:
        return await step_of(work, task)
    repair, calendar = rule_of(work, task.stage), await work.calendar()
    times = rung_times(repair.ladder, task.deadline, calendar=calendar)
    if next_rung_at(times, fired=await fired_rungs(work.connection, task.id)) is not None:
        return await step_of(work, task)
    pauses = task.deadline.pauses
    due = told_from(rule, times, pauses=pauses, calendar=calendar, now=work.at).due_at
    standing = any(pause.stands_at(work.at) for pause in pauses)
    notice = await find_notice(work.connection, task.id)
    if notice is not None:
        deadline = lapses_from(rule, notice.told_at, pauses=pauses, calendar=calendar, now=work.at)
        due = max(due, deadline.due_at)
        if due <= work.at and not standing:
            return await _lapse(work, task, repair, notice)
        if due != notice.lapses_at:
            await move_notice(work.connection, task.id, lapses_at=due, deadline=deadline)
    elif due <= work.at and not standing:
        due = await _tell(work, task, rule, repair)
    looked = task.next_milestone_at
    if due > work.at and (looked is None or due < looked):
        task = replace(task, next_milestone_at=due)
        await save_task(work.connection, task, next_milestone_at=due)
    return await step_of(work, task)


async def _tell(work: Work, task: TaskRecord, rule: LapseRule, repair: StageRule) -> datetime:
    """The applicant is told by whoever mends in the village, and by the public page of the case; when it lapses."""
    calendar = await work.calendar()
    deadline = lapses_from(rule, work.at, pauses=task.deadline.pauses, calendar=calendar, now=work.at)
    await add_notice(work.connection, task, told_at=work.at, lapses_at=deadline.due_at, deadline=deadline)
    work.note(
        AuditType.UPDATE_LAPSE_TOLD,
        task=str(task.id),
        lapses_at=deadline.due_at.isoformat(),
        last_day=calendar.local_day(deadline.due_at).isoformat(),
    )
    await work.tell("lapse_told", task=task, roles=_concerned(repair), user_ids=[work.case.submitted_by])
    return deadline.due_at


async def _lapse(work: Work, task: TaskRecord, repair: StageRule, notice: NoticeRecord) -> NextStep:
    """Nobody has come back: the case ends, and says that silence ended it."""
    reason = await read_reason(work.connection, work.case.id)
    await mark_lapsed(work.connection, task.id, at=work.at)
    await close_task(work, task, status="cancelled")
    work.note(AuditType.UPDATE_LAPSED, task=str(task.id), decided_by="timeout", told_at=notice.told_at.isoformat())
    roles = (*_concerned(repair), Role.EVALUATOR)
    await work.tell("lapsed", task=task, roles=dict.fromkeys(roles), user_ids=[work.case.submitted_by])
    return await arrive(work, move(work.position, Happening.LAPSED), reason=reason)


def _concerned(repair: StageRule) -> tuple[Role, ...]:
    """Who mends, and everybody to whom the repair has climbed."""
    climbed = (Role(rung.to) for rung in repair.ladder if rung.to != "holder")
    return tuple(dict.fromkeys((*repair.deciders, *climbed)))
