"""Reopening a lapsed case: the engine ends a case for good, so another one carries it on from where it was returned.

It has the change, the papers and the answers of the lapsed case, and begins with its repair. Whoever had a part in the
one has it in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories import outbox, trail
from db.repositories.appeals import read_appeals, standing_appeal
from db.repositories.cases import (
    CaseRecord,
    RevisionRecord,
    add_revision,
    lock_case,
    read_revision,
    touch_case,
)
from db.repositories.findings import Finding, find_duplicates, show_to_each_other
from db.repositories.idempotency import answer_act
from db.repositories.lapses import find_reopening
from db.repositories.numbers import index_update
from db.repositories.rules import PolicyInForce
from db.repositories.tasks import notify
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.changes import numbers_of
from domain.errors import AlreadyReopened, NotReopenable
from domain.ids import new_id, new_tracking_code
from domain.lapses import ReopeningInput, last_moment_to_reopen, require_in_time, require_reopenable
from domain.permissions import Permission
from domain.vocabulary import Status
from services.comments import add_comment
from services.kawal import Kawal
from services.keyed import Call, remember
from services.submit import Receipt, Submitted, start_case

_INSERT: Final = insert(Update)


@dataclass(frozen=True, slots=True)
class _Reopening:
    """One reopening in its transaction: of which lapsed case, by whom, by which rules."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    seat: Seat
    request: ReopeningInput
    lapsed: CaseRecord
    in_force: PolicyInForce
    before: RevisionRecord


async def reopen(kawal: Kawal, call: Call, update_id: UUID, request: ReopeningInput) -> Submitted:
    """Reopen a lapsed case, once; works while the engine is down, like a submission.

    Raises NotFound outside the actor's areas, Forbidden, NotReopenable, AlreadyReopened with the case that there is,
    ReopenTooLate with the last day, ContentErased, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        lapsed = await lock_case(connection, update_id)
        seat = call.actor.seat_for(Permission.UPDATES_REOPEN, area_code=lapsed.area_code)
        route = f"POST /v1/updates/{update_id}/reopening"
        keyed = await remember(connection, call, request, route=route, vault=kawal.vault)
        if keyed.response is None:
            reopening = await _checked(kawal, connection, call, seat, request, lapsed)
            receipt, message = await _take_up(reopening, act_id=keyed.id)
        else:
            receipt = Receipt.model_validate(keyed.response)
            message = await outbox.find_message(connection, outbox.START_UPDATE, subject_id=receipt.update_id)
    started = message.done or await start_case(kawal, receipt)
    return Submitted(receipt, started=started, replayed=keyed.response is not None)


async def _checked(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    request: ReopeningInput,
    lapsed: CaseRecord,
) -> _Reopening:
    """The reopening once nothing is wrong with it. The period is that of the policy that the case began with."""
    require_reopenable(lapsed.status, reopens=lapsed.reopen_of is not None)
    there_is = await find_reopening(connection, lapsed.id)
    if there_is is not None:
        raise AlreadyReopened(
            f"The case has been reopened as {there_is.tracking_code}, which is {there_is.status.value}.",
            data={"reopened_as": str(there_is.id), "tracking_code": there_is.tracking_code},
        )
    rule = (await kawal.rules.policy(connection, lapsed.policy_version_id)).lapse
    in_force = await kawal.rules.policy_in_force(connection, lapsed.area_code, at=call.at)
    if rule is None or not in_force.policy.offers(lapsed.kind):
        raise NotReopenable(f"The policy in force takes no update of the kind {lapsed.kind.value}.")
    if lapsed.appeal_of is not None and standing_appeal(await read_appeals(connection, lapsed.appeal_of)):
        raise NotReopenable("Another appeal has taken its place.")
    calendar = await kawal.rules.calendar(connection, lapsed.area_code)
    closed_at = await connection.scalar(select(Update.closed_at).where(Update.id == lapsed.id))
    if closed_at is None:
        raise RuntimeError("a lapsed case has an end")
    deadline = last_moment_to_reopen(rule, closed_at, calendar=calendar)
    require_in_time(deadline, at=call.at, last_day=calendar.local_day(deadline.due_at).isoformat())
    before = await read_revision(connection, lapsed.id, lapsed.revision, vault=kawal.vault)
    return _Reopening(kawal, connection, call, seat, request, lapsed, in_force, before)


async def _take_up(reopening: _Reopening, *, act_id: UUID) -> tuple[Receipt, outbox.Delivery]:
    connection, at, lapsed = reopening.connection, reopening.call.at, reopening.lapsed
    update_id = new_id()
    receipt = Receipt(
        update_id=update_id,
        tracking_code=new_tracking_code(),
        area_code=lapsed.area_code,
        kind=lapsed.kind,
        policy_version_id=reopening.in_force.id,
        findings=await _findings(reopening, update_id),
    )
    await _write(reopening, receipt)
    await _tell_of_it(reopening, receipt)
    message = await outbox.add_message(connection, outbox.START_UPDATE, subject_id=update_id, payload={}, at=at)
    await answer_act(connection, act_id, receipt.model_dump(mode="json"), at=at)
    return receipt, message


async def _findings(reopening: _Reopening, update_id: UUID) -> list[Finding]:
    household_id = reopening.lapsed.household_id
    found = await find_duplicates(
        reopening.connection,
        reopening.before.change,
        household_id=household_id,
        actor=reopening.call.actor,
        vault=reopening.kawal.vault,
    )
    if household_id is not None:
        found += await show_to_each_other(reopening.connection, update_id, household_id=household_id)
    return found


async def _write(reopening: _Reopening, receipt: Receipt) -> None:
    """The case as the lapsed one was, with the first revision that one's last; proposed by whoever proposed that."""
    kawal, connection, call, before = reopening.kawal, reopening.connection, reopening.call, reopening.before
    area_code = receipt.area_code
    await connection.execute(_INSERT, await _row(reopening, receipt))
    revision = RevisionRecord(1, before.change, before.evidence, before.submitted_by, call.at, before.on_behalf_of)
    await add_revision(connection, receipt.update_id, revision, area_code=area_code, vault=kawal.vault)
    numbers = numbers_of(before.change)
    await index_update(connection, receipt.update_id, numbers, area_code=area_code, vault=kawal.vault)
    text = reopening.request.text
    comment_id = await add_comment(kawal, connection, call, reopening.seat, receipt.update_id, area_code, text)
    doer = Doer.of(call.actor, reopening.seat)
    entries = [
        Entry(type=AuditType.UPDATE_SUBMITTED, by=doer, status=Status.RECEIVED, data=_submitted(reopening, receipt)),
        Entry(type=AuditType.UPDATE_COMMENTED, by=doer, data={"comment": str(comment_id)}),
    ]
    stream = stream_of_update(receipt.update_id)
    await trail.begin(connection, stream, entries, at=call.at, area_code=area_code)


