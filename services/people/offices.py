"""Offices: made, renamed, closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Membership, Office
from db.repositories import trail
from db.repositories.trail import Doer, Entry
from domain.areas import AreaOrNation
from domain.audit import AuditType
from domain.authority import Actor
from domain.errors import InvalidInput, NotFound, NotPossibleNow, Violation
from domain.ids import new_id
from domain.people import managing_seat, tier_of_area
from domain.text import ShortText
from services.kawal import Kawal
from services.keyed import Call, Created, HeldVersions, once
from services.people.areas import unknown_area
from services.people.governance import desk_of
from services.people.turns import take_turn
from services.versions import require_version

CREATE: Final = "POST /v1/offices"
OFFICE: Final = "office"
"""What takes turns: that an office is closed, and that somebody is appointed in it."""


class NewOffice(BaseModel):
    """An office to be made."""

    model_config = ConfigDict(extra="forbid")

    name: ShortText
    area_code: AreaOrNation = Field(description="The area that it covers; its tier follows")


class OfficeChange(BaseModel):
    """What is to be different of an office."""

    model_config = ConfigDict(extra="forbid")

    name: ShortText | None = None
    closed: bool | None = Field(default=None, description="A closed office takes nobody in any more")


async def create_office(kawal: Kawal, call: Call, wanted: NewOffice) -> tuple[Created, bool]:
    """Make an office, once for each key; and whether it was made before. Raises NotFound, Forbidden, InvalidInput."""
    seat = managing_seat(call.actor, area_code=wanted.area_code)
    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        return await once(
            connection,
            call,
            wanted,
            lambda: add_office(connection, wanted, by=Doer.of(call.actor, seat), at=call.at),
            answer=Created,
            route=CREATE,
            vault=kawal.vault,
        )


async def change_office(
    kawal: Kawal, actor: Actor, office_id: UUID, change: OfficeChange, *, holds: HeldVersions
) -> None:
    """Rename, close or open an office. Raises NotFound, Forbidden, StaleVersion, NotPossibleNow while it is staffed."""
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        area_code = await connection.scalar(select(Office.area_code).where(Office.id == office_id))
        if area_code is None:
            raise NotFound(f"There is no office {office_id} for you.")
        seat = managing_seat(actor, area_code=area_code)
        wanted = select(Office.__table__).where(Office.id == office_id).with_for_update()
        row = (await connection.execute(wanted)).one()
        require_version(holds, row.version)
        await alter_office(connection, row, change, by=Doer.of(actor, seat), at=at)


async def add_office(connection: AsyncConnection, wanted: NewOffice, *, by: Doer, at: datetime) -> Created:
    """Write an office. Raises InvalidInput for an area that is not loaded, and a name that its area has already."""
    violations = await unknown_area(connection, wanted.area_code)
    violations += await _name_taken(connection, wanted.name, area_code=wanted.area_code)
    if violations:
        raise InvalidInput(violations)
    office_id = new_id()
    tier, covered = tier_of_area(wanted.area_code).value, wanted.area_code
    await connection.execute(insert(Office).values(id=office_id, name=wanted.name, tier=tier, area_code=covered))
    data: dict[str, JsonValue] = {"name": wanted.name, "tier": tier, "area": covered}
    await _note(connection, office_id, Entry(type=AuditType.OFFICE_CREATED, by=by, data=data), at=at)
    return Created(id=office_id)


async def alter_office(
    connection: AsyncConnection,
    row: Row[*tuple[Any, ...]],
    change: OfficeChange,
    *,
    by: Doer,
    at: datetime,
) -> None:
    """Write what is different of an office. Raises InvalidInput for a name that is taken, NotPossibleNow."""
    if change.closed and row.closed_at is None:
        await take_turn(connection, OFFICE, row.id)
        if await _staffed(connection, row.id, at=at):
            raise NotPossibleNow("Somebody is still appointed in this office.", remedy="End those memberships first.")
    closed_at = row.closed_at if change.closed is None else ((row.closed_at or at) if change.closed else None)
    after: dict[str, Any] = {"name": change.name or row.name, "closed_at": closed_at}
    before = {"name": row.name, "closed_at": row.closed_at}
    if after == before:
        return
    if closed_at is None:
        taken = await _name_taken(connection, after["name"], area_code=row.area_code, besides=row.id)
        if taken:
            raise InvalidInput(taken)
    changed = update(Office).where(Office.id == row.id)
    await connection.execute(changed.values(**after, version=Office.version + 1))
    kind = AuditType.OFFICE_CLOSED if closed_at and not row.closed_at else AuditType.OFFICE_CHANGED
    data: dict[str, JsonValue] = {"before": _told(before), "after": _told(after)}
    await _note(connection, row.id, Entry(type=kind, by=by, data=data), at=at)


async def _name_taken(
    connection: AsyncConnection, name: str, *, area_code: str, besides: UUID | None = None
) -> list[Violation]:
    """What is wrong with naming an open office of the area so; offices of an area are named one after the other."""
    await take_turn(connection, "offices", area_code)
    named_so = select(Office.id).where(
        Office.area_code == area_code,
        func.lower(Office.name) == name.lower(),
        Office.closed_at.is_(None),
        Office.id.is_distinct_from(besides),
    )
    if await connection.scalar(named_so.limit(1)) is None:
        return []
    return [
        Violation(
            pointer="/name",
            code="name_taken",
            detail="The area has an office of this name.",
            remedy="Choose another name.",
        ),
    ]


async def _staffed(connection: AsyncConnection, office_id: UUID, *, at: datetime) -> bool:
    running = select(Membership.id).where(
        Membership.office_id == office_id, or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    )
    return await connection.scalar(running.limit(1)) is not None


def _told(values: dict[str, Any]) -> dict[str, JsonValue]:
    return {"name": values["name"], "closed": values["closed_at"] is not None}


async def _note(connection: AsyncConnection, office_id: UUID, entry: Entry, *, at: datetime) -> None:
    await trail.record(connection, f"office:{office_id}", [entry], at=at, area_code=None)
