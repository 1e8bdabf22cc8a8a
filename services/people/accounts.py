"""Accounts: made, changed, given a password, disabled; by whoever administers the area that they belong to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AccountDigest, Membership, User
from db.repositories import outbox, trail
from db.repositories.trail import Doer, Entry
from db.vault import Vault
from domain.areas import AreaOrNation
from domain.audit import AuditType, stream_of_account
from domain.authority import Actor
from domain.errors import InvalidInput, Violation
from domain.ids import new_id
from domain.people import Identity, identity_context, index_purpose, managing_seat
from domain.text import ShortText
from domain.vocabulary import Role
from services.kawal import Kawal
from services.keyed import Call, HeldVersions, once
from services.people.areas import unknown_area
from services.people.governance import desk_of, governing_seat
from services.people.matches import Match, find_matches
from services.versions import require_version

CREATE: Final = "POST /v1/users"

Username = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]$")]
Nik = Annotated[str, Field(pattern=r"^[0-9]{16}$")]
Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$")]


class NewUser(BaseModel):
    """An account to be made. NIK and e-mail address are sealed; they serve to find a second account of one person."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    username: Username
    display_name: ShortText
    area_code: AreaOrNation = Field(
        description="Whose administrators look after the account; it gives its holder nothing"
    )
    nik: Nik | None = None
    email: Email | None = None


class UserChange(BaseModel):
    """What is to be different of an account; what is left out stays."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    display_name: ShortText | None = None
    nik: Nik | None = None
    email: Email | None = None
    disabled: bool | None = None


class Made(BaseModel):
    """An account that was made, and the accounts that look like the same person's."""

    id: UUID
    matches: list[Match]


async def create_user(kawal: Kawal, call: Call, user: NewUser) -> tuple[Made, bool]:
    """Make an account, once for each key; and whether it was made before.

    It has no password and no appointment yet. Raises NotFound for an area outside the actor's, Forbidden,
    InvalidInput for a name that is taken, IdempotencyKeyReused.
    """
    seat = managing_seat(call.actor, area_code=user.area_code)
    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        return await once(
            connection,
            call,
            user,
            lambda: add_user(connection, user, vault=kawal.vault, by=Doer.of(call.actor, seat), at=call.at),
            answer=Made,
            route=CREATE,
            vault=kawal.vault,
        )


async def change_user(
    kawal: Kawal, actor: Actor, user_id: UUID, change: UserChange, *, holds: HeldVersions
) -> list[Match]:
    """Change an account; answers which accounts look like the same person's now.

    Raises NotFound, StaleVersion, and Forbidden for one's own account or one beyond the actor's area or tier.
    """
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        seat = await governing_seat(connection, actor, user_id, at=at)
        row = await lock_user(connection, user_id)
        require_version(holds, row.version)
        return await alter_user(connection, row, change, vault=kawal.vault, by=Doer.of(actor, seat), at=at)


async def give_password(kawal: Kawal, actor: Actor, user_id: UUID, *, password_hash: str, holds: HeldVersions) -> None:
    """Replace the password of an account. Raises as `change_user` does."""
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        seat = await governing_seat(connection, actor, user_id, at=at)
        require_version(holds, (await lock_user(connection, user_id)).version)
        await replace_password(connection, user_id, password_hash=password_hash, by=Doer.of(actor, seat), at=at)


async def add_user(
    connection: AsyncConnection,
    user: NewUser,
    *,
    vault: Vault | None,
    by: Doer,
    at: datetime,
    password_hash: str = "",
) -> Made:
    """Write an account; the accounts that share its NIK or e-mail address are flagged. Raises InvalidInput."""
    unknown = await unknown_area(connection, user.area_code)
    if unknown:
        raise InvalidInput(unknown)
    user_id, identity = new_id(), Identity(nik=user.nik, email=user.email)
    row = {
        "id": user_id,
        "username": user.username,
        "display_name": user.display_name,
        "password_hash": password_hash,
        "disabled": False,
        "created_at": at,
        "area_code": user.area_code,
        "identity": None,
    }
    # Whether a name is taken is asked of the index: the account may lie where the administrator sees nothing.
    made = await connection.execute(upsert(User).values(row).on_conflict_do_nothing(index_elements=["username"]))
    if not made.rowcount:
        raise InvalidInput([_username_taken()])
    # The trail is for good: what the account is called stands in its row alone, which can be changed.
    created = Entry(type=AuditType.ACCOUNT_CREATED, by=by, data={"area": user.area_code})
    await note(connection, user_id, created, at=at)
    matches = await _keep_identity(connection, user_id, identity, vault=vault, by=by, at=at)
    return Made(id=user_id, matches=matches)


async def lock_user(connection: AsyncConnection, user_id: UUID) -> Row[*tuple[Any, ...]]:
    """The account, locked until the transaction ends."""
    columns = (User.id, User.display_name, User.disabled, User.identity, User.version)
    return (await connection.execute(select(*columns).where(User.id == user_id).with_for_update())).one()


