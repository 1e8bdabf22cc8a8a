"""The work lists of a round: what a village is to verify again, in which order, and moving it by hand."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, HeldVersions, IdempotencyKey, KawalDep, etag, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import VillageCode
from domain.permissions import Permission
from domain.signoffs import Signing
from domain.targets import ListMove
from services.keyed import Call
from services.queries.keyset import ByPlace
from services.queries.work_lists import Target, VillageWork, list_targets, read_village
from services.signoffs import sign_plan
from services.work_lists import move_in_list

router = APIRouter(tags=["rounds"])

_READ = requires(Permission.HOUSEHOLDS_READ)


@router.get("/rounds/{round_id}/villages/{code}", dependencies=[_READ])
async def read_round_village(
    round_id: UUID, code: VillageCode, actor: ActorDep, kawal: KawalDep, response: Response
) -> VillageWork:
    """What a village is to verify again: how many it can, why, which hamlets nobody has been heard of in."""
    return _tagged(await read_village(kawal, actor, round_id, code), response)


@router.get("/rounds/{round_id}/villages/{code}/targets", dependencies=[_READ])
async def list_round_targets(
    round_id: UUID, code: VillageCode, query: Annotated[PageQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[Target]:
    """The work list of a village, the oldest and riskiest first, each household with the reasons."""
    return page_of(await list_targets(kawal, actor, round_id, code, query.page(ByPlace)))


@router.post("/rounds/{round_id}/villages/{code}/moves", dependencies=[requires(Permission.WORK_LISTS_ORDER)])
async def move_round_target(
    round_id: UUID,
    code: VillageCode,
    move: ListMove,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> VillageWork:
    """Put a household at another place of the list, for a reason; who did it, and why, is shown and in the trail."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await move_in_list(kawal, call, round_id, code, move), response)


@router.post("/rounds/{round_id}/villages/{code}/signoffs", dependencies=[requires(Permission.ROUNDS_SIGN)])
async def sign_village_plan(
    round_id: UUID,
    code: VillageCode,
    signing: Signing,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    holds: HeldVersions,
    response: Response,
) -> VillageWork:
    """Sign the step that the plan of a village waits for: propose, agree, object, answer an objection, or decide it."""
    call = Call(actor=actor, key=key, at=kawal.now(), holds=holds)
    return _tagged(await sign_plan(kawal, call, round_id, code, signing), response)


def _tagged(shown: VillageWork, response: Response) -> VillageWork:
    response.headers["ETag"] = etag(shown.version)
    return shown
