"""Reminders and escalations: each rung once, whatever restarts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from activities.casework.clocks import keep_orders, reckon
from activities.casework.rounds import look_at_opening
from activities.casework.work import Work
from db.repositories.cases import save_case
from db.repositories.tasks import (
    TaskRecord,
    add_escalation,
    add_grants,
    fired_rungs,
    read_grants,
    save_task,
)
from domain.audit import AuditType
from domain.authority import granted
from domain.deadlines import Deadline
from domain.ladder import (
    digest_after,
    due_rungs,
    next_digest_at,
    next_look_at,
    next_milestone_at,
    next_rung_at,
    rung_times,
    spread,
    stage_rule,
)
from domain.policy import Power, Rung, RungAction, StageRule
from domain.vocabulary import EscalationCause, Role, Stage

_SUBJECTS = {EscalationCause.AUTHORITY_CONFLICT: "conflict"}
"""What an escalation is called to those who are told, where it is not that somebody is late."""


def rule_of(work: Work, stage: Stage) -> StageRule:
    """The rule of a stage as it holds for this case."""
    return stage_rule(work.policy, stage, settled=work.case.settled, contested=work.case.contested)


async def pass_milestone(work: Work, task: TaskRecord) -> TaskRecord:
    """Fire every rung that is due, or the digest past the last one; the task with the next moment to look again.

    Due by what is known now: a pause, an order over the area, or a calendar published meanwhile, may have moved the
    deadline either way, also where the job that carries orders to every task has not come to this one.
    """
    rule = rule_of(work, task.stage)
    clocks = await work.desk.rules.clocks_now(work.connection, work.case.area_code, at=work.at)
    fired = set(await fired_rungs(work.connection, task.id))
    reckoned = await reckon(work, task, rule, clocks, fired=fired)
    await keep_orders(work, task, reckoned)
    moved, times, level, cause = reckoned.task, reckoned.times, task.level, None
    for index in due_rungs(times, fired=fired, at=work.at):
        level = await fire(
            work,
            task,
            rule.ladder[index],
            index=index,
            level=level,
            cause=EscalationCause.DEADLINE,
            due_at=times[index],
        )
        fired.add(index)
        cause = EscalationCause.DEADLINE
    upcoming = next_milestone_at(rule, moved.deadline, times, fired=fired)
    if upcoming is None:
        standing = reckoned.stands_at(work.at)
        moved = await _past_the_last_rung(work, task, moved, fired_now=cause is not None, standing=standing)
        upcoming = moved.next_milestone_at
    look = None if upcoming is None else next_look_at(upcoming, reckoned.pauses, at=work.at)
    look = await look_at_opening(work, look)
    moved = replace(moved, level=level, next_milestone_at=look)
    if moved != task:
        await save_clock(work, task, moved, cause=cause)
    return moved


async def is_deemed(work: Work, task: TaskRecord) -> bool:
    """Whether silence decides the task now: the policy says so, the last rung has fired, and a digest would be due."""
    rule = rule_of(work, task.stage)
    due = task.next_milestone_at
    if rule.on_exhausted == "hold" or due is None or due > work.at:
        return False
    clocks = await work.desk.rules.clocks_now(work.connection, work.case.area_code, at=work.at)
    fired = await fired_rungs(work.connection, task.id)
    reckoned = await reckon(work, task, rule, clocks, fired=fired)
    return next_rung_at(reckoned.times, fired=fired) is None and not reckoned.stands_at(work.at)


def has_lapsed(work: Work, task: TaskRecord) -> bool:
    """Whether the case goes on now without whoever was silent; not while the clock stands."""
    return rule_of(work, task.stage).lapses and task.due_at <= work.at and not task.deadline.standing


async def _past_the_last_rung(
    work: Work, before: TaskRecord, task: TaskRecord, *, fired_now: bool, standing: bool
) -> TaskRecord:
    """`task` with its next digest, which is told now if it is due and the clock does not stand."""
    due = before.next_milestone_at
    if due is None or due > work.at:
        return replace(task, next_milestone_at=due)
    digests = task.digests_sent
    if not fired_now and not standing:
        await work.tell("digest", task=task, roles=work.policy.digest_to)
        digests += 1
    upcoming = digest_after(due, every=work.policy.digest_every, calendar=await work.calendar(), now=work.at)
    return replace(task, digests_sent=digests, next_milestone_at=upcoming)


async def save_clock(
    work: Work, before: TaskRecord, after: TaskRecord, *, cause: EscalationCause | None = None
) -> None:
    """Write down when the task is due and to be looked at, and the level that rungs have brought it to."""
    changes: dict[str, object] = {
        "next_milestone_at": after.next_milestone_at,
        "digests_sent": after.digests_sent,
        "clock_job": after.clock_job,
    }
    if after.deadline != before.deadline:
        changes |= {"due_at": after.due_at, "deadline": after.deadline.model_dump(mode="json")}
    if after.level != before.level:
        changes |= {"level": after.level, "cause": cause}
        await save_case(work.connection, work.case, work.position, level=after.level, cause=cause)
    await save_task(work.connection, before, **changes)


async def fire(
    work: Work,
    task: TaskRecord,
    rung: Rung,
    *,
    index: int,
    level: int,
    cause: EscalationCause,
    due_at: datetime,
) -> int:
    """One rung fires: written down, its powers given, everyone concerned told. Answers the level reached."""
    await work.write_kept()  # the task itself, where it has just been opened
    if rung.action is RungAction.ESCALATE:
        level += 1
    await add_escalation(
        work.connection,
        task,
        rung,
        index=index,
        level=level,
        cause=cause,
        due_at=due_at,
        at=work.at,
    )
    match rung.action:
        case RungAction.REMIND:
            await _remind(work, task, rung)
            work.note(AuditType.TASK_REMINDED, task=str(task.id), rung=index, to=rung.to)
        case RungAction.ESCALATE:
            await _escalate(work, task, rung, index=index, subject=_SUBJECTS.get(cause, "escalation"))
            work.note(
                AuditType.TASK_ESCALATED,
                task=str(task.id),
                rung=index,
                to=rung.to,
                level=level,
                cause=cause.value,
                powers=sorted(power.value for power in rung.grants),
            )
    return level


async def _remind(work: Work, task: TaskRecord, rung: Rung) -> None:
    if rung.to != "holder":
        await work.tell("reminder", task=task, roles=(Role(rung.to), *rung.notify))
    elif task.claimed_by is not None:
        await work.tell("reminder", task=task, roles=rung.notify, user_ids=[task.claimed_by])
    else:
        holders = await _deciding_roles(work, task)
        await work.tell("reminder", task=task, roles=(*holders, *rung.notify))


async def _escalate(work: Work, task: TaskRecord, rung: Rung, *, index: int, subject: str) -> None:
    """The former holder keeps the task until somebody decides, and is told like the one who gains authority."""
    holders = await _deciding_roles(work, task)
    receiver = Role(rung.to)
    await add_grants(work.connection, task, granted(rung), rung=index)
    told = dict.fromkeys((receiver, *rung.notify, *holders))
    await work.tell(subject, task=task, roles=told, user_ids=[work.case.submitted_by])


async def _deciding_roles(work: Work, task: TaskRecord) -> list[Role]:
    grants = await read_grants(work.connection, task.id)
    return sorted({grant.role for grant in grants if grant.power is Power.DECIDE})


async def next_look(work: Work, rule: StageRule, deadline: Deadline, *, fired: Collection[int]) -> datetime:
    """When the next rung is due that has not fired, or the next digest past the last one."""
    calendar = await work.calendar()
    times = rung_times(rule.ladder, deadline, calendar=calendar)
    upcoming = next_milestone_at(rule, deadline, times, fired=fired)
    if upcoming is not None:
        return next_look_at(upcoming, deadline.pauses, at=work.at)
    return next_digest_at(work.at, every=work.policy.digest_every, calendar=calendar)


def wake_at(task: TaskRecord) -> datetime | None:
    """When the workflow is to look at the task again, spread so that deadlines of one instant do not collide."""
    if task.next_milestone_at is None:
        return None
    return spread(task.next_milestone_at, task_id=task.id, deadline=task.deadline)
