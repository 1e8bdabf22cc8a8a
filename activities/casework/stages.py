"""Where a case goes: into a stage with its task, or to its end; and where it stands, told again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never
from uuid import UUID

from sqlalchemy import select

from activities.casework.ground_orders import check_asked
from activities.casework.ladder import wake_at
from activities.casework.registry import apply_to_registry, current_version
from activities.casework.rounds import count_for_round, delivery_waits_until
from activities.casework.tasks import open_task
from activities.casework.work import Work
from db.models import IdentityResult
from db.repositories.cases import add_finding, saved_case
from db.repositories.ground_checks import AskedCheck
from db.repositories.numbers import unindex_update
from db.repositories.tasks import TaskRecord, find_open_task
from domain.audit import AuditType
from domain.changes import Conflicted, identity_expectations
from domain.contracts import AwaitDecision, AwaitMinistry, AwaitRepair, CheckIdentity, Closed, Deliver, NextStep
from domain.lifecycle import Happening, Position, move
from domain.openings import cause_at_opening
from domain.vocabulary import ReasonCode, Stage, Status

Columns = Mapping[str, object]


async def arrive(
    work: Work,
    position: Position,
    *,
    reason: ReasonCode | None = None,
    also: Columns | None = None,
    asked: AskedCheck | None = None,
) -> NextStep:
    """Write that the case has come to `position`, and open what is to be done there.

    `also` are further columns of the case that the same act changed. Somebody looks in the field first where the
    policy asks for it, or an officer has `asked`.
    """
    changes = {**(also or {}), **await count_for_round(work, position)}
    if position.status is Status.APPLIED:
        return await _apply(work, position, changes)
    if position.stage is None:
        return await _close(work, position, changes, reason=reason)
    work.stand_at(position)
    if position.stage is Stage.IDENTITY_CHECK and not await persons_to_check(work, None):
        return await arrive(work, move(position, Happening.IDENTITY_EXPECTED), also=changes)
    asked = asked or await check_asked(work, position.stage)
    if asked is not None:
        position = move(position, Happening.GROUND_CHECK_ASKED)
        work.stand_at(position)
    task = await open_task(work, _stage(position), reason=reason, asked=asked)
    cause = cause_at_opening(task.stage, task.level)
    work.keep(
        saved_case(work.case, position, **{"level": task.level, "cause": cause, "reason": reason, **changes}),
    )
    return await step_of(work, task)


def _stage(position: Position) -> Stage:
    if position.stage is None:
        raise RuntimeError("a case that goes on is in a stage")
    return position.stage


async def step_of(work: Work, task: TaskRecord | None) -> NextStep:
    """What comes next for the case as it stands, with `task` open: the same answer however often it is asked."""
    status, level = work.case.status, work.case.level if task is None else task.level
    if task is None:
        return Closed(status=status, level=level)
    wake = wake_at(task)
    match task.stage:
        case Stage.IDENTITY_CHECK:
            persons = await persons_to_check(work, task.id)
            return CheckIdentity(status=status, level=level, wake_at=wake, task_id=task.id, persons=persons)
        case Stage.REPAIR:
            return AwaitRepair(status=status, level=level, wake_at=wake, task_id=task.id)
        case Stage.DELIVERY:
            step = Deliver if await _goes_out(work) else AwaitMinistry
            return step(status=status, level=level, wake_at=wake, task_id=task.id)
        case (
            Stage.VERIFICATION
            | Stage.DELIBERATION
            | Stage.APPROVAL
            | Stage.ENDORSEMENT
            | Stage.APPEAL
            | Stage.OPINION
            | Stage.CONFLICT
            | Stage.GROUND_CHECK
        ):
            return AwaitDecision(status=status, level=level, wake_at=wake, task_id=task.id, stage=task.stage)
        case _:
            assert_never(task.stage)


async def _goes_out(work: Work) -> bool:
    """Whether what is to be delivered is delivered now: it is not with the Ministry, and waits for no round."""
    return work.case.status is Status.IN_DELIVERY and await delivery_waits_until(work) is None


async def stay(work: Work) -> NextStep:
    """The case is where it is; whoever asked was late or asked twice."""
    return await step_of(work, await find_open_task(work.connection, work.case.id))


async def persons_to_check(work: Work, task_id: UUID | None) -> tuple[str, ...]:
    """The persons of the case whom the civil registry has not answered about in this task."""
    revision = await work.revision()
    expected = [expectation.key for expectation in identity_expectations(revision.change, await work.base())]
    if task_id is None or not expected:
        return tuple(expected)
    answered = set(
        await work.connection.scalars(select(IdentityResult.person_key).where(IdentityResult.task_id == task_id)),
    )
    return tuple(key for key in expected if key not in answered)


async def _apply(work: Work, position: Position, changes: Columns) -> NextStep:
    before = work.position
    merged = await apply_to_registry(work)
    if isinstance(merged, Conflicted):
        return await _conflict(work, position.model_copy(update={"status": before.status}), merged, changes)
    households = [str(household.id) for household in merged.households]
    work.note(AuditType.UPDATE_APPLIED, status=Status.APPLIED, households=households)
    return await _close(work, position, {**changes, "household_id": merged.households[0].id}, reason=None)


async def _conflict(work: Work, position: Position, merged: Conflicted, changes: Columns) -> NextStep:
    """Back to verification; is it true, on top of what the registry holds now."""
    pointers = [conflict.pointer for conflict in merged.conflicts]
    work.note(AuditType.UPDATE_DATA_CONFLICT_FOUND, fields=pointers)
    finding = {"code": "data_conflict", "fields": pointers, "since": work.at.isoformat()}
    await add_finding(work.connection, work.case.id, finding)
    rebased = {**changes, "base_version": await current_version(work)}
    return await arrive(work, move(position, Happening.DATA_CONFLICT), also=rebased)


async def _close(work: Work, position: Position, changes: Columns, *, reason: ReasonCode | None) -> NextStep:
    work.stand_at(position)
    await unindex_update(work.connection, work.case.id, at=work.at)
    work.keep(
        saved_case(work.case, position, closed_at=work.at, level=0, cause=None, reason=reason, **changes),
    )
    work.note(AuditType.UPDATE_CLOSED, status=position.status, reason=reason)
    await work.tell("closed", user_ids=[work.case.submitted_by])
    return Closed(status=position.status)
