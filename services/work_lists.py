"""Moving a household in the work list of its village by hand: for a reason, and never silently."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.rounds import read_round, stream_of_rounds
from db.repositories.trail import Doer, Entry
from db.repositories.work_lists import lock_village, move_target, position_of
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.errors import InvalidInput, NotPossibleNow, Violation
from domain.ids import new_id
from domain.permissions import Permission
from domain.rounds import Round
from domain.targets import ListMove
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.work_lists import VillageWork, read_village_work
from services.versions import require_version

_ROUTE: Final = "POST /v1/rounds/{}/villages/{}/moves"


async def move_in_list(kawal: Kawal, call: Call, round_id: UUID, area_code: str, move: ListMove) -> VillageWork:
    """Put a household at another place of the list. Raises NotFound, Forbidden, StaleVersion, InvalidInput.

    NotPossibleNow once the round is closed.
    """
    seat = call.actor.seat_for(Permission.WORK_LISTS_ORDER, area_code=area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        shown = await read_round(connection, round_id)

        async def done() -> Created:
            return await _move(connection, call, seat, shown, area_code, move)

        route = _ROUTE.format(round_id, area_code)
        await once(connection, call, move, done, answer=Created, route=route, vault=kawal.vault)
        return await read_village_work(connection, shown, area_code)


async def _move(
    connection: AsyncConnection, call: Call, seat: Seat, shown: Round, area_code: str, move: ListMove
) -> Created:
    village = await lock_village(connection, shown.id, area_code)
    require_version(call.holds, village.version)
    if shown.closed:
        raise NotPossibleNow("The round is closed.")
    before = await position_of(connection, shown.id, area_code, move.household_id)
    if before is None or move.to > village.listed or move.to == before:
        raise InvalidInput([_fault(before, move, longest=village.listed)])
    move_id = new_id()
    row = {
        "id": move_id,
        "round_id": shown.id,
        "household_id": move.household_id,
        "area_code": area_code,
        "from_position": before,
        "to_position": move.to,
        "reason": move.reason.value,
        "note": move.note,
        "moved_by": call.actor.user_id,
        "moved_role": seat.role.value,
        "office_id": seat.office_id,
        "on_behalf_of": seat.on_behalf_of,
        "moved_at": call.at,
    }
    await move_target(connection, row)
    told: dict[str, JsonValue] = {
        "round": shown.period,
        "household": str(move.household_id),
        "from": before,
        "to": move.to,
        "reason": move.reason.value,
        "note": move.note,
    }
    entry = Entry(type=AuditType.ROUND_LIST_MOVED, by=Doer.of(call.actor, seat), data=told)
    stream = stream_of_rounds(area_code)
    await trail.record(connection, stream, [entry], at=call.at, area_code=area_code)
    return Created(id=move_id)


def _fault(before: int | None, move: ListMove, *, longest: int) -> Violation:
    """Why a household cannot be put there."""
    if before is None:
        detail = "The household is not on the work list of this village."
        return Violation(pointer="/household_id", code="not_listed", detail=detail, remedy="Name one of the list.")
    if move.to == before:
        detail = f"The household stands at place {before} already."
        return Violation(pointer="/to", code="not_moved", detail=detail, remedy="Name another place.")
    detail = f"The list has {longest} places."
    return Violation(pointer="/to", code="past_the_list", detail=detail, remedy=f"Name a place up to {longest}.")
