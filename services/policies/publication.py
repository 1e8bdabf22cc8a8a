"""Putting a draft in force: by somebody who wrote none of it, after its consultation or in an emergency."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import PolicyTurn, PolicyVersion
from db.repositories import trail
from db.repositories.policies import (
    DraftRecord,
    add_turn,
    change_draft,
    find_draft,
    line_of,
    lock_draft,
    lock_line,
    standing_of,
    stream_of_policy,
    tell,
    version_in_force,
)
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.consultation import (
    DraftStatus,
    EmergencyReason,
    Remark,
    Standing,
    Turn,
    check_emergency,
    check_may_publish,
    check_second_eyes,
    outdated,
)
from domain.errors import NotFound, NotPossibleNow
from domain.policy import Policy
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.policies.drafts import note, show, time_from
from services.policies.trials import try_on
from services.policies.versions import EmergencyTerms, Origin, add_version, read_in
from services.versions import require_version

PUBLISH: Final = "POST /v1/policies/drafts/{draft_id}/publication"
EMERGENCY: Final = "POST /v1/policies/drafts/{draft_id}/emergency"
REVOKE: Final = "POST /v1/policies/{policy_id}/revocation"


class EmergencyInput(BaseModel):
    """Why the draft cannot wait for its consultation: a code, and in words."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: EmergencyReason
    note: Remark


class RevocationInput(BaseModel):
    """Why a version is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    note: Remark


class _Asked(BaseModel):
    """The request as it is compared when its key comes again."""

    what: Literal["publication", "emergency", "revocation"]
    of: UUID
    given: EmergencyInput | RevocationInput | None = None


async def publish(kawal: Kawal, call: Call, draft_id: UUID) -> tuple[Created, bool]:
    """Publish the draft as the next version of its area. It confirms the version of its emergency, if it had one.

    Raises NotFound, Forbidden, SeparationOfDuties for anybody who wrote of it, StaleVersion, DraftOutdated,
    ConsultationIncomplete with all that is missing, NotPossibleNow, InvalidInput when a rule about policies has
    changed since it was written.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        found, seat = await _take(connection, call, draft_id)

        async def put() -> Created:
            standing = await _looked_at(connection, call, seat, found)
            check_may_publish(standing, await line_of(connection, found.area_code, at=call.at), now=call.at)
            begins = max(found.effective_from or call.at, call.at)
            origin = Origin(draft_id=found.id, revision=found.revision)
            version_id = await _add(kawal, connection, call, seat, found, origin, begins=begins)
            await change_draft(connection, found, status=DraftStatus.PUBLISHED.value)
            await tell(connection, "policy_published", draft_id=found.id, area_code=found.area_code, at=call.at)
            return Created(id=version_id)

        asked = _Asked(what="publication", of=draft_id)
        return await once(connection, call, asked, put, answer=Created, route=PUBLISH, vault=kawal.vault)


