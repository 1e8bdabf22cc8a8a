"""Submitting an update: checked, written down with all that follows from it, committed, and only then started."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories import outbox, trail
from db.repositories.cases import CaseRecord, RevisionRecord, added_revision
from db.repositories.evidence import bind_evidence, check_evidence, files_in_trail
from db.repositories.findings import Finding, find_duplicates, show_to_each_other
from db.repositories.idempotency import answered_act
from db.repositories.numbers import indexed_update
from db.repositories.registry import read_counterpart, read_household, read_version
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from db.writes import added, send
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.changes import Change, SubmissionContext, check_change, counterpart_of, numbers_of
from domain.errors import EngineUnavailable, InvalidInput, NotFound, Violation
from domain.evidence import EvidenceRef, Naming, evidence_ids
from domain.household import Household, HouseholdStatus
from domain.ids import new_id, new_tracking_code
from domain.requests import SubmissionInput
from domain.vocabulary import Kind, Status
from runtime.engine import NewCase
from services.kawal import Kawal
from services.keyed import Call, remember

ROUTE: Final = "POST /v1/updates"

_START_PATIENCE: Final = timedelta(seconds=2.5)
"""How long an operator waits for the engine; what does not start in that time is started by the dispatcher."""


class Receipt(BaseModel):
    """What is kept as the answer to a submission."""

    model_config = ConfigDict(frozen=True)

    update_id: UUID
    tracking_code: str
    area_code: str
    kind: Kind
    policy_version_id: UUID
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Submitted:
    """The receipt, whether the engine has the case now, and whether the request was a repeat."""

    receipt: Receipt
    started: bool
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Intake:
    """One submission in its transaction."""

    kawal: Kawal
    connection: AsyncConnection
    call: Call
    seat: Seat
    request: SubmissionInput


async def submit(kawal: Kawal, call: Call, request: SubmissionInput) -> Submitted:
    """Take an update in, once for each key. It is committed before the engine hears of it, and started exactly once.

    Raises NotFound outside the actor's areas, Forbidden, InvalidInput with every field that is wrong,
    IdempotencyKeyReused. A repeat has the receipt of the first time, and starts the case if that is still to be done.
    """
    seat = call.actor.seat_for(Permission.UPDATES_SUBMIT, area_code=request.area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        keyed = await remember(connection, call, request, route=ROUTE, vault=kawal.vault)
        if keyed.response is None:
            receipt, delivered = await _take_in(_Intake(kawal, connection, call, seat, request), act_id=keyed.id), False
        else:
            receipt = Receipt.model_validate(keyed.response)
            message = await outbox.find_message(connection, outbox.START_UPDATE, subject_id=receipt.update_id)
            delivered = message.done
    started = delivered or await start_case(kawal, receipt)
    return Submitted(receipt, started=started, replayed=keyed.response is not None)


async def _take_in(intake: _Intake, *, act_id: UUID) -> Receipt:
    request, connection = intake.request, intake.connection
    base = await _checked_base(intake)
    in_force = await intake.kawal.rules.policy_in_force(connection, request.area_code, at=intake.call.at)
    if not in_force.policy.offers(request.change.kind):
        raise InvalidInput([_not_offered(request.change.kind)])
    update_id = new_id()
    receipt = Receipt(
        update_id=update_id,
        tracking_code=new_tracking_code(),
        area_code=request.area_code,
        kind=request.change.kind,
        policy_version_id=in_force.id,
        findings=await _findings(intake, update_id),
    )
    await _write(intake, receipt, base, act_id=act_id)
    return receipt


async def _checked_base(intake: _Intake) -> Household | None:
    """The household that the update is based on, once nothing is wrong with the request. Raises InvalidInput."""
    request = intake.request
    violations: list[Violation] = []
    base: Household | None = None
    if request.household_id is not None:
        base, violations = await _base(intake, request.household_id)
    elif request.household_version is not None:
        violations = [_version_without_household()]
    violations += await check_proposal(
        intake.kawal,
        intake.connection,
        request.change,
        evidence=request.evidence,
        base=base,
        area_code=request.area_code,
        call=intake.call,
    )
    if violations:
        raise InvalidInput(violations)
    return base


async def check_proposal(
    kawal: Kawal,
    connection: AsyncConnection,
    change: Change,
    *,
    evidence: tuple[EvidenceRef, ...],
    base: Household | None,
    area_code: str,
    call: Call,
    case: CaseRecord | None = None,
) -> list[Violation]:
    """Everything wrong with a change on the day of the call in its area. Raises NotFound for an unknown area.

    `case` is there when it is a repair: it may name again the files that it has.
    """
    facts = await kawal.rules.area(connection, area_code)
    today = call.at.astimezone(ZoneInfo(facts.zone)).date()
    context = SubmissionContext(
        today=today,
        evidence=evidence,
        base=base,
        area_code=area_code,
        counterpart=await _counterpart(kawal, connection, change),
    )
    of_case = None if case is None else case.id
    naming = Naming(call.actor.user_id, area_code, of_case, frozenset() if case is None else case.earlier)
    return check_change(change, context) + await check_evidence(connection, evidence, naming)


async def _counterpart(kawal: Kawal, connection: AsyncConnection, change: Change) -> Household | None:
    """The other household of a change that concerns two, as it was read; as it is now where that cannot be built on."""
    try:
        other = await read_counterpart(connection, change, vault=kawal.vault)
    except NotFound:
        return None
    if other is None:
        return None
    return other.read if other.current.status is HouseholdStatus.ACTIVE else other.current


async def _base(intake: _Intake, household_id: UUID) -> tuple[Household, list[Violation]]:
    """The household in the version that the operator read; as it is now where that version cannot be built on."""
    vault, wanted = intake.kawal.vault, intake.request.household_version
    current = await read_household(intake.connection, household_id, vault=vault)
    if wanted is None or wanted == current.version or current.status is not HouseholdStatus.ACTIVE:
        return current, []
    if wanted > current.version:
        return current, [_unknown_version(current.version)]
    return await read_version(intake.connection, household_id, wanted, vault=vault), []


def _not_offered(kind: Kind) -> Violation:
    return Violation(
        pointer="/change/kind",
        code="kind_not_offered",
        detail=f"The policy in force has no route for {kind.value}.",
        remedy="The regency has to publish a policy with a route for this kind.",
    )


def _unknown_version(current: int) -> Violation:
    return Violation(
        pointer="/household_version",
        code="household_version_unknown",
        detail=f"The household has no such version; it is in version {current}.",
        remedy="Send the version in which you read the household.",
    )


def _version_without_household() -> Violation:
    return Violation(
        pointer="/household_version",
        code="household_version_not_expected",
        detail="There is no household that this version could be of.",
        remedy="Leave it out, or name the household in `household_id`.",
    )


async def _findings(intake: _Intake, update_id: UUID) -> list[Finding]:
    household_id = intake.request.household_id
    found = await find_duplicates(
        intake.connection,
        intake.request.change,
        household_id=household_id,
        actor=intake.call.actor,
        vault=intake.kawal.vault,
    )
    other = counterpart_of(intake.request.change)
    for concerned in sorted({each for each in (household_id, other and other.household_id) if each is not None}):
        found += await show_to_each_other(intake.connection, update_id, household_id=concerned)
    return found


async def _write(intake: _Intake, receipt: Receipt, base: Household | None, *, act_id: UUID) -> None:
    """All of it together, unless there are files: they are put behind a case that is there."""
    request, call, connection = intake.request, intake.call, intake.connection
    vault, area_code, update_id = intake.kawal.vault, receipt.area_code, receipt.update_id
    revision = RevisionRecord(1, request.change, request.evidence, call.actor.user_id, call.at)
    writes = [
        added("update", Update, _row(intake, receipt, base)),
        added_revision(update_id, revision, area_code=area_code, vault=vault),
        indexed_update(update_id, numbers_of(request.change), area_code=area_code, vault=vault),
    ]
    if evidence_ids(request.evidence):
        await send(connection, writes)
        writes = []
    entry = _entry(intake, receipt, base, await _bind_files(intake, receipt))
    writes += trail.begun(stream_of_update(update_id), [entry], at=call.at, area_code=area_code)
    writes.append(outbox.added_message(outbox.START_UPDATE, subject_id=update_id, at=call.at))
    writes.append(answered_act(act_id, receipt.model_dump(mode="json"), at=call.at))
    await send(connection, writes)


async def _bind_files(intake: _Intake, receipt: Receipt) -> list[JsonValue]:
    """What the trail tells of the files behind the update; where there are none, nothing is asked of the database."""
    naming = Naming(intake.call.actor.user_id, receipt.area_code, None)
    bound = await bind_evidence(
        intake.connection,
        intake.request.evidence,
        naming,
        update_id=receipt.update_id,
        revision=1,
        at=intake.call.at,
    )
    return files_in_trail(bound)


def _row(intake: _Intake, receipt: Receipt, base: Household | None) -> dict[str, Any]:
    return {
        "id": receipt.update_id,
        "tracking_code": receipt.tracking_code,
        "area_code": receipt.area_code,
        "kind": receipt.kind.value,
        "household_id": base and base.id,
        "base_version": base and base.version,
        "policy_version_id": receipt.policy_version_id,
        "status": Status.RECEIVED.value,
        "settled": [],
        "revision": 1,
        "findings": receipt.findings,
        "submitted_by": intake.call.actor.user_id,
        "submitted_at": intake.call.at,
        "version": 1,
    }


def _entry(
    intake: _Intake,
    receipt: Receipt,
    base: Household | None,
    files: list[JsonValue],
) -> Entry:
    data: dict[str, JsonValue] = {
        "kind": receipt.kind.value,
        "revision": 1,
        "household": base and str(base.id),
        "household_version": base and base.version,
        "policy": str(receipt.policy_version_id),
        "evidence": [*sorted({item.type.value for item in intake.request.evidence})],
        "findings": [*sorted({str(finding["code"]) for finding in receipt.findings})],
        "files": files,
    }
    doer = Doer.of(intake.call.actor, intake.seat)
    return Entry(type=AuditType.UPDATE_SUBMITTED, by=doer, status=Status.RECEIVED, data=data)


async def start_case(kawal: Kawal, receipt: Receipt) -> bool:
    """Whether the engine has the case; if it does not answer in time, the dispatcher will start it.

    The message stays in the outbox until the case is opened: only that proves that it has arrived.
    """
    case = NewCase(
        update_id=receipt.update_id,
        policy_version_id=receipt.policy_version_id,
        area_code=receipt.area_code,
        kind=receipt.kind.value,
    )
    try:
        await kawal.engine.start(case, within=_START_PATIENCE)
    except EngineUnavailable:
        return False
    return True
