"""A repair that waits for a paper of another office: begun and ended by whoever mends, no engine needed.

What is waited for and the pause of the clock are one transaction; the engine finds the later deadline when it wakes,
and is told of an earlier one. When the time runs out, casework ends the wait at the milestone that lies there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.cases import CaseRecord, lock_case, save_case
from db.repositories.document_waits import begin_wait, end_wait, find_open_wait
from db.repositories.evidence import bind_evidence, check_evidence, files_in_trail
from db.repositories.pauses import begin_pause_until, cut_pause
from db.repositories.tasks import TaskRecord, find_open_task, notify, read_grants, read_pauses
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.document_waits import (
    DocumentWaitEnd,
    DocumentWaitEndInput,
    DocumentWaitInput,
    ending_seat,
    waits_until,
)
from domain.errors import InvalidInput, NotPossibleNow
from domain.evidence import EvidenceRef, EvidenceType, Naming
from domain.ladder import stage_rule
from domain.lifecycle import Happening, Position, move
from domain.pauses import ClockInterval, PauseCause
from domain.policy import Policy, StageRule
from domain.supervision import managing_roles
from domain.vocabulary import Stage, Status
from services.clocks import save_reckoned
from services.kawal import Kawal
from services.keyed import Call, once

_CAUSE = PauseCause.WAITING_DOCUMENT


class WaitNow(BaseModel):
    """Where the repair stands after its wait began or ended."""

    model_config = ConfigDict(frozen=True)

    update_id: UUID
    status: Status
    waits_until: datetime | None
    due_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class _Repair:
    """A returned case under its lock, with the open task of its repair."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    case: CaseRecord
    seat: Seat
    policy: Policy
    position: Position
    task: TaskRecord
    rule: StageRule


async def await_document(kawal: Kawal, call: Call, update_id: UUID, wanted: DocumentWaitInput) -> tuple[WaitNow, bool]:
    """Let the repair of a case wait for a paper, once for each key; and whether that had been done before.

    Raises NotFound outside the actor's areas, Forbidden, CaseClosed, NotPossibleNow where it is not being repaired,
    waits already, or has waited as long as it may; IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case, seat = await _locked(connection, call, update_id)

        async def begin() -> WaitNow:
            return await _begin(await _repair(kawal, connection, call, case, seat, Happening.DOCUMENT_AWAITED), wanted)

        route = f"POST /v1/updates/{update_id}/document-wait"
        return await once(connection, call, wanted, begin, answer=WaitNow, route=route, vault=kawal.vault)


async def end_document_wait(
    kawal: Kawal, call: Call, update_id: UUID, ending: DocumentWaitEndInput
) -> tuple[WaitNow, bool]:
    """Let the repair go on, with the file that has come or without; as `await_document`, and for its supervisors too.

    Raises NotPossibleNow where it waits for nothing, InvalidInput for a file that is not the paper it waits for.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case = await lock_case(connection, update_id)
        call.actor.seat_for(Permission.TASKS_WORK, area_code=case.area_code)

        async def end() -> WaitNow:
            seat = await _ending_seat(kawal, connection, call, case)
            return await _end(await _repair(kawal, connection, call, case, seat, Happening.DOCUMENT_WAIT_ENDED), ending)

        route = f"POST /v1/updates/{update_id}/document-wait/end"
        return await once(connection, call, ending, end, answer=WaitNow, route=route, vault=kawal.vault)


async def _ending_seat(kawal: Kawal, connection: AsyncConnection, call: Call, case: CaseRecord) -> Seat:
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    task = await find_open_task(connection, case.id)
    grants = [] if task is None or task.stage is not Stage.REPAIR else await read_grants(connection, task.id)
    return ending_seat(call.actor, area_code=case.area_code, rule=policy.repair, grants=grants)


async def _locked(connection: AsyncConnection, call: Call, update_id: UUID) -> tuple[CaseRecord, Seat]:
    case = await lock_case(connection, update_id)
    return case, call.actor.seat_for(Permission.UPDATES_REPAIR, area_code=case.area_code)


async def _repair(
    kawal: Kawal, connection: AsyncConnection, call: Call, case: CaseRecord, seat: Seat, happening: Happening
) -> _Repair:
    policy = await kawal.rules.policy(connection, case.policy_version_id)
    position = move(case.position(policy), happening)
    task = await find_open_task(connection, case.id)
    if task is None or task.stage is not Stage.REPAIR:
        raise NotPossibleNow("The update is on its way to be repaired; its task is not open yet.")
    rule = stage_rule(policy, task.stage, settled=case.settled, contested=case.contested)
    return _Repair(kawal, connection, call, case, seat, policy, position, task, rule)


