"""What anybody may read of an area: whether its clocks stand, since when and by which decree. No personal data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import Field
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, ClockOrderRecord
from db.repositories.people import ancestry
from db.session import Viewer
from domain.clock_orders import OrderKind, SuspensionReason, SystemPart
from domain.errors import NotFound
from services.kawal import Kawal
from services.queries.clock_orders import holding, last_records
from services.queries.view import AreaRef, Text, View

_REASONS: Final = {
    SuspensionReason.EARTHQUAKE: Text(id="gempa bumi", en="earthquake"),
    SuspensionReason.FLOOD: Text(id="banjir", en="flood"),
    SuspensionReason.LANDSLIDE: Text(id="tanah longsor", en="landslide"),
    SuspensionReason.ERUPTION: Text(id="letusan gunung api", en="volcanic eruption"),
    SuspensionReason.TSUNAMI: Text(id="tsunami", en="tsunami"),
    SuspensionReason.FIRE: Text(id="kebakaran", en="fire"),
    SuspensionReason.DROUGHT: Text(id="kekeringan", en="drought"),
    SuspensionReason.EPIDEMIC: Text(id="wabah", en="epidemic"),
    SuspensionReason.UNREST: Text(id="kerusuhan", en="unrest"),
}
_PARTS: Final = {
    SystemPart.NETWORK: Text(id="gangguan jaringan", en="network outage"),
    SystemPart.POWER: Text(id="listrik padam", en="power cut"),
    SystemPart.KAWAL: Text(id="gangguan sistem Kawal", en="outage of Kawal"),
    SystemPart.CIVIL_REGISTRY: Text(id="gangguan layanan Dukcapil", en="outage of the civil registry"),
    SystemPart.MINISTRY: Text(id="gangguan layanan Kementerian", en="outage of the Ministry's service"),
}


class PublicOrder(View):
    """An order that holds now, in words for the public."""

    kind: OrderKind
    area: AreaRef = Field(description="Over which area it is: the one that was asked about, or one that contains it")
    number: str
    cause: Text
    from_: datetime = Field(serialization_alias="from")
    until: datetime | None
    text: Text


class AreaPage(View):
    """What is known of an area in public."""

    area: AreaRef
    orders: tuple[PublicOrder, ...] = Field(description="Why clocks stand in it now; empty on ordinary days")


async def read_area_page(kawal: Kawal, code: str) -> AreaPage:
    """The public page of an area. Raises NotFound."""
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        name = await connection.scalar(select(Area.name).where(Area.code == code))
        if name is None:
            raise NotFound("There is no area of this code.")
        orders = await orders_in_force(connection, code, now=kawal.now())
    return AreaPage(area=AreaRef(code=code, name=name), orders=orders)


async def orders_in_force(connection: AsyncConnection, area_code: str, *, now: datetime) -> tuple[PublicOrder, ...]:
    """The orders that hold over an area now. One statement."""
    over = ClockOrderRecord.area_code.in_(ancestry(area_code))
    statement = last_records().where(over, holding(now)).order_by(ClockOrderRecord.from_at, ClockOrderRecord.id)
    return tuple(_public(row) for row in await connection.execute(statement))


def _public(row: Row[*tuple[Any, ...]]) -> PublicOrder:
    cause = _PARTS[SystemPart(row.part)] if row.reason is None else _REASONS[SuspensionReason(row.reason)]
    area = AreaRef.of(row)
    return PublicOrder(
        kind=row.kind,
        area=area,
        number=row.number,
        cause=cause,
        from_=row.from_at,
        until=row.until_at,
        text=Text(
            id=f"Pelayanan di wilayah ini terhenti ({cause.id}, {row.number}); batas waktu usulan ikut bergeser.",
            en=f"Service in this area is held up ({cause.en}, {row.number}); deadlines of updates move along.",
        ),
    )
