"""Keys of machines: made for an account that is a service, rotated with an overlap, revoked.

A secret leaves the house once, in the answer to whoever made it; what is stored is its digest. An answer that got lost
cannot be given again: the key is rotated or revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import api_keys
from db.repositories.api_keys import NewKey
from db.repositories.trail import Doer, Entry
from domain.api_keys import LONGEST_OVERLAP, check_expiry, check_scopes, new_api_key
from domain.areas import AreaOrNation
from domain.audit import AuditType
from domain.authority import Actor, Permission, covers
from domain.errors import InvalidInput, NotFound, NotPossibleNow, Violation
from domain.ids import new_id
from domain.people import managing_seat
from domain.sessions import digest_of
from domain.text import ShortText
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.people.accounts import note
from services.people.areas import unknown_area
from services.people.governance import desk_of, governing_seat

CREATE: Final = "POST /v1/api-keys"
ROTATE: Final = "POST /v1/api-keys/rotation"


def _in_order(scopes: tuple[Permission, ...]) -> tuple[Permission, ...]:
    return tuple(sorted(set(scopes)))


class NewApiKey(BaseModel):
    """A key to be made.

    It carries what its scopes and the role `service` both allow, where its area and those of the account meet.
    """

    model_config = ConfigDict(extra="forbid")

    user_id: UUID = Field(description="The account of the machine; it has to be appointed as a `service`")
    name: Annotated[ShortText, Field(max_length=100)]
    scopes: Annotated[tuple[Permission, ...], Field(max_length=100), AfterValidator(_in_order)]
    area_code: AreaOrNation
    expires_at: AwareDatetime = Field(description="Within 366 days")
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="Fewer than the installation allows every key; null: as many"
    )


class Rotation(BaseModel):
    """How a key goes over to another secret."""

    model_config = ConfigDict(extra="forbid")

    overlap: Annotated[timedelta, Field(ge=timedelta(0), le=LONGEST_OVERLAP)] = Field(
        default=timedelta(days=1),
        description="How long the secrets before this one are still good, ISO 8601; `PT0S` ends them at once",
    )
    expires_at: AwareDatetime | None = Field(default=None, description="When the key expires from now on")


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its new secret; None where the request was answered before."""

    key_id: UUID
    secret: str | None

    @property
    def replayed(self) -> bool:
        """Whether the same request had been answered before."""
        return self.secret is None


async def create_key(kawal: Kawal, call: Call, wanted: NewApiKey) -> Issued:
    """Make a key, once for each Idempotency-Key.

    Raises NotFound for an account or area that is not the actor's, Forbidden for their own account or one that reaches
    beyond their area, InvalidInput, IdempotencyKeyReused.
    """
    seat = managing_seat(call.actor, area_code=wanted.area_code)
    secrets: list[str] = []

    async def make() -> Created:
        await governing_seat(connection, call.actor, wanted.user_id, at=call.at)
        key_id, secret = await add_key(connection, wanted, by=Doer.of(call.actor, seat), at=call.at)
        secrets.append(secret)
        return Created(id=key_id)

    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        made, _ = await once(connection, call, wanted, make, answer=Created, route=CREATE, vault=kawal.vault)
    return Issued(made.id, secrets[0] if secrets else None)


class _RotationOf(Rotation):
    """The request under its key: which key is to be rotated belongs to it."""

    key_id: UUID


async def rotate_key(kawal: Kawal, call: Call, key_id: UUID, rotation: Rotation) -> Issued:
    """Give a key another secret, once for each Idempotency-Key; those before it run out after the overlap.

    Raises NotFound, Forbidden, NotPossibleNow for a key that is over, InvalidInput, IdempotencyKeyReused.
    """
    request = _RotationOf(key_id=key_id, **rotation.model_dump())
    secrets: list[str] = []

    async def rotate() -> Created:
        row = await lock_key(connection, key_id)
        await governing_seat(connection, call.actor, row.user_id, at=call.at)
        by = Doer.of(call.actor, managing_seat(call.actor, area_code=row.area_code))
        secrets.append(await renew_secret(connection, row, rotation, by=by, at=call.at))
        return Created(id=key_id)

    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        made, _ = await once(connection, call, request, rotate, answer=Created, route=ROTATE, vault=kawal.vault)
    return Issued(made.id, secrets[0] if secrets else None)


