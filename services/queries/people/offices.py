"""Offices. Who sits in them is not told."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.models import Office
from db.session import Viewer
from domain.authority import Actor
from domain.errors import NotFound
from domain.vocabulary import Tier
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import within
from services.queries.view import View


class OfficeFacts(View):
    """An office."""

    id: UUID
    name: str
    tier: Tier
    area_code: str
    closed_at: datetime | None
    version: int


_OFFICES: Final = select(Office.id, Office.name, Office.tier, Office.area_code, Office.closed_at, Office.version)


async def list_offices(
    kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, area: str | None, closed: bool
) -> Slice[OfficeFacts, ByAge]:
    """The offices of an area and below it, or all: who sits in them is not told."""
    statement = _OFFICES.order_by(Office.id.desc()).limit(page.limit + 1)
    if area is not None:
        statement = statement.where(within(Office.area_code, (area,)))
    if not closed:
        statement = statement.where(Office.closed_at.is_(None))
    if page.after is not None:
        statement = statement.where(Office.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
    return Slice(
        [OfficeFacts.model_validate({name: getattr(row, name) for name in OfficeFacts.model_fields}) for row in rows],
        after,
    )


async def read_office(kawal: Kawal, actor: Actor, office_id: UUID) -> OfficeFacts:
    """One office. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = (await connection.execute(_OFFICES.where(Office.id == office_id))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no office {office_id}.")
    return OfficeFacts.model_validate(dict(row))
