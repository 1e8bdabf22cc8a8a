"""One household in full, and as it was; masked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, HouseholdVersion, Update
from db.repositories.registry import read_household, read_version
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.household import Household
from domain.vocabulary import CLOSED_STATUSES, Kind, Status
from services.kawal import Kawal
from services.queries.masking import Masked, masked_household
from services.queries.rights import ObjectionStanding, read_objections
from services.queries.view import AreaRef, View


class OpenUpdate(View):
    """An update of the household that is under way."""

    id: UUID
    tracking_code: str
    kind: Kind
    status: Status


class HouseholdInFull(View):
    """A household as the registry believes it to be."""

    area: AreaRef
    version: int
    household: Masked
    open_updates: tuple[OpenUpdate, ...]
    objections: tuple[ObjectionStanding, ...] = Field(
        description="Objections of its members to the processing of their data, open or upheld",
    )


class VersionSummary(View):
    """A version of a household, and the update that made it so."""

    version: int
    applied_at: datetime
    update_id: UUID | None = Field(description="Null for what the registry began with")


class VersionInFull(View):
    """A household as it was in one version; masked."""

    version: int
    household: Masked


async def read_household_in_full(kawal: Kawal, actor: Actor, household_id: UUID) -> HouseholdInFull:
    """One household, masked. Raises NotFound outside the actor's areas, Forbidden without the permission."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        household = await _scoped(kawal, connection, actor, household_id)
        area_name = await connection.scalar(select(Area.name).where(Area.code == household.area_code))
        updates = await _open_updates(connection, household_id)
        objections = await read_objections(connection, household_id=household_id)
    return HouseholdInFull(
        area=AreaRef(code=household.area_code, name=area_name or household.area_code),
        version=household.version,
        household=masked_household(household),
        open_updates=updates,
        objections=objections,
    )


async def list_versions(kawal: Kawal, actor: Actor, household_id: UUID) -> tuple[VersionSummary, ...]:
    """The versions of a household, the newest first. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await _scoped(kawal, connection, actor, household_id)
        columns = (HouseholdVersion.version, HouseholdVersion.applied_at, HouseholdVersion.update_id)
        statement = select(*columns).where(HouseholdVersion.household_id == household_id)
        rows = (await connection.execute(statement.order_by(HouseholdVersion.version.desc()))).mappings()
        return tuple(VersionSummary.model_validate(dict(row)) for row in rows)


async def read_one_version(kawal: Kawal, actor: Actor, household_id: UUID, version: int) -> VersionInFull:
    """A household as it was in one version, masked. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
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
