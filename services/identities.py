"""People whom another issuer vouches for: bound to an account by an administrator, or the first time they come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import identities
from db.repositories.identities import Vouched
from db.repositories.people import find_credentials, read_actor
from db.repositories.trail import Doer, Entry
from domain.audit import AuditType
from domain.authority import Actor
from domain.errors import InvalidInput, NotFound, Unauthenticated, Violation
from domain.ids import new_id
from domain.people import Identity, index_purpose
from runtime.oidc.settings import Binding, IssuerSettings
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.people.accounts import note
from services.people.governance import desk_of, governing_seat
from services.sessions import own

BIND: Final = "POST /v1/users/identities"


class NewIdentity(BaseModel):
    """A name to be bound to an account."""

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(max_length=40, description="The issuer, by its name in the settings")
    subject: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="What the issuer calls them: the claim `sub`"
    )


class _BindingOf(NewIdentity):
    """The request under its key: whose account it is belongs to it."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class Stranger:
    """Whom an issuer vouches for, with what its token says of them."""

    issuer: IssuerSettings
    subject: str
    issued_at: datetime
    claims: dict[str, JsonValue]


async def recognise(kawal: Kawal, stranger: Stranger, *, just_issued: bool = False) -> Actor:
    """The account of somebody whom an issuer vouches for, with the seats they hold at this moment.

    A token that was `just_issued` to us cannot be from before they signed out. Raises Unauthenticated where no account
    is bound and the issuer's setting lets none be found, for a disabled account, and for a token from before they
    signed out everywhere.
    """
    vouched = await _read(kawal, stranger)
    if vouched is None:
        await _bind_first(kawal, stranger)
        vouched = await _read(kawal, stranger)
    if vouched is None:
        raise _unknown("None of the accounts here is bound to whoever this token is about.")
    mark = None if just_issued else vouched.tokens_not_before
    if mark is not None and stranger.issued_at < mark:
        raise Unauthenticated(
            "This token is from before the account was signed out everywhere.",
            remedy="Get a new one from your issuer.",
            data={"reason": "token_revoked"},
        )
    return vouched.actor


async def _read(kawal: Kawal, stranger: Stranger) -> Vouched | None:
    async with kawal.database.question() as connection:
        return await identities.read_vouched(connection, stranger.issuer.issuer, stranger.subject, at=kawal.now())


async def _bind_first(kawal: Kawal, stranger: Stranger) -> None:
    """Bind the account that the issuer's setting finds, if it finds one that is not disabled."""
    match stranger.issuer.binding:
        case Binding.ADMINISTRATOR:
            return
        case Binding.VERIFIED_EMAIL:
            user_id = await _by_email(kawal, stranger)
        case Binding.USERNAME:
            user_id = await _by_username(kawal, stranger)
    if user_id is None:
        return
    at = kawal.now()
    async with kawal.database.question() as connection:
        await read_actor(connection, user_id, at=at)
    by, found_by = Doer(user_id=user_id), stranger.issuer.binding.value
    async with kawal.database.transaction(own(user_id)) as connection:
        # Not bound: by another request at this moment, or the account has another name at this issuer already.
        await _write(connection, user_id, stranger.issuer, stranger.subject, by=by, found_by=found_by, at=at)


async def _by_email(kawal: Kawal, stranger: Stranger) -> UUID | None:
    address = stranger.claims.get("email")
    if not isinstance(address, str) or stranger.claims.get("email_verified") is not True:
        return None
    known = Identity(email=address).indexed["email"]
    async with kawal.database.question() as connection:
        digests = kawal.vault.lookups([known], purpose=index_purpose("email"))
        found = await identities.find_by_digests(connection, digests)
    if len(found) > 1:
        raise _unknown("More than one account has this e-mail address: an administrator has to bind the right one.")
    return found[0] if found else None


async def _by_username(kawal: Kawal, stranger: Stranger) -> UUID | None:
    username = stranger.claims.get(stranger.issuer.username_claim)
    if not isinstance(username, str) or "\0" in username:
        return None
    async with kawal.database.question() as connection:
        found = await find_credentials(connection, username)
    return found and found.user_id