async def revoke_key(kawal: Kawal, actor: Actor, key_id: UUID) -> None:
    """End a key and all its secrets now; whoever administers its area may, be the account beyond theirs or not.

    Raises NotFound, NotPossibleNow when it has been revoked.
    """
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        row = await lock_key(connection, key_id)
        await end_key(connection, row, by=Doer.of(actor, managing_seat(actor, area_code=row.area_code)), at=at)


async def lock_key(connection: AsyncConnection, key_id: UUID) -> Row[*tuple[Any, ...]]:
    """The key, locked until the transaction ends. Raises NotFound."""
    row = await api_keys.lock_key(connection, key_id)
    if row is None:
        raise NotFound(f"There is no API key {key_id} for you.")
    return row


async def add_key(connection: AsyncConnection, wanted: NewApiKey, *, by: Doer, at: datetime) -> tuple[UUID, str]:
    """Write a key; its id and its secret. Raises InvalidInput."""
    violations = [*check_scopes(wanted.scopes), *check_expiry(wanted.expires_at, now=at)]
    violations += await unknown_area(connection, wanted.area_code)
    violations += await _service(connection, wanted, at=at)
    if violations:
        raise InvalidInput(violations)
    key_id = new_id()
    key = NewKey(
        id=key_id,
        user_id=wanted.user_id,
        name=wanted.name,
        area_code=wanted.area_code,
        scopes=wanted.scopes,
        requests_per_minute=wanted.requests_per_minute,
        expires_at=wanted.expires_at,
        created_by=by.user_id,
    )
    await api_keys.add_key(connection, key, at=at)
    scopes: list[JsonValue] = [scope.value for scope in wanted.scopes]
    data: dict[str, JsonValue] = {
        "key": str(key_id),
        "name": wanted.name,
        "scopes": scopes,
        "area": wanted.area_code,
        "until": wanted.expires_at.isoformat(),
        "requests_per_minute": wanted.requests_per_minute,
    }
    await note(connection, wanted.user_id, Entry(type=AuditType.API_KEY_MADE, by=by, data=data), at=at)
    return key_id, await _hand_out(connection, key_id, at=at)


async def renew_secret(
    connection: AsyncConnection, row: Row[*tuple[Any, ...]], rotation: Rotation, *, by: Doer, at: datetime
) -> str:
    """Another secret of a key. Raises NotPossibleNow for one that is over, InvalidInput."""
    if row.revoked_at is not None:
        raise NotPossibleNow("This key has been revoked.", remedy="Make another one.")
    expires_at = rotation.expires_at or row.expires_at
    violations = check_expiry(expires_at, now=at)
    if violations:
        raise InvalidInput(violations)
    until = at + rotation.overlap
    await api_keys.let_secrets_run_out(connection, row.id, until=until, at=at)
    if expires_at != row.expires_at:
        await api_keys.prolong_key(connection, row.id, expires_at=expires_at)
    data: dict[str, JsonValue] = {
        "key": str(row.id),
        "earlier_secrets_until": until.isoformat(),
        "before": {"until": row.expires_at.isoformat()},
        "after": {"until": expires_at.isoformat()},
    }
    await note(connection, row.user_id, Entry(type=AuditType.API_KEY_ROTATED, by=by, data=data), at=at)
    return await _hand_out(connection, row.id, at=at)


async def end_key(connection: AsyncConnection, row: Row[*tuple[Any, ...]], *, by: Doer, at: datetime) -> None:
    """Write that a key is revoked. Raises NotPossibleNow when it was before."""
    if row.revoked_at is not None:
        raise NotPossibleNow("This key has been revoked.", remedy="Nothing is left to be done.")
    await api_keys.revoke_key(connection, row.id, by=by.user_id, at=at)
    revoked = Entry(type=AuditType.API_KEY_REVOKED, by=by, data={"key": str(row.id), "name": row.name})
    await note(connection, row.user_id, revoked, at=at)


async def _hand_out(connection: AsyncConnection, key_id: UUID, *, at: datetime) -> str:
    secret = new_api_key(key_id)
    await api_keys.add_secret(connection, key_id, digest_of(secret), at=at)
    return secret


async def _service(connection: AsyncConnection, wanted: NewApiKey, *, at: datetime) -> list[Violation]:
    areas = await api_keys.service_areas(connection, wanted.user_id, at=at)
    if any(covers(area, wanted.area_code) or covers(wanted.area_code, area) for area in areas):
        return []
    return [
        Violation(
            pointer="/user_id",
            code="no_service_there",
            detail="This account is not appointed as a service over any part of this area.",
            remedy="Appoint it first: POST /v1/memberships with the role `service`.",
        ),
    ]
