"""Appealing against a rejection: a case of its own that carries the same change on, written down and then started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories import outbox, trail
from db.repositories.appeals import find_rejection, read_appeals, standing_appeal
from db.repositories.cases import (
    CaseRecord,
    RevisionRecord,
    add_revision,
    lock_case,
    read_revision,
    touch_case,
)
from db.repositories.evidence import bind_evidence, check_evidence, files_in_trail
from db.repositories.findings import Finding, find_duplicates, show_to_each_other
from db.repositories.idempotency import answer_act
from db.repositories.numbers import index_update
from db.repositories.rules import PolicyInForce
from db.repositories.tasks import notify
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.changes import numbers_of
from domain.disputes import (
    AppealInput,
    contested_by_appeal,
    last_moment_to_appeal,
    require_in_time,
    settled_by_appeal,
)
from domain.errors import AlreadyAppealed, InvalidInput, NotAppealable
from domain.evidence import Naming
from domain.ids import new_id, new_tracking_code
from domain.permissions import Permission
from domain.policy import AppealTier
from domain.vocabulary import Stage, Status
from services.comments import add_comment
from services.kawal import Kawal
from services.keyed import Call, remember
from services.submit import Receipt, Submitted, start_case

_INSERT: Final = insert(Update)


@dataclass(frozen=True, slots=True)
class _Appealing:
    """One appeal in its transaction: against which rejected case, on what, by which rules."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    seat: Seat
    request: AppealInput
    rejected: CaseRecord
    contested: Stage
    tier: AppealTier
    in_force: PolicyInForce
    before: RevisionRecord


