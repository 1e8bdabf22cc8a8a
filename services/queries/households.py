"""Which households there are: the facts that a list may show, and no number or name of a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, select

from db.models import Area, Household
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.household import HouseholdStatus
from services.kawal import Kawal
from services.queries.finding import households_found_by
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, View


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdFilter:
    """What narrows the list. `term` is a NIK or KK number."""

    area: str | None = None
    desil: tuple[int, ...] = ()
    term: str | None = field(default=None, repr=False)


class HouseholdSummary(View):
    """The facts of a household that a list may show: nothing that names a person."""

    id: UUID
    area: AreaRef
    version: int
    status: HouseholdStatus
    member_count: int
    desil: int | None = Field(description="National rank 1-10 by the statistics office; not a measure of poverty")
    last_verified_on: date | None
    updated_at: datetime


async def list_households(
    kawal: Kawal,
    actor: Actor,
    wanted: HouseholdFilter,
    page: PageOf[ByAge],
) -> Slice[HouseholdSummary, ByAge]:
    """The households in view that fit. One statement. Raises NotFound for an area outside the actor's own."""
    areas = areas_in_view(actor, Permission.HOUSEHOLDS_READ, area=wanted.area)
    conditions = [within(Household.area_code, areas)]
    if wanted.desil:
        conditions.append(Household.desil.in_(wanted.desil))
    if wanted.term is not None:
        conditions.append(households_found_by(wanted.term, vault=kawal.vault))
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows = (await connection.execute(household_list(*conditions, page=page))).all()
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_summary(row) for row in shown], after)


def household_list(*conditions: ColumnElement[bool], page: PageOf[ByAge]) -> Select[*tuple[Any, ...]]:
    """The statement of the list; with an area it is one range of `(area_code, id)`."""
    columns = (
        *(Household.id, Household.area_code, Household.version, Household.status),
        *(Household.member_count, Household.desil, Household.last_verified_on, Household.updated_at),
    )
    statement = (
        select(*columns, Area.name.label("area_name"))
        .join(Area, Area.code == Household.area_code)
        .where(*conditions)
        .order_by(Household.id.desc())
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(Household.id < page.after.id)


def _summary(row: Row[*tuple[Any, ...]]) -> HouseholdSummary:
    return HouseholdSummary(
        id=row.id,
        area=AreaRef.of(row),
        version=row.version,
        status=row.status,
        member_count=row.member_count,
        desil=row.desil,
        last_verified_on=row.last_verified_on,
        updated_at=row.updated_at,
    )
