"""Policies: publish, list, read, compare."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps import ActorDep, KawalDep, OptionalIdempotencyKey, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.ids import new_id
from services import policies
from services.keyed import Call
from services.policies import PolicyDifference, PolicyDocument, PolicySummary
from services.queries.keyset import ByAge

router = APIRouter(prefix="/policies", tags=["policies"])

AreaQuery = Annotated[AreaOrNation, Query(description="An area such as 32.06, or `*` for the nation")]


class PolicyInput(BaseModel):
    """A policy to be published. What is wrong with it is pointed at as `/policy/stages/0/deadline`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    policy: dict[str, Any] = Field(description="The whole policy, in the form that reading one gives")
    effective_at: AwareDatetime | None = Field(default=None, description="From when on it holds; at once if left out")


class PolicyFilter(PageQuery):
    """Which policies."""

    area_code: AreaOrNation | None = None


class Comparison(BaseModel):
    """What differs between two versions."""

    differences: list[PolicyDifference]


@router.post("", status_code=201, dependencies=[requires(Permission.POLICIES_PUBLISH)])
async def publish_policy(
    body: PolicyInput,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
    key: OptionalIdempotencyKey = None,
) -> PolicySummary:
    """Publish the next version of an area's policy. Open cases keep the version they began with.

    Sent again with the same Idempotency-Key and body, it is answered again and not done again.
    """
    call = Call(actor=actor, key=key or str(new_id()), at=kawal.now())
    published = await policies.publish(kawal, call, body.policy, effective_at=body.effective_at)
    response.headers["Location"] = f"/v1/policies/{published.version.id}"
    if published.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return published.version


@router.get("", dependencies=[requires(Permission.POLICIES_READ)])
async def list_policies(
    query: Annotated[PolicyFilter, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[PolicySummary]:
    """The published versions, newest first."""
    found = await policies.list_policies(kawal, actor, query.page(ByAge), area_code=query.area_code)
    return page_of(found)


@router.get("/in-force", dependencies=[requires(Permission.POLICIES_READ)])
async def read_policy_in_force(area_code: AreaQuery, actor: ActorDep, kawal: KawalDep) -> PolicyDocument:
    """The version with which an update of this area would begin now: the nearest area's latest."""
    return await policies.read_policy_in_force(kawal, actor, area_code)


@router.get("/{policy_id}", dependencies=[requires(Permission.POLICIES_READ)])
async def read_policy(policy_id: UUID, actor: ActorDep, kawal: KawalDep) -> PolicyDocument:
    """A version with all its rules."""
    return await policies.read_policy(kawal, actor, policy_id)


@router.get("/{policy_id}/diff", dependencies=[requires(Permission.POLICIES_READ)])
async def compare_policies(
    policy_id: UUID,
    other: Annotated[UUID, Query(alias="with", description="The version to compare with")],
    actor: ActorDep,
    kawal: KawalDep,
) -> Comparison:
    """What changed from the version `with` to this one."""
    return Comparison(differences=await policies.compare_policies(kawal, actor, policy_id, other=other))
