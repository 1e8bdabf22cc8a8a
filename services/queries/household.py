"""One household in full, and as it was: masked unless an officer says what the numbers are needed for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, HouseholdVersion, Update
from db.repositories import trail
from db.repositories.registry import read_household, read_version
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import PERMISSIONS, Actor, Permission, Seat
from domain.errors import Forbidden
from domain.household import Household
from domain.text import Note
from domain.vocabulary import CLOSED_STATUSES, Kind, Status
from services.kawal import Kawal
from services.queries.masking import masked_household
from services.queries.view import AreaRef, View

_LONG_NUMBER = re.compile(r"[0-9]{8}")


def _without_numbers(purpose: str) -> str:
    if _LONG_NUMBER.search(purpose):
        raise ValueError("contains a long number; a purpose names no person by number")
    return purpose


Purpose = Annotated[Note, Field(min_length=10), AfterValidator(_without_numbers)]
"""What full numbers are needed for. It stands in the audit trail for good, so it may hold no number itself."""


class OpenUpdate(View):
    """An update of the household that is under way."""

    id: UUID
    tracking_code: str
    kind: Kind
    status: Status


class HouseholdInFull(View):
    """A household as the registry believes it to be."""

    area: AreaRef
    household: Household
    masked: bool = Field(description="Whether NIK and KK numbers are masked")
    open_updates: tuple[OpenUpdate, ...]


class VersionSummary(View):
    """A version of a household, and the update that made it so."""

    version: int
    applied_at: datetime
    update_id: UUID | None = Field(description="Null for what the registry began with")


class VersionInFull(View):
    """A household as it was in one version; numbers are masked."""

    version: int
    household: Household


async def read_household_in_full(
    kawal: Kawal,
    actor: Actor,
    household_id: UUID,
    *,
    purpose: str | None = None,
) -> HouseholdInFull:
    """One household. With a `purpose` its numbers are shown, and that they were is recorded in the same transaction.

    Raises NotFound outside the actor's areas, Forbidden without the permission, or for full numbers without a role
    that works on cases there.
    """
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        household = await _scoped(kawal, connection, actor, household_id)
        area_name = await connection.scalar(select(Area.name).where(Area.code == household.area_code))
        updates = await _open_updates(connection, household_id)
        if purpose is not None:
            await _record_reading(kawal, connection, actor, household, purpose=purpose)
    return HouseholdInFull(
        area=AreaRef(code=household.area_code, name=area_name or household.area_code),
        household=masked_household(household) if purpose is None else household,
        masked=purpose is None,
        open_updates=updates,
    )


async def list_versions(kawal: Kawal, actor: Actor, household_id: UUID) -> tuple[VersionSummary, ...]:
    """The versions of a household, the newest first. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        await _scoped(kawal, connection, actor, household_id)
        columns = (HouseholdVersion.version, HouseholdVersion.applied_at, HouseholdVersion.update_id)
        statement = select(*columns).where(HouseholdVersion.household_id == household_id)
        rows = (await connection.execute(statement.order_by(HouseholdVersion.version.desc()))).mappings()
        return tuple(VersionSummary.model_validate(dict(row)) for row in rows)


async def read_one_version(kawal: Kawal, actor: Actor, household_id: UUID, version: int) -> VersionInFull:
    """A household as it was in one version, masked. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        await _scoped(kawal, connection, actor, household_id)
        household = await read_version(connection, household_id, version, vault=kawal.vault)
    return VersionInFull(version=version, household=masked_household(household))


async def _scoped(kawal: Kawal, connection: AsyncConnection, actor: Actor, household_id: UUID) -> Household:
    household = await read_household(connection, household_id, vault=kawal.vault)
    actor.seat_for(Permission.HOUSEHOLDS_READ, area_code=household.area_code)
    return household


async def _open_updates(connection: AsyncConnection, household_id: UUID) -> tuple[OpenUpdate, ...]:
    statement = select(Update.id, Update.tracking_code, Update.kind, Update.status).where(
        Update.household_id == household_id,
        Update.status.not_in([status.value for status in CLOSED_STATUSES]),
    )
    rows = (await connection.execute(statement.order_by(Update.id))).mappings()
    return tuple(OpenUpdate.model_validate(dict(row)) for row in rows)


async def _record_reading(
    kawal: Kawal,
    connection: AsyncConnection,
    actor: Actor,
    household: Household,
    *,
    purpose: str,
) -> None:
    seat = _working_seat(actor, household.area_code)
    entry = Entry(
        type=AuditType.HOUSEHOLD_READ_UNMASKED,
        by=Doer(user_id=actor.user_id, role=seat.role, office_id=seat.office_id),
        data={"purpose": purpose, "version": household.version},
    )
    stream = f"household:{household.id}"
    await trail.record(connection, stream, [entry], at=kawal.now(), area_code=household.area_code)


def _working_seat(actor: Actor, area_code: str) -> Seat:
    """A seat over the area whose role reads households and works on cases."""
    needed = {Permission.HOUSEHOLDS_READ, Permission.TASKS_WORK}
    for seat in actor.seats_over(area_code):
        if needed <= PERMISSIONS[seat.role]:
            return seat
    raise Forbidden("Full numbers are shown to those who work on cases in this area.")
