"""Legal holds: a case is kept although its period has passed, until somebody else says that it need not be."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import LegalHold, Update
from db.repositories import trail
from db.repositories.cases import CaseRecord, lock_case
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Permission, Seat
from domain.errors import ContentErased, NotPossibleNow
from domain.ids import new_id
from domain.retention import HoldInput, LiftInput, check_lifting, hold_context, lift_context
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.holds import Hold, read_holds

PLACE: Final = "POST /v1/updates/{id}/hold"
LIFT: Final = "POST /v1/updates/{id}/hold/lift"


async def place_hold(kawal: Kawal, call: Call, update_id: UUID, request: HoldInput) -> Hold:
    """Keep a case from being erased.

    Raises NotFound outside the actor's areas, Forbidden, NotPossibleNow while another hold stands, ContentErased when
    it is too late, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case, seat = await _locked(connection, call, update_id)
        made, _ = await once(
            connection,
            call,
            request,
            lambda: _place(kawal, connection, call, case, seat, request),
            answer=Created,
            route=f"{PLACE} {update_id}",
            vault=kawal.vault,
        )
        return await _one(kawal, connection, update_id, made.id)


async def lift_hold(kawal: Kawal, call: Call, update_id: UUID, request: LiftInput) -> Hold:
    """Let a case be erased again when its time has come.

    Raises NotFound, Forbidden, SeparationOfDuties for who placed the hold, NotPossibleNow when none stands.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case, seat = await _locked(connection, call, update_id)
        lifted, _ = await once(
            connection,
            call,
            request,
            lambda: _lift(kawal, connection, call, case, seat, request),
            answer=Created,
            route=f"{LIFT} {update_id}",
            vault=kawal.vault,
        )
        return await _one(kawal, connection, update_id, lifted.id)


async def _locked(connection: AsyncConnection, call: Call, update_id: UUID) -> tuple[CaseRecord, Seat]:
    """The case, which whoever erases locks too, and the seat in which the caller may hold it."""
    case = await lock_case(connection, update_id)
    return case, call.actor.seat_for(Permission.HOLDS_MANAGE, area_code=case.area_code)


async def _place(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    case: CaseRecord,
    seat: Seat,
    request: HoldInput,
) -> Created:
    if await _standing(connection, case.id) is not None:
        raise NotPossibleNow("This case is held already.", remedy="Read its hold.")
    if await connection.scalar(select(Update.erased_at).where(Update.id == case.id)) is not None:
        raise ContentErased("What this update proposed was erased before.")
    hold_id = new_id()
    await connection.execute(
        insert(LegalHold).values(
            id=hold_id,
            update_id=case.id,
            area_code=case.area_code,
            ground=request.ground.value,
            explanation=kawal.vault.seal_text(request.explanation, context=hold_context(hold_id)),
            placed_by=call.actor.user_id,
            placed_at=call.at,
        ),
    )
    await _tell(connection, call, case, seat, AuditType.UPDATE_HOLD_PLACED, hold_id, ground=request.ground.value)
    return Created(id=hold_id)


async def _lift(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    case: CaseRecord,
    seat: Seat,
    request: LiftInput,
) -> Created:
    standing = await _standing(connection, case.id)
    if standing is None:
        raise NotPossibleNow("This case is not held.", remedy="Read its holds: somebody may have lifted it.")
    hold_id, placed_by = standing
    check_lifting(placed_by, by=call.actor.person)
    await connection.execute(
        update(LegalHold)
        .where(LegalHold.id == hold_id)
        .values(
            lifted_by=call.actor.user_id,
            lifted_at=call.at,
            lifted_because=kawal.vault.seal_text(request.explanation, context=lift_context(hold_id)),
        ),
    )
    await _tell(connection, call, case, seat, AuditType.UPDATE_HOLD_LIFTED, hold_id)
    return Created(id=hold_id)


async def _standing(connection: AsyncConnection, update_id: UUID) -> tuple[UUID, UUID] | None:
    wanted = select(LegalHold.id, LegalHold.placed_by).where(
        LegalHold.update_id == update_id,
        LegalHold.lifted_at.is_(None),
    )
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else (row.id, row.placed_by)


async def _tell(
    connection: AsyncConnection,
    call: Call,
    case: CaseRecord,
    seat: Seat,
    happened: AuditType,
    hold_id: UUID,
    **more: str,
) -> None:
    entry = Entry(type=happened, by=Doer.of(call.actor, seat), data={"hold": str(hold_id), **more})
    await trail.record(connection, stream_of_update(case.id), [entry], at=call.at, area_code=case.area_code)


async def _one(kawal: Kawal, connection: AsyncConnection, update_id: UUID, hold_id: UUID) -> Hold:
    return next(hold for hold in await read_holds(kawal, connection, update_id) if hold.id == hold_id)
