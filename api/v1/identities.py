"""The names that other issuers have for whoever an account belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, FrontDep, IdempotencyKey, KawalDep, requires
from api.problems import Problem
from domain.authority import Permission
from services import identities
from services.identities import NewIdentity
from services.keyed import Call
from services.queries import people
from services.queries.people import IdentityFacts

router = APIRouter(
    prefix="/users/{user_id}/identities", tags=["people"], dependencies=[requires(Permission.PEOPLE_MANAGE)]
)

NO_ACCOUNT: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such account, or no such identity of it, in your area."},
}


class IdentityView(BaseModel):
    """A name that an issuer has for the holder of an account."""

    id: UUID
    issuer: str = Field(description="The claim `iss`")
    subject: str = Field(description="The claim `sub`")
    bound_at: datetime
    bound_by: UUID | None = Field(description="The holder where they came with it the first time; null: the operator")


class Identities(BaseModel):
    """The names of an account, one an issuer."""

    items: list[IdentityView]


@router.get("", responses=NO_ACCOUNT)
async def list_identities(user_id: UUID, actor: ActorDep, kawal: KawalDep) -> Identities:
    """By which issuers, and under which names, the holder of an account is known."""
    found = await people.list_identities(kawal, actor, user_id)
    return Identities(items=[_view(facts) for facts in found])


@router.post("", status_code=201, responses=NO_ACCOUNT)
async def bind_identity(
    user_id: UUID, body: NewIdentity, key: IdempotencyKey, actor: ActorDep, at_front: FrontDep, response: Response
) -> IdentityView:
    """Let the holder of an account in with the tokens of an issuer. What they may do stays what they are here."""
    issuers = {issuer.name: issuer for issuer in at_front.settings.oidc_issuers}
    call = Call(actor=actor, key=key, at=at_front.kawal.now())
    bound, replayed = await identities.bind_identity(at_front.kawal, call, user_id, body, issuers=issuers)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return _view(await people.read_identity(at_front.kawal, actor, user_id, bound.id))


@router.delete("/{identity_id}", status_code=204, responses=NO_ACCOUNT)
async def unbind_identity(user_id: UUID, identity_id: UUID, actor: ActorDep, kawal: KawalDep) -> None:
    """Take a name away: the tokens of the issuer are refused from the next request on."""
    await identities.unbind_identity(kawal, actor, user_id, identity_id)


def _view(facts: IdentityFacts) -> IdentityView:
    return IdentityView(**facts._asdict())
