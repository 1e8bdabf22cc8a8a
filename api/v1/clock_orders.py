"""Orders over the clocks of an area: suspensions by a disaster order, and recorded outages."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, etag, requires, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.clock_order_input import LiftInput, OutageInput, OutageTerms, SuspensionInput, SuspensionTerms
from domain.clock_orders import OrderKind
from domain.permissions import Permission
from services.clock_orders import correct_order, enter_order, lift_order
from services.keyed import Call
from services.queries.clock_orders import (
    ClockOrderInFull,
    ClockOrderView,
    OrderFilter,
    OrderState,
    list_orders,
    read_order_of,
)
from services.queries.keyset import ByAge

router = APIRouter(tags=["clocks"])

_ORDER = requires(Permission.CLOCKS_ORDER)


class OrdersQuery(PageQuery):
    """What narrows the list."""

    area: AreaOrNation | None = None
    state: OrderState | None = None


@router.post("/suspensions", status_code=201, dependencies=[_ORDER])
async def suspend_area(
    request: SuspensionInput, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> ClockOrderInFull:
    """Suspend an area by a disaster order: the clock of every open task in it stands, from then on and for new ones."""
    return await _enter(request, key, actor, kawal, response, place="suspensions")


@router.get("/suspensions", dependencies=[signed_in])
async def list_suspensions(
    query: Annotated[OrdersQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[ClockOrderView]:
    """The suspensions that hold in your areas, or over them, the newest first."""
    return await _list(OrderKind.SUSPENSION, query, actor, kawal)


@router.get("/suspensions/{order_id}", dependencies=[signed_in])
async def read_suspension(order_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> ClockOrderInFull:
    """One suspension with every record of it, and how many open tasks it has yet to come to."""
    return _tagged(await read_order_of(kawal, actor, order_id, OrderKind.SUSPENSION), response)


@router.post("/suspensions/{order_id}/correction", dependencies=[_ORDER])
async def correct_suspension(
    order_id: UUID,
    terms: SuspensionTerms,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> ClockOrderInFull:
    """Supersede what a suspension says; what it said stays on record."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await correct_order(kawal, call, order_id, terms), response)


@router.post("/suspensions/{order_id}/lift", dependencies=[_ORDER])
async def lift_suspension(
    order_id: UUID,
    order: LiftInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> ClockOrderInFull:
    """Lift a suspension: clocks go on with what was left, also those that were to stand for longer."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await lift_order(kawal, call, order_id, OrderKind.SUSPENSION, order), response)


@router.post("/outages", status_code=201, dependencies=[_ORDER])
async def record_outage(
    request: OutageInput, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> ClockOrderInFull:
    """Record that a part of the system was away: its time is given back to every task that was open in it."""
    return await _enter(request, key, actor, kawal, response, place="outages")


@router.get("/outages", dependencies=[signed_in])
async def list_outages(
    query: Annotated[OrdersQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[ClockOrderView]:
    """The outages recorded in your areas, or over them, the newest first."""
    return await _list(OrderKind.OUTAGE, query, actor, kawal)


@router.get("/outages/{order_id}", dependencies=[signed_in])
async def read_outage(order_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> ClockOrderInFull:
    """One outage with every record of it, and how many open tasks it has yet to come to."""
    return _tagged(await read_order_of(kawal, actor, order_id, OrderKind.OUTAGE), response)


@router.post("/outages/{order_id}/correction", dependencies=[_ORDER])
async def correct_outage(
    order_id: UUID,
    terms: OutageTerms,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> ClockOrderInFull:
    """Supersede what the record of an outage says; what it said stays on record."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await correct_order(kawal, call, order_id, terms), response)


@router.post("/outages/{order_id}/lift", dependencies=[_ORDER])
async def end_outage(
    order_id: UUID,
    order: LiftInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> ClockOrderInFull:
    """Let an outage end earlier than was recorded."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await lift_order(kawal, call, order_id, OrderKind.OUTAGE, order), response)


async def _enter(
    request: SuspensionInput | OutageInput,
    key: str,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
    *,
    place: str,
) -> ClockOrderInFull:
    made, _ = await enter_order(kawal, Call(actor=actor, key=key, at=kawal.now()), request)
    response.headers["Location"] = f"/v1/{place}/{made.id}"
    return _tagged(made, response)


async def _list(kind: OrderKind, query: OrdersQuery, actor: ActorDep, kawal: KawalDep) -> Page[ClockOrderView]:
    wanted = OrderFilter(area=query.area, state=query.state)
    return page_of(await list_orders(kawal, actor, kind, wanted, query.page(ByAge)))


def _tagged(order: ClockOrderInFull, response: Response) -> ClockOrderInFull:
    response.headers["ETag"] = etag(order.version)
    return order
