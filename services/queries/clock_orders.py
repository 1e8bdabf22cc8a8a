"""Reading orders over the clocks of an area: what holds, how each came to say what it says, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import Area, ClockJob, ClockOrderRecord, Task
from db.repositories.people import ancestry
from db.session import Viewer
from domain.authority import NATION, Actor, covers
from domain.clock_orders import OrderKind, SuspensionReason, SystemPart
from domain.errors import NotFound
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import within
from services.queries.view import AreaRef, OfficeRef, PersonRef, View
from services.queries.who import read_who

_NATION_NAME: Final = "Indonesia"


class OrderState(StrEnum):
    """How an order stands: yet to begin, holding, past, or entered in error."""

    AHEAD = "ahead"
    HOLDING = "holding"
    ENDED = "ended"
    VOID = "void"


class ClockOrderView(View):
    """An order as its last record says."""

    id: UUID
    version: int
    kind: OrderKind
    area: AreaRef
    number: str
    reason: SuspensionReason | None = Field(description="Of a suspension")
    part: SystemPart | None = Field(description="Of an outage: what was away")
    from_: datetime = Field(serialization_alias="from")
    until: datetime | None = Field(description="Null while nobody knows when it ends")
    credit_days: int | None = Field(description="Working days that an outage gives, where it does not stop clocks")
    scan: UUID | None
    note: str | None
    void: bool
    state: OrderState
    settled: bool = Field(description="Whether it has come to every open task of the area")


class OrderRecordView(View):
    """One record of an order: who entered it, in which seat, and what it said."""

    version: int
    number: str
    from_: datetime = Field(serialization_alias="from")
    until: datetime | None
    credit_days: int | None
    void: bool
    entered_by: PersonRef
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef
    entered_at: datetime


class ClockOrderInFull(ClockOrderView):
    """An order with all that was ever entered of it, and how many open tasks it has yet to come to."""

    records: tuple[OrderRecordView, ...]
    tasks_behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What narrows the list: an area and all that holds in it or below it; how the orders stand."""

    area: str | None = None
    state: OrderState | None = None


async def require_area(connection: AsyncConnection, area_code: str) -> None:
    """Raise NotFound for what is no area."""
    if area_code != NATION and await connection.scalar(select(Area.code).where(Area.code == area_code)) is None:
        raise NotFound(f"There is no area {area_code!r}.", pointer="/area_code")


async def find_order(connection: AsyncConnection, order_id: UUID, kind: OrderKind) -> str:
    """The area of an order. Raises NotFound."""
    wanted = select(ClockOrderRecord.area_code).where(
        ClockOrderRecord.id == order_id, ClockOrderRecord.kind == kind.value
    )
    area_code = await connection.scalar(wanted.limit(1))
    if area_code is None:
        raise NotFound(f"There is no {kind.value} {order_id} for you.")
    return area_code


async def list_orders(
    kawal: Kawal, actor: Actor, kind: OrderKind, wanted: OrderFilter, page: PageOf[ByAge]
) -> Slice[ClockOrderView, ByAge]:
    """The orders in the actor's areas, or over them, the newest first. Raises NotFound for an area outside."""
    now = kawal.now()
    if wanted.area is not None and not actor.seats_over(wanted.area):
        raise NotFound(f"There is no area {wanted.area!r} for you.", pointer="/area")
    areas = actor.areas if wanted.area is None else (wanted.area,)
    conditions = [ClockOrderRecord.kind == kind.value, concerning(areas)]
    if wanted.state is not None:
        conditions.append(_stands(wanted.state, now=now))
    if page.after is not None:
        conditions.append(ClockOrderRecord.id < page.after.id)
    statement = last_records().where(*conditions).order_by(ClockOrderRecord.id.desc()).limit(page.limit + 1)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
    return Slice([ClockOrderView.model_validate(_told(row, now=now)) for row in rows], after)


