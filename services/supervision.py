"""What a supervisor does about an open task without deciding it: give it to somebody else, or more time.

No decision, and no engine needed: a later deadline is found by the workflow when it wakes at the former one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.cases import CaseRecord, Standing, lock_case, read_case, read_standing, touch_case
from db.repositories.ground_checks import with_touches
from db.repositories.people import find_candidates, read_actor, read_names
from db.repositories.tasks import TaskRecord, fired_rungs, notify, read_pauses, read_task, save_task
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission, Seat, eligible_deciders
from domain.deadlines import Deadline
from domain.errors import DomainError, InvalidInput, Unauthenticated, Violation
from domain.ladder import next_look_at, stage_rule
from domain.pauses import PauseCause
from domain.policy import Policy, Power, StageRule
from domain.supervision import (
    ExtensionInput,
    ReassignmentInput,
    extended,
    managing_seat,
    reckoned_anew,
    working_seat,
)
from domain.vocabulary import Role, Stage
from services.acts import require_open
from services.kawal import Kawal
from services.keyed import Call
from services.queries.view import PersonRef
from services.versions import require_version


class Assignable(PersonRef):
    """Somebody whom the task can be given to."""

    role: Role


@dataclass(frozen=True, slots=True)
class Managed:
    """An open task under the lock of its case, and the seat in which the actor manages it."""

    case: CaseRecord
    task: TaskRecord
    policy: Policy
    rule: StageRule
    standing: Standing
    seat: Seat


@dataclass(frozen=True, slots=True)
class Ordered:
    """The task after an order, in its version now."""

    task_id: UUID
    update_id: UUID
    version: int
    holder: UUID | None
    deadline: Deadline


async def reassign(kawal: Kawal, call: Call, task_id: UUID, order: ReassignmentInput) -> Ordered:
    """Give the task to somebody who may decide it. Giving it to who holds it already changes nothing.

    Raises NotFound outside the actor's areas, TaskAlreadyDecided, Forbidden for who does not manage it, StaleVersion,
    and InvalidInput for a person who may not do the work, saying why.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        held = await _manage(kawal, connection, call, task_id)
        task = held.task
        if task.claimed_by == order.to:
            return _ordered(task)
        require_version(call.holds, task.version)
        await _check_assignee(connection, held, order.to, at=call.at)
        await save_task(connection, task, claimed_by=order.to, claimed_at=call.at)
        former = task.claimed_by and str(task.claimed_by)
        await _note(connection, call, held, AuditType.TASK_REASSIGNED, holder=former, to=str(order.to))
        await _tell(connection, task, "handed_over", [order.to], at=call.at)
        return Ordered(task.id, task.update_id, task.version + 1, order.to, task.deadline)


async def extend(kawal: Kawal, call: Call, task_id: UUID, order: ExtensionInput) -> Ordered:
    """Move the deadline of the task, within the limit of the policy.

    Raises as `reassign` does, and NotPossibleNow once it has been extended as often as may be.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        held = await _manage(kawal, connection, call, task_id)
        task = held.task
        require_version(call.holds, task.version)
        credits_now = extended(task.deadline, order, limit=held.policy.extension_limit)
        deadline, next_rung_at = reckoned_anew(
            task.deadline,
            rule=held.rule,
            calendar=await kawal.rules.calendar(connection, task.area_code),
            pauses=await read_pauses(connection, task.id),
            fired=await fired_rungs(connection, task.id),
            now=call.at,
            credits=credits_now,
        )
        await save_task(
            connection,
            task,
            due_at=deadline.due_at,
            deadline=deadline.model_dump(mode="json"),
            next_milestone_at=_look(task, next_rung_at or task.next_milestone_at, deadline, at=call.at),
        )
        told: dict[str, JsonValue] = {
            "working_days": order.working_days,
            "reason": order.reason.value,
            "due_at": deadline.due_at.isoformat(),
            "was_due_at": task.due_at.isoformat(),
        }
        await _note(connection, call, held, AuditType.TASK_EXTENDED, **told)
        if task.claimed_by is not None:
            await _tell(connection, task, "extended", [task.claimed_by], at=call.at)
        return Ordered(task.id, task.update_id, task.version + 1, task.claimed_by, deadline)


def _look(task: TaskRecord, upcoming: datetime | None, deadline: Deadline, *, at: datetime) -> datetime | None:
    """Never later than now while another office is asked: its ladder is climbed at the milestones of the task."""
    if upcoming is None:
        return None
    look = next_look_at(upcoming, deadline.pauses, at=at)
    asked = any(pause.cause is PauseCause.INFORMATION_REQUESTED for pause in deadline.pauses)
    return min(look, task.next_milestone_at or look) if asked else look


async def list_assignable(kawal: Kawal, actor: Actor, task_id: UUID) -> tuple[Assignable, ...]:
    """Whom the open task can be given to, by name. Raises NotFound, and Forbidden for who does not manage it."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        task = await read_task(connection, task_id)
        require_open(task)
        held = await _managed(kawal, connection, actor, await read_case(connection, task.update_id), task)
        roles = {grant.role for grant in held.standing.grants if grant.power is Power.DECIDE}
        candidates = await find_candidates(connection, roles=roles, area_code=task.area_code, at=kawal.now())
        fit = eligible_deciders(
            candidates,
            stage=task.stage,
            grants=held.standing.grants,
            involvements=() if task.stage is Stage.REPAIR else held.standing.involvements,
        )
        names = await read_names(connection, fit)
    by_id = {candidate.user_id: candidate.role for candidate in candidates if candidate.user_id in fit}
    people = (Assignable(id=user_id, name=names[user_id], role=role) for user_id, role in by_id.items())
    return tuple(sorted(people, key=lambda person: (person.name, person.id)))


