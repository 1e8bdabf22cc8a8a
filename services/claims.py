"""Claiming a task and giving it back: who works on it, so that two do not. No decision, and no engine needed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.cases import CaseRecord, lock_case, read_standing, touch_case
from db.repositories.ground_checks import with_touches
from db.repositories.people import read_names
from db.repositories.tasks import TaskRecord, read_grants, read_task, save_task
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Seat
from domain.errors import Forbidden, NotPossibleNow
from domain.ladder import stage_rule
from domain.supervision import managing_roles, working_seat
from services.acts import naming, require_open
from services.kawal import Kawal
from services.keyed import Call
from services.versions import require_version


@dataclass(frozen=True, slots=True)
class Held:
    """A task, in its version now, and who has claimed it."""

    task_id: UUID
    update_id: UUID
    version: int
    holder: UUID | None


async def claim(kawal: Kawal, call: Call, task_id: UUID) -> Held:
    """Take a task for oneself. Claiming again what one holds changes nothing.

    Raises NotFound outside the actor's areas, TaskAlreadyDecided, Forbidden and SeparationOfDuties for whoever may
    not decide it, StaleVersion, NotPossibleNow naming the holder when somebody else was first.
    """
    async with naming(kawal, call), kawal.database.transaction(Viewer.of(call.actor)) as connection:
        _, task = await _lock_task(connection, task_id)
        seat = await _working_seat(connection, call.actor, task)
        if task.claimed_by == call.actor.user_id:
            return _held(task)
        require_version(call.holds, task.version)
        if task.claimed_by is not None and not call.actor.holds_for(task.claimed_by, area_code=task.area_code):
            raise await _taken(connection, task.claimed_by)
        await save_task(connection, task, claimed_by=call.actor.user_id, claimed_at=call.at)
        await _note(connection, call, task, AuditType.TASK_CLAIMED, seat=seat)
        return Held(task.id, task.update_id, task.version + 1, call.actor.user_id)


async def release(kawal: Kawal, call: Call, task_id: UUID) -> Held:
    """Give a task back. Releasing what nobody holds changes nothing.

    Raises as `claim` does; Forbidden for whoever neither holds the task nor manages it.
    """
    async with naming(kawal, call), kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case, task = await _lock_task(connection, task_id)
        if task.claimed_by is None:
            return _held(task)
        require_version(call.holds, task.version)
        seat = await _releasing_seat(kawal, connection, call.actor, case, task)
        await save_task(connection, task, claimed_by=None, claimed_at=None)
        await _note(connection, call, task, AuditType.TASK_RELEASED, seat=seat, holder=str(task.claimed_by))
        return Held(task.id, task.update_id, task.version + 1, None)


async def _lock_task(connection: AsyncConnection, task_id: UUID) -> tuple[CaseRecord, TaskRecord]:
    """The case under its lock, which every act takes first, and the task as it is; raises when it is not open."""
    seen = await read_task(connection, task_id)
    case = await lock_case(connection, seen.update_id)
    task = await read_task(connection, task_id)
    require_open(task)
    return case, task


async def _working_seat(connection: AsyncConnection, actor: Actor, task: TaskRecord) -> Seat:
    standing = await read_standing(connection, task.update_id, task_id=task.id)
    return working_seat(
        actor,
        area_code=task.area_code,
        stage=task.stage,
        grants=standing.grants,
        involvements=await with_touches(connection, standing.involvements, task_id=task.id, stage=task.stage),
    )


async def _releasing_seat(
    kawal: Kawal,
    connection: AsyncConnection,
    actor: Actor,
    case: CaseRecord,
    task: TaskRecord,
) -> Seat:
    within = actor.seats_over(task.area_code)
    grants = await read_grants(connection, task.id)
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    rule = stage_rule(policy, task.stage, settled=case.settled, contested=case.contested)
    managers = managing_roles(rule, grants)
    managing = next((seat for seat in within if seat.role in managers and not seat.on_leave), None)
    if managing is not None:
        return managing
    if task.claimed_by is not None and actor.holds_for(task.claimed_by, area_code=task.area_code) and within:
        deciders = {grant.role for grant in grants}
        return next((seat for seat in within if seat.role in deciders), within[0])
    raise Forbidden("Only the holder of this task, or somebody who manages it, gives it back.")


async def _taken(connection: AsyncConnection, holder: UUID) -> NotPossibleNow:
    name = (await read_names(connection, [holder])).get(holder)
    return NotPossibleNow(
        "Somebody else has claimed this task.",
        remedy="Leave it to them, or ask them or their supervisor to release it.",
        data={"claimed_by": str(holder), "claimed_by_name": name},
    )


async def _note(
    connection: AsyncConnection,
    call: Call,
    task: TaskRecord,
    what: AuditType,
    *,
    seat: Seat,
    **data: str,
) -> None:
    entry = Entry(
        type=what,
        by=Doer.of(call.actor, seat),
        data={"task": str(task.id), "stage": task.stage.value, **data},
    )
    await touch_case(connection, task.update_id)
    stream = stream_of_update(task.update_id)
    await trail.record(connection, stream, [entry], at=call.at, area_code=task.area_code)


def _held(task: TaskRecord) -> Held:
    return Held(task.id, task.update_id, task.version, task.claimed_by)
