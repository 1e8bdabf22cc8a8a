"""Versions of policies: list, read, compare, revoke. They come about as drafts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.policy.comparison import Difference
from services.keyed import Call
from services.policies import publication, versions
from services.policies.publication import RevocationInput
from services.policies.versions import PolicyDocument, PolicySummary
from services.queries.keyset import ByAge

router = APIRouter(prefix="/policies", tags=["policies"])

AreaQuery = Annotated[AreaOrNation, Query(description="An area such as 32.06, or `*` for the nation")]


class PolicyFilter(PageQuery):
    """Which policies."""

    area_code: AreaOrNation | None = None


class Comparison(BaseModel):
    """What differs between two versions."""

    differences: list[Difference]


@router.get("", dependencies=[requires(Permission.POLICIES_READ)])
async def list_policies(
    query: Annotated[PolicyFilter, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[PolicySummary]:
    """The published versions, newest first, each with what became of it."""
    found = await versions.list_policies(kawal, actor, query.page(ByAge), area_code=query.area_code)
    return page_of(found)


@router.get("/in-force", dependencies=[requires(Permission.POLICIES_READ)])
async def read_policy_in_force(area_code: AreaQuery, actor: ActorDep, kawal: KawalDep) -> PolicyDocument:
    """The version with which an update of this area would begin now: the nearest area's latest."""
    return await versions.read_policy_in_force(kawal, actor, area_code)


@router.get("/{policy_id}", dependencies=[requires(Permission.POLICIES_READ)])
async def read_policy(policy_id: UUID, actor: ActorDep, kawal: KawalDep) -> PolicyDocument:
    """A version with all its rules."""
    return await versions.read_policy(kawal, actor, policy_id)


@router.get("/{policy_id}/diff", dependencies=[requires(Permission.POLICIES_READ)])
async def compare_policies(
    policy_id: UUID,
    other: Annotated[UUID, Query(alias="with", description="The version to compare with")],
    actor: ActorDep,
    kawal: KawalDep,
) -> Comparison:
    """What changed from the version `with` to this one, field by field and in words."""
    return Comparison(differences=await versions.compare_policies(kawal, actor, policy_id, other=other))


@router.post("/{policy_id}/revocation", dependencies=[requires(Permission.POLICIES_PUBLISH)])
async def revoke_policy(
    policy_id: UUID,
    body: RevocationInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> PolicyDocument:
    """Take back a version of an emergency that is in force, or one that has not taken effect: what was before holds."""
    call = Call(actor=actor, key=key, at=kawal.now())
    _, replayed = await publication.revoke(kawal, call, policy_id, body)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return await versions.read_policy(kawal, actor, policy_id)
