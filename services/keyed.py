"""Acts under an Idempotency-Key: what a service is told of one, and how it is written down before it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.idempotency import KeyedAct, NewAct, answer_act, remember_act
from db.vault import Vault
from domain.authority import Actor
from domain.ids import new_id
from domain.origins import act_origin_context, present_origin
from domain.requests import CarriedRequest, request_context

Answer = TypeVar("Answer", bound=BaseModel)

HeldVersions = frozenset[int] | None
"""The versions on which somebody would act; None where any will do."""


class Created(BaseModel):
    """Something that was made, by its id."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request for an act: by whom, under which key, on which versions of the thing, when."""

    actor: Actor
    key: str
    at: datetime
    holds: HeldVersions = None


async def remember(
    connection: AsyncConnection,
    call: Call,
    request: BaseModel,
    *,
    route: str,
    vault: Vault,
    update_id: UUID | None = None,
) -> KeyedAct:
    """The act under the call's key, written down now unless it was before; with its answer once it has one.

    Raises IdempotencyKeyReused when the key came with another request. Requests are compared as they were
    understood, so that white space and the order of fields make no difference. Of an act that the engine
    carries it is written down too from where it came, for whoever records it.
    """
    act = new_act(call, request, route=route, vault=vault, update_id=update_id)
    return await remember_act(connection, act, at=call.at)


def new_act(call: Call, request: BaseModel, *, route: str, vault: Vault, update_id: UUID | None = None) -> NewAct:
    """The act that a call asks for, as it is about to be written down."""
    act_id = new_id()
    content = request.model_dump_json().encode()
    return NewAct(
        id=act_id,
        actor_id=call.actor.user_id,
        route=route,
        key=call.key,
        body_hash=hashlib.sha256(content).digest(),
        request=vault.fields.seal(content, context=request_context(act_id)),
        update_id=update_id,
        origin=_sealed_origin(act_id, vault) if isinstance(request, CarriedRequest) else None,
    )


def _sealed_origin(act_id: UUID, vault: Vault) -> bytes | None:
    origin = present_origin()
    return None if origin is None else vault.seal(origin, context=act_origin_context(act_id))


async def once(
    connection: AsyncConnection,
    call: Call,
    request: BaseModel,
    do: Callable[[], Awaitable[Answer]],
    *,
    answer: type[Answer],
    route: str,
    vault: Vault,
) -> tuple[Answer, bool]:
    """What `do` answers, which is done once for each key in this transaction; and whether it was done before.

    Raises IdempotencyKeyReused, and what `do` raises; then the key is as unused as before.
    """
    keyed = await remember(connection, call, request, route=route, vault=vault)
    if keyed.response is not None:
        return answer.model_validate(keyed.response), True
    answered = await do()
    await answer_act(connection, keyed.id, answered.model_dump(mode="json"), at=call.at)
    return answered, False