async def _begin(repair: _Repair, wanted: DocumentWaitInput) -> WaitNow:
    connection, at, task = repair.connection, repair.call.at, repair.task
    pauses = await read_pauses(connection, task.id)
    calendar = await repair.kawal.rules.calendar(connection, task.area_code)
    until = waits_until(repair.policy.document_wait, at=at, pauses=pauses, calendar=calendar)
    pause = ClockInterval(from_=at, to=until, cause=_CAUSE)
    doer = Doer.of(repair.call.actor, repair.seat)
    wait_id = await begin_wait(connection, task, wanted, at=at, until=until, by=doer)
    await begin_pause_until(connection, task, pause)
    moved = await save_reckoned(repair.kawal, connection, task, repair.rule, [*pauses, pause], at=at)
    told: dict[str, JsonValue] = {
        "wait": str(wait_id),
        "document": wanted.document.value,
        "office": wanted.office.value,
        "reason": wanted.reason.value,
        "until": until.isoformat(),
    }
    await _note(repair, AuditType.UPDATE_DOCUMENT_AWAITED, AuditType.TASK_CLOCK_PAUSED, **told)
    await _tell(repair, "document_awaited")
    return _now(repair, moved, until=until)


async def _end(repair: _Repair, ending: DocumentWaitEndInput) -> WaitNow:
    connection, at, task = repair.connection, repair.call.at, repair.task
    wait = await find_open_wait(connection, task.id)
    if wait is None:
        raise NotPossibleNow("The repair waits for no paper.")
    files = [] if ending.evidence_id is None else await _bind(repair, wait.document, ending.evidence_id)
    because = DocumentWaitEnd.GIVEN_UP if ending.evidence_id is None else DocumentWaitEnd.ATTACHED
    by_whom = {"ended_by": repair.call.actor.user_id, "evidence_id": ending.evidence_id}
    await end_wait(connection, wait, because, at=at, **by_whom)
    await cut_pause(connection, task.id, _CAUSE, at=at)
    pauses = await read_pauses(connection, task.id)
    moved = await save_reckoned(repair.kawal, connection, task, repair.rule, pauses, at=at)
    told: dict[str, JsonValue] = {
        "wait": str(wait.id),
        "because": because.value,
        "files": files,
        "due_at": moved.due_at.isoformat(),
    }
    await _note(repair, AuditType.UPDATE_DOCUMENT_WAIT_ENDED, AuditType.TASK_CLOCK_RESUMED, **told)
    await _tell(repair, "document_wait_ended")
    return _now(repair, moved, until=None)


async def _bind(repair: _Repair, document: EvidenceType, evidence_id: UUID) -> list[JsonValue]:
    """Put the file behind the case; answers what the trail tells of it. Raises InvalidInput."""
    case, actor = repair.case, repair.call.actor
    named = [EvidenceRef(type=document, evidence_id=evidence_id)]
    naming = Naming(actor.user_id, case.area_code, case.id, case.earlier)
    violations = await check_evidence(repair.connection, named, naming)
    if violations:
        raise InvalidInput([each.model_copy(update={"pointer": "/evidence_id"}) for each in violations])
    bound = await bind_evidence(
        repair.connection, named, naming, update_id=case.id, revision=case.revision, at=repair.call.at
    )
    return files_in_trail(bound)


async def _note(repair: _Repair, what: AuditType, clock: AuditType, **told: JsonValue) -> None:
    case, doer, task = repair.case, Doer.of(repair.call.actor, repair.seat), str(repair.task.id)
    entries = [
        Entry(type=what, by=doer, status=repair.position.status, data={"task": task, **told}),
        Entry(type=clock, by=doer, data={"task": task, "cause": _CAUSE.value}),
    ]
    await save_case(repair.connection, case, repair.position)
    stream = stream_of_update(case.id)
    await trail.record(repair.connection, stream, entries, at=repair.call.at, area_code=case.area_code)


async def _tell(repair: _Repair, subject: str) -> None:
    """The supervisor of the repair, whoever holds it and whoever submitted the case."""
    concerned = {repair.case.submitted_by, repair.task.claimed_by} - {None, repair.call.actor.user_id}
    await notify(
        repair.connection,
        subject,
        update_id=repair.case.id,
        task_id=repair.task.id,
        area_code=repair.case.area_code,
        at=repair.call.at,
        roles=sorted(managing_roles(repair.rule, ())),
        user_ids=sorted(user_id for user_id in concerned if user_id is not None),
    )


def _now(repair: _Repair, task: TaskRecord, *, until: datetime | None) -> WaitNow:
    return WaitNow(
        update_id=repair.case.id,
        status=repair.position.status,
        waits_until=until,
        due_at=task.due_at,
        version=repair.case.version + 1,
    )