async def read_order_of(kawal: Kawal, actor: Actor, order_id: UUID, kind: OrderKind) -> ClockOrderInFull:
    """One order, for whoever works where it holds. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        area_code = await find_order(connection, order_id, kind)
        if not any(covers(area_code, mine) or covers(mine, area_code) for mine in actor.areas):
            raise NotFound(f"There is no {kind.value} {order_id} for you.")
        return await read_order(kawal, connection, order_id, kind)


async def read_order(kawal: Kawal, connection: AsyncConnection, order_id: UUID, kind: OrderKind) -> ClockOrderInFull:
    """One order, whoever asks. Raises NotFound."""
    wanted = (ClockOrderRecord.id == order_id, ClockOrderRecord.kind == kind.value)
    row = (await connection.execute(last_records().where(*wanted))).one_or_none()
    if row is None:
        raise NotFound(f"There is no {kind.value} {order_id} for you.")
    history = select(ClockOrderRecord.__table__).where(*wanted).order_by(ClockOrderRecord.version)
    records = (await connection.execute(history)).all()
    who = await read_who(
        connection,
        people=(person for each in records for person in (each.entered_by, each.on_behalf_of)),
        offices=(each.office_id for each in records),
        posts=(),
    )
    inside = true() if row.area_code == NATION else within(Task.area_code, (row.area_code,))
    behind = select(func.count()).where(Task.status == "open", Task.clock_job < row.job_id, inside)
    told = tuple(
        OrderRecordView.model_validate(
            {
                **_terms(each),
                "entered_by": who.person(each.entered_by),
                "on_behalf_of": who.person(each.on_behalf_of),
                "role": each.entered_role,
                "office": who.office(each.office_id),
                "entered_at": each.entered_at,
            },
        )
        for each in records
    )
    count = 0 if row.settled else await connection.scalar(behind)
    return ClockOrderInFull.model_validate({**_told(row, now=kawal.now()), "records": told, "tasks_behind": count})


def last_records() -> Select[*tuple[Any, ...]]:
    """The last record of each order, with the name of its area."""
    later = aliased(ClockOrderRecord)
    superseded = exists().where(later.id == ClockOrderRecord.id, later.version > ClockOrderRecord.version)
    return (
        select(
            *ClockOrderRecord.__table__.columns,
            func.coalesce(Area.name, _NATION_NAME).label("area_name"),
            ClockJob.settled_at.is_not(None).label("settled"),
        )
        .outerjoin(Area, Area.code == ClockOrderRecord.area_code)
        .join(ClockJob, ClockJob.id == ClockOrderRecord.job_id)
        .where(~superseded)
    )


def concerning(areas: tuple[str, ...]) -> ColumnElement[bool]:
    """That an order holds in one of these areas: it is of one, of a part of one, or of one that contains it."""
    over = sorted({above for area in areas for above in ancestry(area)})
    return or_(ClockOrderRecord.area_code.in_(over), within(ClockOrderRecord.area_code, areas))


def holding(now: datetime) -> ColumnElement[bool]:
    """That an order holds now."""
    return _stands(OrderState.HOLDING, now=now)


def _stands(state: OrderState, *, now: datetime) -> ColumnElement[bool]:
    valid, ended = ~ClockOrderRecord.void, ClockOrderRecord.until_at <= now
    match state:
        case OrderState.VOID:
            return ~valid
        case OrderState.AHEAD:
            return and_(valid, ClockOrderRecord.from_at > now)
        case OrderState.ENDED:
            return and_(valid, ended)
        case OrderState.HOLDING:
            open_ended = ClockOrderRecord.until_at.is_(None)
            return and_(valid, ClockOrderRecord.from_at <= now, or_(open_ended, ~ended))


def _state(row: Row[*tuple[Any, ...]], *, now: datetime) -> OrderState:
    if row.void:
        return OrderState.VOID
    if row.from_at > now:
        return OrderState.AHEAD
    return OrderState.HOLDING if row.until_at is None or row.until_at > now else OrderState.ENDED


def _terms(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "version": row.version,
        "number": row.number,
        "from_": row.from_at,
        "until": row.until_at,
        "credit_days": row.credit_days,
        "void": row.void,
    }


def _told(row: Row[*tuple[Any, ...]], *, now: datetime) -> dict[str, Any]:
    return {
        **_terms(row),
        "id": row.id,
        "kind": row.kind,
        "area": AreaRef.of(row),
        "reason": row.reason,
        "part": row.part,
        "scan": row.evidence_id,
        "note": row.note,
        "state": _state(row, now=now),
        "settled": row.settled,
    }