async def _row(reopening: _Reopening, receipt: Receipt) -> dict[str, Any]:
    lapsed = reopening.lapsed
    kept = select(Update.reason, Update.ground).where(Update.id == lapsed.id)
    of_lapsed = (await reopening.connection.execute(kept)).one()
    return {
        "id": receipt.update_id,
        "tracking_code": receipt.tracking_code,
        "area_code": receipt.area_code,
        "kind": receipt.kind.value,
        "household_id": lapsed.household_id,
        "base_version": lapsed.base_version,
        "policy_version_id": receipt.policy_version_id,
        "status": Status.RECEIVED.value,
        "settled": sorted(lapsed.settled),
        "returned_from": lapsed.returned_from,
        "contested": lapsed.contested,
        "identity_waived": lapsed.identity_waived,
        "reason": of_lapsed.reason,
        "appeal_of": lapsed.appeal_of,
        "ground": of_lapsed.ground,
        "reopen_of": lapsed.id,
        "reopen_reason": reopening.request.reason.value,
        "revision": 1,
        "findings": receipt.findings,
        "submitted_by": lapsed.submitted_by,
        "submitted_at": reopening.call.at,
        "version": 1,
    }


def _submitted(reopening: _Reopening, receipt: Receipt) -> dict[str, JsonValue]:
    lapsed = reopening.lapsed
    return {
        "kind": receipt.kind.value,
        "revision": 1,
        "household": lapsed.household_id and str(lapsed.household_id),
        "household_version": lapsed.base_version,
        "policy": str(receipt.policy_version_id),
        "reopen_of": str(lapsed.id),
        "reason": reopening.request.reason.value,
        "findings": [*sorted({str(finding["code"]) for finding in receipt.findings})],
        "files": [],
    }


async def _tell_of_it(reopening: _Reopening, receipt: Receipt) -> None:
    """The lapsed case says that it was reopened; who mends in the village, and who submitted it, hear of it."""
    lapsed, call, connection = reopening.lapsed, reopening.call, reopening.connection
    await touch_case(connection, lapsed.id)
    entry = Entry(
        type=AuditType.UPDATE_REOPENED,
        by=Doer.of(call.actor, reopening.seat),
        data={"reopened_as": str(receipt.update_id), "reason": reopening.request.reason.value},
    )
    stream = stream_of_update(lapsed.id)
    await trail.record(connection, stream, [entry], at=call.at, area_code=lapsed.area_code)
    await notify(
        connection,
        "reopened",
        update_id=receipt.update_id,
        task_id=None,
        area_code=lapsed.area_code,
        at=call.at,
        roles=reopening.in_force.policy.repair.deciders,
        user_ids=sorted({lapsed.submitted_by} - {call.actor.user_id}),
    )