async def appeal(kawal: Kawal, call: Call, update_id: UUID, request: AppealInput) -> Submitted:
    """Appeal against the rejection of an update, once; works while the engine is down, like a submission.

    Raises NotFound outside the actor's areas, Forbidden, NotAppealable, AlreadyAppealed with the appeal that there
    is, AppealTooLate with the last day, InvalidInput, ContentErased, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        rejected = await lock_case(connection, update_id)
        seat = call.actor.seat_for(Permission.UPDATES_APPEAL, area_code=rejected.area_code)
        route = f"POST /v1/updates/{update_id}/appeal"
        keyed = await remember(connection, call, request, route=route, vault=kawal.vault)
        if keyed.response is None:
            appealing = await _checked(kawal, connection, call, seat, request, rejected)
            receipt, message = await _take_in(appealing, act_id=keyed.id)
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
    request: AppealInput,
    rejected: CaseRecord,
) -> _Appealing:
    """The appeal once nothing is wrong with it. The period is that of the policy that the case began with."""
    standing = standing_appeal(await read_appeals(connection, rejected.id))
    if standing is not None:
        raise AlreadyAppealed(
            f"The rejection has been appealed as {standing.tracking_code}, which is {standing.status.value}.",
            data={"appeal_id": str(standing.id), "tracking_code": standing.tracking_code},
        )
    policy = await kawal.rules.policy(connection, rejected.policy_version_id)
    in_force = await kawal.rules.policy_in_force(connection, rejected.area_code, at=call.at)
    rejection = await find_rejection(connection, rejected.id)
    position = rejected.position(policy)
    contested = contested_by_appeal(position, rejected_in=Stage.DELIVERY if rejection is None else rejection.stage)
    rule = policy.appeals or in_force.policy.appeals
    tier = None if in_force.policy.appeals is None else in_force.policy.appeals.tier_of(contested)
    if rule is None or tier is None or rejection is None or not in_force.policy.offers(rejected.kind):
        raise NotAppealable(f"The policy in force hears no appeal against a rejection in {contested.value}.")
    calendar = await kawal.rules.calendar(connection, rejected.area_code)
    deadline = last_moment_to_appeal(rule, rejection.at, calendar=calendar)
    require_in_time(deadline, at=call.at, last_day=calendar.local_day(deadline.due_at).isoformat())
    violations = await check_evidence(connection, request.evidence, _naming(call, rejected))
    if violations:
        raise InvalidInput(violations)
    before = await read_revision(connection, rejected.id, rejected.revision, vault=kawal.vault)
    return _Appealing(kawal, connection, call, seat, request, rejected, contested, tier, in_force, before)


async def _take_in(appealing: _Appealing, *, act_id: UUID) -> tuple[Receipt, outbox.Delivery]:
    connection, at = appealing.connection, appealing.call.at
    update_id = new_id()
    receipt = Receipt(
        update_id=update_id,
        tracking_code=new_tracking_code(),
        area_code=appealing.rejected.area_code,
        kind=appealing.rejected.kind,
        policy_version_id=appealing.in_force.id,
        findings=await _findings(appealing, update_id),
    )
    await _write(appealing, receipt)
    await _tell_of_it(appealing, receipt)
    message = await outbox.add_message(connection, outbox.START_UPDATE, subject_id=update_id, payload={}, at=at)
    await answer_act(connection, act_id, receipt.model_dump(mode="json"), at=at)
    return receipt, message


async def _findings(appealing: _Appealing, update_id: UUID) -> list[Finding]:
    household_id = appealing.rejected.household_id
    found = await find_duplicates(
        appealing.connection,
        appealing.before.change,
        household_id=household_id,
        actor=appealing.call.actor,
        vault=appealing.kawal.vault,
    )
    if household_id is not None:
        found += await show_to_each_other(appealing.connection, update_id, household_id=household_id)
    return found


async def _write(appealing: _Appealing, receipt: Receipt) -> None:
    """The case: the change as it was rejected, on the version of the household that it was made on."""
    kawal, connection, call, area_code = appealing.kawal, appealing.connection, appealing.call, receipt.area_code
    await connection.execute(_INSERT, _row(appealing, receipt))
    papers = (*appealing.before.evidence, *appealing.request.evidence)
    revision = RevisionRecord(1, appealing.before.change, papers, call.actor.user_id, call.at)
    await add_revision(connection, receipt.update_id, revision, area_code=area_code, vault=kawal.vault)
    numbers = numbers_of(appealing.before.change)
    await index_update(connection, receipt.update_id, numbers, area_code=area_code, vault=kawal.vault)
    bound = await bind_evidence(
        connection,
        appealing.request.evidence,
        _naming(call, appealing.rejected),
        update_id=receipt.update_id,
        revision=1,
        at=call.at,
    )
    text = appealing.request.text
    comment_id = await add_comment(kawal, connection, call, appealing.seat, receipt.update_id, area_code, text)
    entries = [_submitted(appealing, receipt, files_in_trail(bound)), _explained(appealing, comment_id)]
    stream = stream_of_update(receipt.update_id)
    await trail.begin(connection, stream, entries, at=call.at, area_code=area_code)


def _naming(call: Call, rejected: CaseRecord) -> Naming:
    return Naming(call.actor.user_id, rejected.area_code, None)


def _row(appealing: _Appealing, receipt: Receipt) -> dict[str, Any]:
    rejected = appealing.rejected
    position = rejected.position(appealing.in_force.policy)
    settled = settled_by_appeal(position, appealing.tier, contested=appealing.contested)
    return {
        "id": receipt.update_id,
        "tracking_code": receipt.tracking_code,
        "area_code": receipt.area_code,
        "kind": receipt.kind.value,
        "household_id": rejected.household_id,
        "base_version": rejected.base_version,
        "policy_version_id": receipt.policy_version_id,
        "status": Status.RECEIVED.value,
        "settled": sorted(settled),
        "identity_waived": rejected.identity_waived,
        "contested": appealing.contested.value,
        "appeal_of": rejected.id,
        "ground": appealing.request.ground.value,
        "revision": 1,
        "findings": receipt.findings,
        "submitted_by": appealing.call.actor.user_id,
        "submitted_at": appealing.call.at,
        "version": 1,
    }


def _submitted(appealing: _Appealing, receipt: Receipt, files: list[JsonValue]) -> Entry:
    rejected = appealing.rejected
    data: dict[str, JsonValue] = {
        "kind": receipt.kind.value,
        "revision": 1,
        "household": rejected.household_id and str(rejected.household_id),
        "household_version": rejected.base_version,
        "policy": str(receipt.policy_version_id),
        "appeal_of": str(rejected.id),
        "ground": appealing.request.ground.value,
        "against": appealing.contested.value,
        "findings": [*sorted({str(finding["code"]) for finding in receipt.findings})],
        "files": files,
    }
    doer = Doer.of(appealing.call.actor, appealing.seat)
    return Entry(type=AuditType.UPDATE_SUBMITTED, by=doer, status=Status.RECEIVED, data=data)


def _explained(appealing: _Appealing, comment_id: UUID) -> Entry:
    doer = Doer.of(appealing.call.actor, appealing.seat)
    return Entry(type=AuditType.UPDATE_COMMENTED, by=doer, data={"comment": str(comment_id)})


async def _tell_of_it(appealing: _Appealing, receipt: Receipt) -> None:
    """The rejected case says that it was appealed, and so do its submitter and whoever rejected it hear."""
    rejected, call, connection = appealing.rejected, appealing.call, appealing.connection
    await touch_case(connection, rejected.id)
    entry = Entry(
        type=AuditType.UPDATE_APPEALED,
        by=Doer.of(call.actor, appealing.seat),
        data={"appeal": str(receipt.update_id), "ground": appealing.request.ground.value},
    )
    stream = stream_of_update(rejected.id)
    await trail.record(connection, stream, [entry], at=call.at, area_code=rejected.area_code)
    await notify(
        connection,
        "appealed",
        update_id=rejected.id,
        task_id=None,
        area_code=rejected.area_code,
        at=call.at,
        roles=appealing.in_force.policy.stage(appealing.contested).deciders,
        user_ids=sorted({rejected.submitted_by} - {call.actor.user_id}),
    )
