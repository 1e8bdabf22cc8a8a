"""Update rounds of regencies: their calendars, and what counts for them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, etag, requires, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.permissions import Permission
from domain.rounds import Rescheduling, RoundClosing, RoundPlan
from services.keyed import Call
from services.queries.keyset import ByAge, ByCode
from services.queries.round_baseline import VillageBaseline, list_villages
from services.queries.rounds import RoundFilter, RoundInFull, RoundView, list_rounds, read_round
from services.rounds import close_round, plan_round, reschedule_round

router = APIRouter(tags=["rounds"])

_PLAN = requires(Permission.ROUNDS_PLAN)


class RoundsQuery(PageQuery):
    """What narrows the list."""

    area: AreaOrNation | None = Field(default=None, description="Rounds of this area, in it, or of what contains it")
    ahead: bool | None = Field(default=None, description="Whether the cut-off is still to come")


class VillagesQuery(PageQuery):
    """What narrows the list of villages."""

    area: AreaOrNation | None = Field(default=None, description="This area and all below it")


@router.post("/rounds", status_code=201, dependencies=[_PLAN])
async def plan_update_round(
    plan: RoundPlan, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> RoundInFull:
    """Plan the round of a regency for a period. Deliberations wait for its musdes window; everybody is told."""
    made, _ = await plan_round(kawal, Call(actor=actor, key=key, at=kawal.now()), plan)
    response.headers["Location"] = f"/v1/rounds/{made.id}"
    return _tagged(made, response)


@router.get("/rounds", dependencies=[signed_in])
async def list_update_rounds(
    query: Annotated[RoundsQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[RoundView]:
    """The rounds that concern your areas, the newest first, each with the days that are left."""
    wanted = RoundFilter(area=query.area, ahead=query.ahead)
    return page_of(await list_rounds(kawal, actor, wanted, query.page(ByAge)))


@router.get("/rounds/{round_id}", dependencies=[signed_in])
async def read_update_round(round_id: UUID, actor: ActorDep, kawal: KawalDep, response: Response) -> RoundInFull:
    """One round: its days, every calendar it was given, its figures, and what will miss its cut-off in your areas."""
    return _tagged(await read_round(kawal, actor, round_id), response)


@router.get("/rounds/{round_id}/villages", dependencies=[requires(Permission.HOUSEHOLDS_READ)])
async def list_round_villages(
    round_id: UUID, query: Annotated[VillagesQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[VillageBaseline]:
    """The baseline of a round by village: what the registry believed when it opened, and how old that was."""
    return page_of(await list_villages(kawal, actor, round_id, query.page(ByCode), area=query.area))


@router.post("/rounds/{round_id}/rescheduling", dependencies=[_PLAN])
async def reschedule_update_round(
    round_id: UUID,
    other: Rescheduling,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> RoundInFull:
    """Give a round other days, for a reason; a day that has come stays. What it said before stays on record."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await reschedule_round(kawal, call, round_id, other), response)


@router.post("/rounds/{round_id}/closing", dependencies=[_PLAN])
async def close_update_round(
    round_id: UUID,
    closing: RoundClosing,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> RoundInFull:
    """Close a round that has been published, once everything that missed its cut-off has rolled over."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await close_round(kawal, call, round_id, closing), response)


def _tagged(shown: RoundInFull, response: Response) -> RoundInFull:
    response.headers["ETag"] = etag(shown.version)
    return shown
