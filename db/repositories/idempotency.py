"""Acts under an Idempotency-Key: inserted before the act, answered in the act's own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import IdempotencyKey
from db.writes import Write, changed
from domain.errors import IdempotencyKeyReused, NotFound


class KeyedAct(NamedTuple):
    """An act as it is known under its key; `response` is None until it has been carried out.

    `origin` is sealed, and there for who records an act that the engine carries.
    """

    id: UUID
    actor_id: UUID
    request: bytes
    response: dict[str, Any] | None
    origin: bytes | None = None


class NewAct(NamedTuple):
    """An act about to be recorded; `request` and `origin` are sealed under its `id`."""

    id: UUID
    actor_id: UUID
    route: str
    key: str
    body_hash: bytes
    request: bytes
    update_id: UUID | None = None
    origin: bytes | None = None


_REMEMBER = insert(IdempotencyKey).on_conflict_do_nothing()
_READ = select(
    IdempotencyKey.id,
    IdempotencyKey.actor_id,
    IdempotencyKey.request,
    IdempotencyKey.response,
).where(IdempotencyKey.id == bindparam("act_id"))
_ANSWER = update(IdempotencyKey).where(IdempotencyKey.id == bindparam("act_id"))


async def remember_act(connection: AsyncConnection, act: NewAct, *, at: datetime) -> KeyedAct:
    """The act under this key: `act` itself when the key is new, else what was recorded under it before.

    Two identical requests that race meet here: the second waits for the first transaction and reads its answer.
    Raises IdempotencyKeyReused when the key came with another body.
    """
    inserted = await connection.execute(_REMEMBER, {**act._asdict(), "created_at": at})
    if inserted.rowcount:
        return KeyedAct(act.id, act.actor_id, act.request, None)
    known = (
        await connection.execute(
            select(
                IdempotencyKey.id,
                IdempotencyKey.actor_id,
                IdempotencyKey.request,
                IdempotencyKey.response,
                IdempotencyKey.body_hash,
            ).where(
                IdempotencyKey.actor_id == act.actor_id,
                IdempotencyKey.route == act.route,
                IdempotencyKey.key == act.key,
            ),
        )
    ).one()
    if known.body_hash != act.body_hash:
        raise IdempotencyKeyReused("This Idempotency-Key was used before with another request.")
    return KeyedAct(known.id, known.actor_id, known.request, known.response)


async def remember_acts(connection: AsyncConnection, acts: Sequence[NewAct], *, at: datetime) -> None:
    """Write down acts under keys that were made for them, and that nobody can have used before."""
    await connection.execute(insert(IdempotencyKey), [{**act._asdict(), "created_at": at} for act in acts])


async def read_act(connection: AsyncConnection, act_id: UUID) -> KeyedAct:
    """The act recorded under `act_id`. Raises NotFound."""
    row = (await connection.execute(_READ, {"act_id": act_id})).one_or_none()
    if row is None:
        raise no_act(act_id)
    return KeyedAct(*row)


def no_act(act_id: UUID) -> NotFound:
    """The refusal of an act that was never written down."""
    return NotFound(f"There is no act {act_id}.")


def answered_act(act_id: UUID, response: dict[str, Any], *, at: datetime) -> Write:
    """What `answer_act` writes."""
    return changed("answered_act", IdempotencyKey, act_id, {"response": response, "completed_at": at})


async def answer_act(connection: AsyncConnection, act_id: UUID, response: dict[str, Any], *, at: datetime) -> None:
    """Save what the act led to, in the transaction that did it."""
    await connection.execute(_ANSWER, {"act_id": act_id, "response": response, "completed_at": at})
