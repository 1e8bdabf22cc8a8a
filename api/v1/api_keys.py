"""Keys of machines: made, rotated and revoked by whoever administers the account and the area."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from api.problems import Problem
from domain.authority import Permission
from services.keyed import Call
from services.people import api_keys
from services.people.api_keys import Issued, NewApiKey, Rotation
from services.queries import people
from services.queries.keyset import ByAge
from services.queries.people import ApiKeyFacts, ApiKeyFilter

router = APIRouter(prefix="/api-keys", tags=["people"], dependencies=[requires(Permission.PEOPLE_MANAGE)])

NO_KEY: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such key in your area."},
}
OVER: Final[dict[int | str, dict[str, Any]]] = NO_KEY | {
    409: {"model": Problem, "description": "The key has been revoked."},
}


class ApiKeyQuery(PageQuery):
    """What narrows the list of keys."""

    user_id: UUID | None = None
    live: bool | None = Field(default=None, description="true: only those that are good now")


class ApiKeyIssued(BaseModel):
    """A key with its new secret, which is shown this once."""

    key: ApiKeyFacts
    secret: str | None = Field(
        description="Sent as `Authorization: Bearer kawal_...`. Kept here as a digest alone, so it is null when the "
        "request had been answered before; if that answer got lost, rotate the key."
    )


@router.post("", status_code=201)
async def create_api_key(
    body: NewApiKey, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> ApiKeyIssued:
    """Make a key for a machine. Its account has to be appointed as a `service` over some part of the area."""
    issued = await api_keys.create_key(kawal, Call(actor=actor, key=key, at=kawal.now()), body)
    facts = await people.read_api_key(kawal, actor, issued.key_id)
    response.headers["Location"] = f"/v1/api-keys/{issued.key_id}"
    return _issued(response, facts, issued)


@router.get("")
async def list_api_keys(query: Annotated[ApiKeyQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[ApiKeyFacts]:
    """The keys for your area, the newest first, those that are over too; with their last use, and without secrets."""
    wanted = ApiKeyFilter(user_id=query.user_id, live=query.live)
    return page_of(await people.list_api_keys(kawal, actor, wanted, query.page(ByAge)))


@router.get("/{key_id}", responses=NO_KEY)
async def read_api_key(key_id: UUID, actor: ActorDep, kawal: KawalDep) -> ApiKeyFacts:
    """One key."""
    return await people.read_api_key(kawal, actor, key_id)


@router.post("/{key_id}/rotation", responses=OVER)
async def rotate_api_key(
    key_id: UUID, body: Rotation, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> ApiKeyIssued:
    """Give a key another secret. Those before it stay good for the overlap; `secrets` tells whether they are in use."""
    issued = await api_keys.rotate_key(kawal, Call(actor=actor, key=key, at=kawal.now()), key_id, body)
    return _issued(response, await people.read_api_key(kawal, actor, key_id), issued)


@router.delete("/{key_id}", status_code=204, responses=OVER)
async def revoke_api_key(key_id: UUID, actor: ActorDep, kawal: KawalDep) -> None:
    """Revoke a key: it is refused from the next request on."""
    await api_keys.revoke_key(kawal, actor, key_id)


def _issued(response: Response, facts: ApiKeyFacts, issued: Issued) -> ApiKeyIssued:
    if issued.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return ApiKeyIssued(key=facts, secret=issued.secret)