async def replace_password(
    connection: AsyncConnection, user_id: UUID, *, password_hash: str, by: Doer, at: datetime
) -> None:
    """Write another password of an account; the database ends every session of it."""
    await connection.execute(_change(user_id, password_hash=password_hash))
    await note(connection, user_id, Entry(type=AuditType.ACCOUNT_PASSWORD_CHANGED, by=by), at=at)


async def alter_user(
    connection: AsyncConnection,
    row: Row[*tuple[Any, ...]],
    change: UserChange,
    *,
    vault: Vault | None,
    by: Doer,
    at: datetime,
) -> list[Match]:
    """Write what is different of an account, and wake the cases that it can no longer decide.

    Of names, numbers and addresses the trail says that they are others now, and not which.
    """
    user_id: UUID = row.id
    matches: list[Match] = []
    if change.display_name is not None and change.display_name != row.display_name:
        await connection.execute(_change(user_id, display_name=change.display_name))
        renamed = Entry(type=AuditType.ACCOUNT_CHANGED, by=by, data={"changed": ["display_name"]})
        await note(connection, user_id, renamed, at=at)
    if change.nik is not None or change.email is not None:
        known = _opened(user_id, row.identity, vault)
        new = Identity(nik=change.nik or known.nik, email=change.email or known.email)
        if new != known:
            changed: list[JsonValue] = [name for name in ("email", "nik") if getattr(new, name) != getattr(known, name)]
            entry = Entry(type=AuditType.ACCOUNT_CHANGED, by=by, data={"changed": changed})
            await note(connection, user_id, entry, at=at)
            matches = await _keep_identity(connection, user_id, new, vault=vault, by=by, at=at)
    if change.disabled is not None and change.disabled != row.disabled:
        await set_disabled(connection, user_id, disabled=change.disabled, by=by, at=at)
    return matches


async def set_disabled(connection: AsyncConnection, user_id: UUID, *, disabled: bool, by: Doer, at: datetime) -> None:
    """Disable an account or let it in again; cases that nobody else may decide are looked at."""
    await connection.execute(_change(user_id, disabled=disabled))
    kind = AuditType.ACCOUNT_DISABLED if disabled else AuditType.ACCOUNT_ENABLED
    data: dict[str, JsonValue] = {"before": {"disabled": not disabled}, "after": {"disabled": disabled}}
    await note(connection, user_id, Entry(type=kind, by=by, data=data), at=at)
    await tell_of_seats(connection, user_id, at=at)


async def tell_of_seats(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> None:
    """Have the cases looked at that the holder could decide, or those for whom they stand in."""
    held = select(Membership.id, Membership.role, Membership.area_code).where(
        Membership.user_id == user_id,
        Membership.valid_from <= at,
        (Membership.valid_to.is_(None)) | (Membership.valid_to > at),
    )
    for row in (await connection.execute(held)).all():
        await outbox.tell_authority_changed(connection, row.id, role=Role(row.role), area_code=row.area_code, at=at)


async def note(connection: AsyncConnection, user_id: UUID, *entries: Entry, at: datetime) -> None:
    """Write what happened into the trail of the account."""
    await trail.record(connection, stream_of_account(user_id), entries, at=at, area_code=None)


def _change(user_id: UUID, **values: Any) -> Any:
    return update(User).where(User.id == user_id).values(**values, version=User.version + 1)


async def _keep_identity(
    connection: AsyncConnection,
    user_id: UUID,
    identity: Identity,
    *,
    vault: Vault | None,
    by: Doer,
    at: datetime,
) -> list[Match]:
    numbers = identity.indexed
    if not numbers:
        return []
    keys = _require(vault)
    sealed = keys.seal(identity, context=identity_context(user_id))
    await connection.execute(_change(user_id, identity=sealed))
    await connection.execute(delete(AccountDigest).where(AccountDigest.user_id == user_id))
    rows = [
        {"id": new_id(), "user_id": user_id, "purpose": purpose, "key_id": found.key_id, "digest": found.digest}
        for purpose, value in numbers.items()
        for found in keys.digests([value], purpose=index_purpose(purpose))
    ]
    await connection.execute(insert(AccountDigest), rows)
    wanted = [
        found for purpose, value in numbers.items() for found in keys.lookups([value], purpose=index_purpose(purpose))
    ]
    return await find_matches(connection, user_id, wanted, by=by, at=at)


def _opened(user_id: UUID, sealed: bytes | None, vault: Vault | None) -> Identity:
    if sealed is None:
        return Identity()
    return _require(vault).open(sealed, Identity, context=identity_context(user_id))


def _require(vault: Vault | None) -> Vault:
    if vault is None:
        raise RuntimeError("an identity is sealed and looked up with the keys of the installation")
    return vault


def _username_taken() -> Violation:
    return Violation(
        pointer="/username",
        code="username_taken",
        detail="There is an account of this name.",
        remedy="Choose another name.",
    )
