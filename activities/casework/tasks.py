"""Opening a task: its deadline, its deciders, and the ladder at once when nobody may decide, then or later."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from activities.casework.information import has_asked, leave_questions
from activities.casework.ladder import fire, next_look, rule_of
from activities.casework.rounds import delivery_waits_until, look_at_opening
from activities.casework.waits import leave_wait
from activities.casework.work import Work
from db.repositories.cases import save_case
from db.repositories.clocks import begin_order_pauses
from db.repositories.ground_checks import AskedCheck, add_check, with_touches
from db.repositories.people import find_candidates
from db.repositories.put_aside import drop_put_aside
from db.repositories.tasks import (
    TaskRecord,
    closed_task,
    end_pauses,
    fired_rungs,
    opened_task,
    read_grants,
    read_votes,
    save_task,
)
from db.repositories.trail import SYSTEM
from domain.audit import AuditType
from domain.authority import Grant, Involvement, granted
from domain.deadlines import Deadline
from domain.durations import Duration
from domain.ids import new_id
from domain.ladder import next_escalation
from domain.openings import first_clock, opening_deadline
from domain.policy import Power, StageRule
from domain.quorum import somebody_left
from domain.vocabulary import CONFLICT_STAGES, EscalationCause, ReasonCode, Stage


async def open_task(
    work: Work, stage: Stage, *, reason: ReasonCode | None = None, asked: AskedCheck | None = None
) -> TaskRecord:
    """Open the task of a stage and see to it that somebody may decide it.

    `reason` is why the case was returned, `asked` why somebody is to look in the field.
    """
    rule = rule_of(work, stage)
    clock = first_clock(work.policy, rule, reason)
    deadline = await deadline_of(work, rule, clock, begins=await delivery_waits_until(work))
    task = TaskRecord(
        id=new_id(),
        update_id=work.case.id,
        area_code=work.case.area_code,
        stage=stage,
        revision=work.case.revision,
        status="open",
        opened_at=work.at,
        due_at=deadline.due_at,
        deadline=deadline,
        next_milestone_at=await look_at_opening(work, await next_look(work, rule, deadline, fired=())),
        digests_sent=0,
        level=0,
        claimed_by=None,
        decided_by=None,
        decided_at=None,
        outcome=None,
        version=1,
        clock_job=(await work.clocks()).job,
    )
    grants = [Grant(role=role, power=Power.DECIDE) for role in rule.deciders]
    work.keep(*opened_task(task, grants))
    if deadline.pauses:
        await work.write_kept()
    await begin_order_pauses(work.connection, task, deadline.pauses)
    if asked is not None:
        await _keep_check(work, task, asked)
    work.note(
        AuditType.TASK_OPENED,
        status=work.case.status,
        task=str(task.id),
        stage=stage.value,
        due_at=deadline.due_at.isoformat(),
        deciders=sorted(rule.deciders),
    )
    if not rule.deciders:
        return task
    if stage in CONFLICT_STAGES:
        return await _call_in(work, task, rule, grants)
    return await _find_decider(work, task, rule, grants, fired=set())


async def _keep_check(work: Work, task: TaskRecord, asked: AskedCheck) -> None:
    """Write down why somebody looks, before it is asked who may: whoever acts at this moment has touched the case."""
    doers = [entry.by for entry in work.entries]
    if asked.by is not None:
        doers.append(asked.by)
    present = {who for doer in doers for who in (doer.user_id, doer.on_behalf_of) if who is not None}
    await work.write_kept()
    await add_check(work.connection, task, asked, earlier=work.case.earlier, present=present, vault=work.vault)
    by = SYSTEM if asked.by is None else asked.by
    why = None if asked.order is None else asked.order.reason.value
    told: dict[str, Any] = {
        "task": str(task.id),
        "gates": asked.gates.value,
        "triggers": sorted(asked.triggers),
        "reason": why,
    }
    work.note(AuditType.UPDATE_GROUND_CHECK_ASKED, by=by, **told)
    await work.tell("ground_check", task=task, roles=rule_of(work, task.stage).deciders)


async def _call_in(work: Work, task: TaskRecord, rule: StageRule, grants: list[Grant]) -> TaskRecord:
    """A conflict has left the hands of its two offices: the first rung, to who decides it, fires as it opens."""
    rung, cause = rule.ladder[0], EscalationCause.AUTHORITY_CONFLICT
    level = await fire(work, task, rung, index=0, level=0, cause=cause, due_at=work.at)
    called = await _climbed(work, task, rule, fired={0}, level=level, cause=cause)
    return await _find_decider(work, called, rule, [*grants, *granted(rung)], fired={0})


async def deadline_of(work: Work, rule: StageRule, duration: Duration, *, begins: datetime | None = None) -> Deadline:
    """A deadline that starts now, or when it `begins`: with the credit of remote villages and what orders do to it."""
    facts = await work.desk.rules.area(work.connection, work.case.area_code)
    clocks = await work.clocks()
    return opening_deadline(
        rule,
        duration,
        remote_days=work.policy.remoteness_credit(facts.remoteness),
        orders=clocks.orders,
        calendar=clocks.calendar,
        at=work.at,
        begins=begins,
    )


async def close_task(work: Work, task: TaskRecord, *, status: str = "decided", **answer: object) -> None:
    """The work is done, or no longer asked for: at this moment, and its clock stands no longer."""
    await leave_wait(work, task)
    await leave_questions(work, task)
    if task.stage is Stage.GROUND_CHECK and status == "cancelled":
        await drop_put_aside(work.connection, task.update_id, at=work.at)
    if not work.clock_runs:
        for cause in await end_pauses(work.connection, task, at=work.at):
            work.note(AuditType.TASK_CLOCK_RESUMED, task=str(task.id), cause=cause.value)
    work.keep(closed_task(task, status=status, decided_at=work.at, next_milestone_at=None, **answer))


async def seek_decider(work: Work, task: TaskRecord) -> TaskRecord:
    """Climb on from where an open task stands when nobody may decide it any more; else the task as it is.

    Who could decide may have left, gone on leave or been disabled since the task was opened.
    """
    rule = rule_of(work, task.stage)
    if not rule.deciders:
        return task
    fired = set(await fired_rungs(work.connection, task.id))
    found = await _find_decider(work, task, rule, await read_grants(work.connection, task.id), fired=fired)
    if found is not task:
        cause = EscalationCause.NO_ELIGIBLE_DECIDER
        await save_case(work.connection, work.case, work.position, level=found.level, cause=cause)
        work.case = replace(work.case, level=found.level, cause=cause, version=work.case.version + 1)
    return found


async def wait_for_others(work: Work, task: TaskRecord) -> TaskRecord:
    """Somebody has agreed and others have to: the task is free again, and climbs where too few of them are left."""
    await work.write_kept()
    await save_task(work.connection, task, claimed_by=None, claimed_at=None)
    freed = replace(task, claimed_by=None, version=task.version + 1)
    await save_case(work.connection, work.case, work.position)
    work.case = replace(work.case, version=work.case.version + 1)
    return await seek_decider(work, freed)


async def climb_by_hand(work: Work, task: TaskRecord) -> TaskRecord:
    """Fire the next rung that gives somebody authority, and further ones while nobody may decide.

    The caller has seen to it that there is one.
    """
    rule = rule_of(work, task.stage)
    fired = set(await fired_rungs(work.connection, task.id))
    index = next_escalation(rule.ladder, fired=fired)
    if index is None:
        raise RuntimeError("a ladder that had a next rung has none")
    cause = EscalationCause.MANUAL
    level = await fire(work, task, rule.ladder[index], index=index, level=task.level, cause=cause, due_at=work.at)
    risen = await _climbed(work, task, rule, fired={*fired, index}, level=level, cause=cause)
    await save_case(work.connection, work.case, work.position, level=level, cause=cause)
    work.case = replace(work.case, level=level, cause=cause, version=work.case.version + 1)
    return await seek_decider(work, risen)


async def _find_decider(
    work: Work,
    task: TaskRecord,
    rule: StageRule,
    grants: list[Grant],
    *,
    fired: set[int],
) -> TaskRecord:
    """Climb the ladder at once, rung by rung, until somebody may decide; past the last one it holds."""
    involved = [] if rule.stage is Stage.REPAIR else await work.involvements()
    involved = await with_touches(work.connection, involved, task_id=task.id, stage=task.stage)
    before, level, cause = len(fired), task.level, EscalationCause.NO_ELIGIBLE_DECIDER
    while not await _somebody(work, task, rule, grants, involved):
        index = next_escalation(rule.ladder, fired=fired)
        if index is None:
            break
        rung = rule.ladder[index]
        level = await fire(work, task, rung, index=index, level=level, cause=cause, due_at=work.at)
        grants = [*grants, *granted(rung)]
        fired.add(index)
    return task if len(fired) == before else await _climbed(work, task, rule, fired=fired, level=level, cause=cause)


async def _somebody(
    work: Work,
    task: TaskRecord,
    rule: StageRule,
    grants: list[Grant],
    involved: list[Involvement],
) -> bool:
    roles = {grant.role for grant in grants if grant.power is Power.DECIDE}
    candidates = await find_candidates(work.connection, roles=roles, area_code=work.case.area_code, at=work.at)
    votes = () if rule.quorum == "any" else await read_votes(work.connection, task.id)
    return somebody_left(rule, candidates, grants=grants, involvements=involved, votes=votes)


async def _climbed(
    work: Work,
    task: TaskRecord,
    rule: StageRule,
    *,
    fired: set[int],
    level: int,
    cause: EscalationCause,
) -> TaskRecord:
    upcoming = await next_look(work, rule, task.deadline, fired=fired)
    if has_asked(task) and task.next_milestone_at is not None:
        upcoming = min(upcoming, task.next_milestone_at)
    changed = replace(task, level=level, next_milestone_at=upcoming, version=task.version + 1)
    await save_task(work.connection, task, level=level, cause=cause, next_milestone_at=upcoming)
    return changed
