"""Leaves: who is away from which appointment, and who decides in their place."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.text import SearchTerm
from services.keyed import Call
from services.people import delegations
from services.people.delegations import NewDelegation
from services.queries import people
from services.queries.keyset import ByAge
from services.queries.people import Colleague, DelegationFacts

# Everybody has leaves of their own; whose else they may see and declare, `domain.people` says.
router = APIRouter(prefix="/delegations", tags=["people"], dependencies=[signed_in])


class DelegationQuery(PageQuery):
    """What narrows the list of leaves."""

    running: bool | None = Field(default=None, description="true: only those that run now")


class Candidates(BaseModel):
    """People who could stand in."""

    items: tuple[Colleague, ...]


@router.get("")
async def list_delegations(
    query: Annotated[DelegationQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[DelegationFacts]:
    """Your leaves, those in which you stand in, and those of the areas in which you may declare leaves."""
    return page_of(await people.list_delegations(kawal, actor, query.page(ByAge), running=query.running))


@router.post("", status_code=201)
async def declare_delegation(
    body: NewDelegation,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> DelegationFacts:
    """Declare a leave of your own membership, or of one below you. It ends by itself, and there are no chains."""
    call = Call(actor=actor, key=key, at=kawal.now())
    declared, replayed = await delegations.declare(kawal, call, body)
    response.headers["Location"] = f"/v1/delegations/{declared.id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return await people.read_delegation(kawal, actor, declared.id)


@router.get("/candidates")
async def list_candidates(
    membership_id: Annotated[UUID, Query(description="The membership of which a leave is to be declared")],
    q: Annotated[SearchTerm, Query(min_length=2, description="A part of the name")],
    actor: ActorDep,
    kawal: KawalDep,
) -> Candidates:
    """Who could stand in for the holder of a membership, by name: the same or a higher tier of the regency."""
    return Candidates(items=await people.list_colleagues(kawal, actor, membership_id, name=q))


@router.get("/{delegation_id}")
async def read_delegation(delegation_id: UUID, actor: ActorDep, kawal: KawalDep) -> DelegationFacts:
    """One leave."""
    return await people.read_delegation(kawal, actor, delegation_id)


@router.post("/{delegation_id}/revocation")
async def revoke_delegation(delegation_id: UUID, actor: ActorDep, kawal: KawalDep) -> DelegationFacts:
    """End a leave now: the holder decides again, in the very next request."""
    await delegations.revoke(kawal, actor, delegation_id)
    return await people.read_delegation(kawal, actor, delegation_id)
