"""Keys of machines as rows: made, rotated, revoked at the desk of people; and who holds one, asked at every request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ApiKey, ApiKeySecret, Membership
from db.repositories.people import actor_of
from domain.api_keys import USE_NOTED_EVERY
from domain.authority import Actor, Permission
from domain.errors import Unauthenticated
from domain.ids import new_id
from domain.vocabulary import Role

_HOLDER = text(
    "SELECT k.*, s.* FROM kawal_api_key(:digest, :at) k LEFT JOIN LATERAL kawal_seats(k.user_id, :at) s ON true"
)
_NOTE_USE = text("SELECT kawal_note_key_use(:digest, :at, :network, :every)")


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The machine that asks, with what its key carries, and how often the key may be used in a minute."""

    actor: Actor
    requests_per_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key about to be made."""

    id: UUID
    user_id: UUID
    name: str
    area_code: str
    scopes: tuple[Permission, ...]
    requests_per_minute: int | None
    expires_at: datetime
    created_by: UUID | None


async def read_key_holder(connection: AsyncConnection, digest: bytes, *, at: datetime) -> KeyHolder:
    """Who asks with a secret, as far as its key carries them now, in one statement.

    Raises Unauthenticated for a secret that is not known or is over, and for an account that is disabled.
    """
    rows = (await connection.execute(_HOLDER, {"digest": digest, "at": at})).all()
    if not rows or rows[0].ended or rows[0].display_name is None:
        raise Unauthenticated(
            "This API key is not known, has expired or was revoked, or its account is disabled.",
            remedy="Ask whoever administers the account for another key.",
            data={"reason": "api_key_refused"},
        )
    key = rows[0]
    scopes = [permission for permission in Permission if permission.value in key.scopes]
    actor = actor_of(key.user_id, rows).by_key(key.key_id, scopes=scopes, area_code=key.key_area)
    return KeyHolder(actor, key.requests_per_minute)


async def note_use(connection: AsyncConnection, digest: bytes, *, network: str, at: datetime) -> None:
    """Write down when and from where a secret was used, unless that was done within a minute."""
    values = {"digest": digest, "at": at, "network": network, "every": USE_NOTED_EVERY}
    await connection.execute(_NOTE_USE, values)


async def add_key(connection: AsyncConnection, key: NewKey, *, at: datetime) -> None:
    """Write a key down; it has no secret yet."""
    await connection.execute(
        insert(ApiKey).values(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            area_code=key.area_code,
            scopes=[scope.value for scope in key.scopes],
            requests_per_minute=key.requests_per_minute,
            expires_at=key.expires_at,
            created_at=at,
            created_by=key.created_by,
        ),
    )


async def add_secret(connection: AsyncConnection, key_id: UUID, digest: bytes, *, at: datetime) -> None:
    """Write a secret of a key down by its digest."""
    await connection.execute(insert(ApiKeySecret).values(id=new_id(), key_id=key_id, digest=digest, issued_at=at))


async def lock_key(connection: AsyncConnection, key_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """The key, locked until the transaction ends; None for one that is not in view."""
    return (
        await connection.execute(select(ApiKey.__table__).where(ApiKey.id == key_id).with_for_update())
    ).one_or_none()


async def let_secrets_run_out(connection: AsyncConnection, key_id: UUID, *, until: datetime, at: datetime) -> None:
    """Let every secret of a key end at `until`, unless it ends before."""
    later = or_(ApiKeySecret.expires_at.is_(None), ApiKeySecret.expires_at > until)
    await connection.execute(
        update(ApiKeySecret).where(ApiKeySecret.key_id == key_id, later).values(expires_at=max(until, at)),
    )


async def prolong_key(connection: AsyncConnection, key_id: UUID, *, expires_at: datetime) -> None:
    """Let a key expire at another moment."""
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(expires_at=expires_at))


async def revoke_key(connection: AsyncConnection, key_id: UUID, *, by: UUID | None, at: datetime) -> None:
    """Write that a key is good no more."""
    await connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=at, revoked_by=by))


async def service_areas(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> list[str]:
    """The areas over which an account is a service, or will be."""
    wanted = select(Membership.area_code).where(
        Membership.user_id == user_id,
        Membership.role == Role.SERVICE.value,
        or_(Membership.valid_to.is_(None), Membership.valid_to > at),
    )
    return list(await connection.scalars(wanted))
