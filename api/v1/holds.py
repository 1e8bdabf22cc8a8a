"""Legal holds: what keeps a case from being erased after its period of retention."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from domain.authority import Permission
from domain.retention import HoldInput, LiftInput
from services.holds import lift_hold, place_hold
from services.keyed import Call
from services.queries.holds import Hold, HoldsOfCase, list_holds

router = APIRouter(tags=["retention"])


@router.post("/updates/{update_id}/hold", status_code=201, dependencies=[requires(Permission.HOLDS_MANAGE)])
async def hold_update(
    update_id: UUID,
    request: HoldInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
) -> Hold:
    """Keep an update and its files from being erased, however old they become. Lifted by another person."""
    return await place_hold(kawal, Call(actor=actor, key=key, at=kawal.now()), update_id, request)


@router.post("/updates/{update_id}/hold/lift", dependencies=[requires(Permission.HOLDS_MANAGE)])
async def lift_update_hold(
    update_id: UUID,
    request: LiftInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
) -> Hold:
    """Lift the hold that an update is under; not by who placed it."""
    return await lift_hold(kawal, Call(actor=actor, key=key, at=kawal.now()), update_id, request)


@router.get("/updates/{update_id}/holds", dependencies=[requires(Permission.HOLDS_MANAGE)])
async def list_update_holds(update_id: UUID, actor: ActorDep, kawal: KawalDep) -> HoldsOfCase:
    """Every hold that an update has had, the newest first."""
    return await list_holds(kawal, actor, update_id)