async def _manage(kawal: Kawal, connection: AsyncConnection, call: Call, task_id: UUID) -> Managed:
    """The task as it is under the lock of its case, which every act takes first; raises when it is not open."""
    seen = await read_task(connection, task_id)
    case = await lock_case(connection, seen.update_id)
    task = await read_task(connection, task_id)
    managed = await _managed(kawal, connection, call.actor, case, task)
    require_open(task)
    return managed


async def _managed(
    kawal: Kawal,
    connection: AsyncConnection,
    actor: Actor,
    case: CaseRecord,
    task: TaskRecord,
) -> Managed:
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    rule = stage_rule(policy, task.stage, settled=case.settled, contested=case.contested)
    standing = await read_standing(connection, case.id, task_id=task.id)
    parts = await with_touches(connection, standing.involvements, task_id=task.id, stage=task.stage)
    standing = standing._replace(involvements=parts)
    actor.seat_for(Permission.TASKS_WORK, area_code=task.area_code)
    seat = managing_seat(actor, area_code=task.area_code, rule=rule, grants=standing.grants)
    return Managed(case, task, policy, rule, standing, seat)


async def _check_assignee(connection: AsyncConnection, held: Managed, user_id: UUID, *, at: datetime) -> None:
    try:
        assignee = await read_actor(connection, user_id, at=at)
        working_seat(
            assignee,
            area_code=held.task.area_code,
            stage=held.task.stage,
            grants=held.standing.grants,
            involvements=held.standing.involvements,
        )
    except Unauthenticated:
        raise InvalidInput([_unsuitable("assignee_unknown", "There is no active account of this id.")]) from None
    except DomainError as refusal:
        detail = f"They may not do this work: {refusal.detail}"
        raise InvalidInput([_unsuitable("assignee_unsuitable", detail)]) from None


def _unsuitable(code: str, detail: str) -> Violation:
    return Violation(
        pointer="/to",
        code=code,
        detail=detail,
        remedy="Choose one of `GET /v1/tasks/{id}/assignable`.",
    )


async def _note(connection: AsyncConnection, call: Call, held: Managed, what: AuditType, **data: JsonValue) -> None:
    task = held.task
    told: dict[str, JsonValue] = {"task": str(task.id), "stage": task.stage.value, **data}
    entry = Entry(type=what, by=Doer.of(call.actor, held.seat), data=told)
    await touch_case(connection, task.update_id)
    stream = stream_of_update(task.update_id)
    await trail.record(connection, stream, [entry], at=call.at, area_code=task.area_code)


async def _tell(
    connection: AsyncConnection,
    task: TaskRecord,
    subject: str,
    user_ids: list[UUID],
    *,
    at: datetime,
) -> None:
    await notify(
        connection,
        subject,
        update_id=task.update_id,
        task_id=task.id,
        area_code=task.area_code,
        at=at,
        user_ids=user_ids,
    )


def _ordered(task: TaskRecord) -> Ordered:
    return Ordered(task.id, task.update_id, task.version, task.claimed_by, task.deadline)
