"""Questions to other offices, as their time passes: reminded, escalated, past the stage's patience, left behind.

They are looked at at the milestones of their task. A task that nobody has asked anything of asks nothing of the
database: that it stands or stood for an answer is in its deadline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from activities.casework.work import Work
from db.repositories.information import RequestRecord, open_requests, save_request
from db.repositories.tasks import TaskRecord, save_task
from domain.audit import AuditType
from domain.deadlines import Deadline, compute_deadline
from domain.information import RequestState
from domain.ladder import rung_times
from domain.pauses import PauseCause
from domain.policy import InformationRule, Rung, RungAction
from domain.vocabulary import Role


@dataclass(frozen=True, slots=True)
class _Asked:
    """An open question with its deadline and rungs by what is known now."""

    request: RequestRecord
    deadline: Deadline
    times: tuple[datetime, ...]

    @property
    def next_at(self) -> datetime | None:
        """When its next rung is due; None past the last one."""
        return self.times[self.request.rungs_fired] if self.request.rungs_fired < len(self.times) else None


def has_asked(task: TaskRecord) -> bool:
    """Whether another office was ever asked something while this task was open."""
    return any(pause.cause is PauseCause.INFORMATION_REQUESTED for pause in task.deadline.pauses)


async def next_question_at(work: Work, task: TaskRecord) -> datetime | None:
    """When the next rung of a question of the task is due, if it has one."""
    asked = await _asked(work, task)
    return min((each.next_at for each in asked if each.next_at is not None), default=None)


async def see_to_questions(work: Work, task: TaskRecord) -> TaskRecord:
    """Fire what is due on the questions of a task, each rung once; the task with the next moment to look again."""
    rule = work.policy.information
    asked = await _asked(work, task)
    if rule is None or not asked:
        return task
    seen = [await _see_to(work, task, rule, each) for each in asked]
    upcoming = min((each.next_at for each in seen if each.next_at is not None), default=None)
    looked = task.next_milestone_at
    if upcoming is None or (looked is not None and looked <= upcoming):
        return task
    await save_task(work.connection, task, next_milestone_at=upcoming)
    return replace(task, next_milestone_at=upcoming)


async def leave_questions(work: Work, task: TaskRecord) -> None:
    """The task is done, or no longer asked for: nobody waits for an answer."""
    if not has_asked(task):
        return
    for request in await open_requests(work.connection, task.id):
        await save_request(work.connection, request.id, state=RequestState.MOVED_ON.value, ended_at=work.at)
        _note(work, request, AuditType.UPDATE_INFORMATION_DROPPED)


async def _asked(work: Work, task: TaskRecord) -> list[_Asked]:
    """The open questions of the task; an order over the area stops their clocks as it stops the stage's."""
    rule = work.policy.information
    if rule is None or not has_asked(task):
        return []
    calendar = await work.calendar()
    ordered = [pause for pause in task.deadline.pauses if pause.order is not None]
    found: list[_Asked] = []
    for request in await open_requests(work.connection, task.id):
        deadline = compute_deadline(
            request.asked_at, duration=rule.deadline, calendar=calendar, pauses=ordered, now=work.at
        )
        found.append(_Asked(request, deadline, rung_times(rule.ladder, deadline, calendar=calendar)))
    return found


async def _see_to(work: Work, task: TaskRecord, rule: InformationRule, asked: _Asked) -> _Asked:
    request, fired = asked.request, asked.request.rungs_fired
    while fired < len(asked.times) and asked.times[fired] <= work.at:
        await _fire(work, task, request, rule.ladder[fired], index=fired)
        fired += 1
    changes: dict[str, object] = {}
    if fired != request.rungs_fired:
        changes["rungs_fired"] = fired
    if asked.deadline != request.deadline:
        changes |= {"due_at": asked.deadline.due_at, "deadline": asked.deadline.model_dump(mode="json")}
    if request.resumed_at is None and request.stands_until <= work.at:
        changes["resumed_at"] = work.at
        _note(work, request, AuditType.UPDATE_INFORMATION_UNANSWERED)
        await work.tell("information_unanswered", task=task, user_ids=_holders(task, request))
    if changes:
        await save_request(work.connection, request.id, **changes)
    return replace(asked, request=replace(request, rungs_fired=fired))


async def _fire(work: Work, task: TaskRecord, request: RequestRecord, rung: Rung, *, index: int) -> None:
    """A rung tells: who holds the question are its asker and, where it has accounts, the office that was asked."""
    of_peers = () if request.office_id is None else (Role.PEER_OFFICER,)
    to = () if rung.to == "holder" else (Role(rung.to),)
    match rung.action:
        case RungAction.REMIND:
            what, subject = AuditType.UPDATE_INFORMATION_REMINDED, "information_reminder"
        case RungAction.ESCALATE:
            what, subject = AuditType.UPDATE_INFORMATION_ESCALATED, "information_escalation"
    _note(work, request, what, rung=index, to=rung.to)
    roles = dict.fromkeys((*to, *rung.notify, *of_peers))
    await work.tell(subject, task=task, roles=roles, user_ids=_holders(task, request))


def _holders(task: TaskRecord, request: RequestRecord) -> list[UUID]:
    return sorted({request.asked_by, *(() if task.claimed_by is None else (task.claimed_by,))})


def _note(work: Work, request: RequestRecord, what: AuditType, **data: Any) -> None:
    facts: dict[str, Any] = {"task": str(request.task_id), "request": str(request.id), "office": request.office.value}
    work.note(what, **facts, **data)
