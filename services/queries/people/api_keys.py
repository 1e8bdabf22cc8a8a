"""Keys of machines as whoever administers them sees them: never a secret, but which of them is still in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ApiKey, ApiKeySecret
from db.repositories.people import read_names
from domain.authority import Actor, Permission
from domain.errors import NotFound
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import people_desk, person_of
from services.queries.scope import within
from services.queries.view import PersonRef, View


class KeyState(StrEnum):
    """Whether a key is good."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class SecretFacts(View):
    """One of the secrets by which a key is known, without the secret."""

    issued_at: datetime
    expires_at: datetime | None = Field(description="When it ends after a rotation; null: with the key")
    last_used_at: datetime | None = Field(description="To the minute; null: never")
    last_network: str | None = Field(description="The address it came from, of an IPv6 one the /64")


class ApiKeyFacts(View):
    """A key."""

    id: UUID
    name: str
    account: PersonRef
    area_code: str
    scopes: tuple[str, ...]
    requests_per_minute: int | None
    state: KeyState
    created_at: datetime
    created_by: PersonRef | None = Field(description="null: the operator of the installation")
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="With whichever secret; to the minute")
    secrets: tuple[SecretFacts, ...] = Field(description="Those that are good, the newest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyFilter:
    """What narrows the list of keys."""

    user_id: UUID | None = None
    live: bool | None = None


async def list_api_keys(
    kawal: Kawal, actor: Actor, wanted: ApiKeyFilter, page: PageOf[ByAge]
) -> Slice[ApiKeyFacts, ByAge]:
    """The keys for the areas that the actor administers, the newest first, those that are over too."""
    at = kawal.now()
    conditions: list[ColumnElement[bool]] = [within(ApiKey.area_code, actor.areas_with(Permission.PEOPLE_MANAGE))]
    if wanted.user_id is not None:
        conditions.append(ApiKey.user_id == wanted.user_id)
    if wanted.live is not None:
        live = ApiKey.revoked_at.is_(None) & (ApiKey.expires_at > at)
        conditions.append(live if wanted.live else ~live)
    if page.after is not None:
        conditions.append(ApiKey.id < page.after.id)
    statement = select(ApiKey.__table__).where(*conditions).order_by(ApiKey.id.desc()).limit(page.limit + 1)
    async with kawal.database.transaction(people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        return Slice(await facts_of(connection, rows, at=at), after)


async def read_api_key(kawal: Kawal, actor: Actor, key_id: UUID) -> ApiKeyFacts:
    """One key. Raises NotFound."""
    mine = within(ApiKey.area_code, actor.areas_with(Permission.PEOPLE_MANAGE))
    async with kawal.database.transaction(people_desk(actor)) as connection:
        found = await connection.execute(select(ApiKey.__table__).where(ApiKey.id == key_id, mine))
        facts = await facts_of(connection, found.all(), at=kawal.now())
    if not facts:
        raise NotFound(f"There is no API key {key_id} for you.")
    return facts[0]


async def facts_of(
    connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]], *, at: datetime
) -> list[ApiKeyFacts]:
    """Keys out of their rows, with their secrets and the names of people."""
    columns = (ApiKeySecret.key_id, ApiKeySecret.issued_at, ApiKeySecret.expires_at)
    used = (ApiKeySecret.last_used_at, ApiKeySecret.last_network)
    wanted = select(*columns, *used).where(ApiKeySecret.key_id.in_([row.id for row in rows]))
    secrets: defaultdict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for secret in await connection.execute(wanted.order_by(ApiKeySecret.issued_at.desc())):
        secrets[secret.key_id].append(secret)
    names = await read_names(connection, [someone for row in rows for someone in (row.user_id, row.created_by)])
    return [_facts(row, secrets[row.id], names, at=at) for row in rows]


def _facts(
    row: Row[*tuple[Any, ...]], secrets: Sequence[Row[*tuple[Any, ...]]], names: dict[UUID, str], *, at: datetime
) -> ApiKeyFacts:
    state = _state(row, at=at)
    good = [secret for secret in secrets if secret.expires_at is None or secret.expires_at > at]
    return ApiKeyFacts(
        id=row.id,
        name=row.name,
        account=person_of(row.user_id, names),
        area_code=row.area_code,
        scopes=tuple(row.scopes),
        requests_per_minute=row.requests_per_minute,
        state=state,
        created_at=row.created_at,
        created_by=None if row.created_by is None else person_of(row.created_by, names),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=max((secret.last_used_at for secret in secrets if secret.last_used_at), default=None),
        secrets=tuple(_secret(secret) for secret in good) if state is KeyState.LIVE else (),
    )


def _secret(row: Row[*tuple[Any, ...]]) -> SecretFacts:
    return SecretFacts(
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_network=row.last_network,
    )


def _state(row: Row[*tuple[Any, ...]], *, at: datetime) -> KeyState:
    if row.revoked_at is not None:
        return KeyState.REVOKED
    return KeyState.EXPIRED if row.expires_at <= at else KeyState.LIVE