async def publish_in_emergency(
    kawal: Kawal, call: Call, draft_id: UUID, request: EmergencyInput
) -> tuple[Created, bool]:
    """Put the draft in force at once and for a bounded time, and open its consultation unless that is open.

    Raises what `publish` does, but for ConsultationIncomplete.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        found, seat = await _take(connection, call, draft_id)

        async def put() -> Created:
            standing = await _looked_at(connection, call, seat, found)
            in_force = await version_in_force(connection, found.area_code, at=call.at)
            rules = Policy.model_validate(in_force.document)
            draft = Policy.model_validate(found.document)
            check_emergency(standing, draft=draft, in_force=rules, ends_at=in_force.ends_at)
            if found.base_id != in_force.id:
                raise outdated(in_force.id)
            ends = await time_from(kawal, connection, found.area_code, rules.publication.emergency, at=call.at)
            terms = EmergencyTerms(reason=request.reason, note=request.note, ends_at=ends.due_at)
            origin = Origin(draft_id=found.id, revision=found.revision, emergency=terms)
            if found.status is DraftStatus.WRITTEN:
                await _show(kawal, connection, call, seat, found)
            else:
                await change_draft(connection, found)
            version_id = await _add(kawal, connection, call, seat, found, origin, begins=call.at)
            await tell(connection, "policy_emergency", draft_id=found.id, area_code=found.area_code, at=call.at)
            return Created(id=version_id)

        asked = _Asked(what="emergency", of=draft_id, given=request)
        return await once(connection, call, asked, put, answer=Created, route=EMERGENCY, vault=kawal.vault)


async def _show(kawal: Kawal, connection: AsyncConnection, call: Call, seat: Seat, found: DraftRecord) -> None:
    until = (await show(kawal, connection, found, at=call.at)).due_at.isoformat()
    kind = AuditType.POLICY_CONSULTATION_OPENED
    told: dict[str, JsonValue] = {"revision": found.revision, "until": until}
    await note(connection, call, seat, found.id, kind, area_code=found.area_code, **told)


async def _take(connection: AsyncConnection, call: Call, draft_id: UUID) -> tuple[DraftRecord, Seat]:
    """The draft under its lock, for somebody who may publish in its area."""
    await lock_draft(connection, draft_id)
    found = await find_draft(connection, draft_id)
    return found, call.actor.seat_for(Permission.POLICIES_PUBLISH, area_code=found.area_code)


async def _looked_at(connection: AsyncConnection, call: Call, seat: Seat, found: DraftRecord) -> Standing:
    """The draft as it stands, looked at by other eyes in the version that they hold; under the lock of its line."""
    require_version(call.holds, found.version)
    standing = await standing_of(connection, found)
    check_second_eyes(standing, by=call.actor.person, lender=seat.lent_by)
    await lock_line(connection, found.area_code)
    return standing


async def _add(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    found: DraftRecord,
    origin: Origin,
    *,
    begins: datetime,
) -> UUID:
    policy = read_in(found.document, beside=[])
    trial = await try_on(kawal, connection, policy, at=call.at)
    by = Doer.of(call.actor, seat)
    version_id = await add_version(connection, policy, at=call.at, effective_at=begins, by=by, origin=origin)
    told: dict[str, JsonValue] = {
        "version": str(version_id),
        "revision": found.revision,
        "open_cases": trial.open_cases,
        "affected": trial.affected,
    }
    emergency = origin.emergency is not None
    kind = AuditType.POLICY_PUBLISHED_IN_EMERGENCY if emergency else AuditType.POLICY_PUBLISHED
    await note(connection, call, seat, found.id, kind, area_code=found.area_code, **told)
    return version_id


async def revoke(kawal: Kawal, call: Call, version_id: UUID, request: RevocationInput) -> tuple[Created, bool]:
    """Take back a version of an emergency that is in force, or one that has not taken effect: what was before holds.

    Cases that began with it keep it. Raises NotFound, Forbidden, NotPossibleNow for any other version.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        row = await _version(connection, version_id)
        seat = call.actor.seat_for(Permission.POLICIES_PUBLISH, area_code=row.area_code)
        await lock_line(connection, row.area_code)

        async def put() -> Created:
            await _check_revocable(connection, await _version(connection, version_id), at=call.at)
            await add_turn(
                connection,
                version_id,
                Turn.REVOKED,
                area_code=row.area_code,
                at=call.at,
                by=call.actor.user_id,
                reason=request.note,
            )
            entry = Entry(
                type=AuditType.POLICY_REVOKED,
                by=Doer.of(call.actor, seat),
                data={"version": str(version_id), "number": row.number},
            )
            stream = stream_of_policy(row.area_code)
            await trail.record(connection, stream, [entry], at=call.at, area_code=row.area_code)
            if row.draft_id is not None:
                about = {"draft_id": row.draft_id, "area_code": row.area_code}
                await tell(connection, "policy_revoked", at=call.at, **about)
            return Created(id=version_id)

        asked = _Asked(what="revocation", of=version_id, given=request)
        return await once(connection, call, asked, put, answer=Created, route=REVOKE, vault=kawal.vault)


async def _version(connection: AsyncConnection, version_id: UUID) -> Row[*tuple[Any, ...]]:
    revoked = exists().where(PolicyTurn.version_id == PolicyVersion.id, PolicyTurn.turn == Turn.REVOKED.value)
    wanted = select(
        PolicyVersion.id,
        PolicyVersion.area_code,
        PolicyVersion.number,
        PolicyVersion.effective_at,
        PolicyVersion.emergency_reason,
        PolicyVersion.draft_id,
        revoked.label("revoked"),
    )
    row = (await connection.execute(wanted.where(PolicyVersion.id == version_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no policy version {version_id}.")
    return row


async def _check_revocable(connection: AsyncConnection, row: Row[*tuple[Any, ...]], *, at: datetime) -> None:
    if row.revoked:
        raise NotPossibleNow("The version has been revoked.", remedy="Read the policy in force.")
    if row.effective_at > at:
        return
    in_force = await version_in_force(connection, row.area_code, at=at)
    if row.emergency_reason is None or in_force.id != row.id:
        raise NotPossibleNow(
            "Only a version of an emergency that is in force is revoked, or one that has not taken effect.",
            remedy="Draft the policy that is to take its place.",
        )