async def bind_identity(
    kawal: Kawal, call: Call, user_id: UUID, wanted: NewIdentity, *, issuers: dict[str, IssuerSettings]
) -> tuple[Created, bool]:
    """Bind an issuer's name for somebody to their account, once for each key; and whether that was done before.

    Raises NotFound, Forbidden, InvalidInput for an issuer that is not known or a name that is bound, and
    IdempotencyKeyReused.
    """
    issuer = issuer_named(wanted.issuer, issuers)

    async def bind() -> Created:
        seat = await governing_seat(connection, call.actor, user_id, at=call.at)
        by = Doer.of(call.actor, seat)
        return await add_identity(connection, user_id, wanted, issuer=issuer, by=by, at=call.at)

    async with kawal.database.transaction(desk_of(call.actor)) as connection:
        request = _BindingOf(user_id=user_id, **wanted.model_dump())
        return await once(connection, call, request, bind, answer=Created, route=BIND, vault=kawal.vault)


async def unbind_identity(kawal: Kawal, actor: Actor, user_id: UUID, identity_id: UUID) -> None:
    """Take a binding away: the issuer's tokens lead nowhere from now on, and browsers are signed out.

    Raises NotFound, Forbidden.
    """
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        seat = await governing_seat(connection, actor, user_id, at=at)
        await remove_identity(connection, user_id, identity_id, by=Doer.of(actor, seat), at=at)


def issuer_named(name: str, issuers: dict[str, IssuerSettings]) -> IssuerSettings:
    """The issuer of this name in the settings. Raises InvalidInput."""
    found = issuers.get(name)
    if found is None:
        known = ", ".join(sorted(issuers)) or "none"
        detail, remedy = "No issuer of this name is trusted here.", f"Those that are: {known}."
        raise InvalidInput([Violation(pointer="/issuer", code="issuer_unknown", detail=detail, remedy=remedy)])
    return found


async def add_identity(
    connection: AsyncConnection, user_id: UUID, wanted: NewIdentity, *, issuer: IssuerSettings, by: Doer, at: datetime
) -> Created:
    """Write a binding. Raises InvalidInput where the name, or the account at this issuer, is bound already."""
    identity_id = await _write(connection, user_id, issuer, wanted.subject, by=by, found_by="administrator", at=at)
    if identity_id is None:
        bound = Violation(
            pointer="/subject",
            code="identity_bound",
            detail="This name is bound to an account, or the account has another name at this issuer.",
            remedy="Take that binding away first.",
        )
        raise InvalidInput([bound])
    return Created(id=identity_id)


async def _write(
    connection: AsyncConnection,
    user_id: UUID,
    issuer: IssuerSettings,
    subject: str,
    *,
    by: Doer,
    found_by: str,
    at: datetime,
) -> UUID | None:
    """Write a binding with its event; its id, None where there is another."""
    identity_id = new_id()
    row = {"id": identity_id, "user_id": user_id, "issuer": issuer.issuer, "subject": subject, "bound_at": at}
    if not await identities.bind(connection, row | {"bound_by": by.user_id}):
        return None
    data: dict[str, JsonValue] = {"identity": str(identity_id), "issuer": issuer.issuer, "found_by": found_by}
    await note(connection, user_id, Entry(type=AuditType.ACCOUNT_IDENTITY_BOUND, by=by, data=data), at=at)
    return identity_id


async def remove_identity(
    connection: AsyncConnection, user_id: UUID, identity_id: UUID, *, by: Doer, at: datetime
) -> None:
    """Take a binding of an account away. Raises NotFound."""
    row = await identities.unbind(connection, user_id, identity_id)
    if row is None:
        raise NotFound(f"The account has no identity {identity_id}.")
    data: dict[str, JsonValue] = {"identity": str(identity_id), "issuer": row.issuer}
    await note(connection, user_id, Entry(type=AuditType.ACCOUNT_IDENTITY_UNBOUND, by=by, data=data), at=at)


def _unknown(detail: str) -> Unauthenticated:
    return Unauthenticated(
        detail,
        remedy="Ask whoever administers your account to bind it.",
        data={"reason": "identity_unknown"},
    )
