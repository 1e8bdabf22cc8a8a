"""Logging in, and who one is: every attempt on an account leaves its trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Office
from db.repositories import trail
from db.repositories.identities import hold_vouched
from db.repositories.people import Credentials, find_credentials, hold_credentials
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import ACCESS_STREAM, AuditType, stream_of_account
from domain.authority import Actor, Permission
from domain.errors import Unauthenticated
from domain.lockout import Tally
from domain.sessions import Lifetime, Origin, SessionKind
from domain.vocabulary import Role
from services.identities import Stranger, recognise
from services.kawal import Kawal
from services.lockout import Attempt, Patiences, begin_attempt, forgive
from services.sessions import Signed, begin_session, own

Verify = Callable[[str, str | None], Awaitable[tuple[bool, str | None]]]
"""Whether a password fits a stored hash; as slow without a hash as with one (`PasswordHasher.verify_password`).

Raises ValueError, as late, if what is stored is no hash.
"""

_UNKNOWN_STREAM = "account:unknown"
"""Attempts on accounts that do not exist are written down too: what costs the same time tells nothing."""

_NEW_PASSWORD: Final = "give the account a password: `kawal users passwd NAME`"  # noqa: S105  how, not the password
_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True)
class SeatHeld:
    """A seat as its holder sees it."""

    role: Role
    office_id: UUID
    office_name: str | None
    area_code: str
    permissions: tuple[Permission, ...]
    on_behalf_of: UUID | None
    on_leave: bool
    membership_id: UUID | None


async def log_in(
    kawal: Kawal,
    username: str,
    password: str,
    *,
    verify: Verify,
    lifetime: Lifetime,
    patiences: Patiences,
    origin: Origin,
    kind: SessionKind = SessionKind.TOKEN,
) -> Signed:
    """A new session of the account whose name and password these are.

    Raises Unauthenticated in the same words and after the same time for an unknown name, a wrong password and a
    disabled account; and SignInPaused, for each of them alike, after too many of these.
    """
    at = kawal.now()
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        attempt = await begin_attempt(connection, username, origin=origin, patiences=patiences, at=at)
        found = None if "\0" in username else await find_credentials(connection, username)
    if await _fits(verify, password, found) and found is not None and not found.disabled:
        signed = await _let_in(kawal, found, attempt, kind=kind, lifetime=lifetime, origin=origin)
        if signed is not None:
            return signed
    await _write_refusal(kawal, found and found.user_id, attempt, at=at)
    raise Unauthenticated(
        "This name and this password do not belong to an account.",
        remedy="Check both, or ask your administrator.",
        data={"reason": "credentials_refused"},
    )


async def _fits(verify: Verify, password: str, found: Credentials | None) -> bool:
    try:
        fits, _ = await verify(password, found and found.password_hash)
    except ValueError:
        _log.error("account.password_hash_unreadable", account=found and str(found.user_id), remedy=_NEW_PASSWORD)
        return False
    return fits


async def _write_refusal(
    kawal: Kawal,
    user_id: UUID | None,
    attempt: Attempt,
    *,
    at: datetime,
) -> None:
    stream = _UNKNOWN_STREAM if user_id is None else stream_of_account(user_id)
    entries = [
        Entry(type=AuditType.ACCOUNT_LOGIN_REFUSED),
        *_pause(AuditType.ACCOUNT_PAUSED, attempt.account_tally),
    ]
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        await trail.record(connection, stream, entries, at=at, area_code=None)
        of_address = _pause(AuditType.ACCESS_PAUSED, attempt.address_tally)
        await trail.record(connection, ACCESS_STREAM, of_address, at=at, area_code=None)


def _pause(kind: AuditType, tally: Tally) -> list[Entry]:
    """The event of a pause that a failure brought on, if it did."""
    if tally.paused_until is None:
        return []
    data: dict[str, JsonValue] = {
        "failures": tally.failures,
        "until": tally.paused_until.isoformat(),
    }
    return [Entry(type=kind, data=data)]


async def _let_in(
    kawal: Kawal,
    found: Credentials,
    attempt: Attempt,
    *,
    kind: SessionKind,
    lifetime: Lifetime,
    origin: Origin,
) -> Signed | None:
    """A session; None when the password was changed or the account disabled while it was being looked at."""
    at, user_id = kawal.now(), found.user_id
    async with kawal.database.transaction(own(user_id)) as connection:
        if not await hold_credentials(connection, found):
            return None
        await forgive(connection, attempt, at=at)
        signed = await begin_session(connection, user_id, kind=kind, lifetime=lifetime, origin=origin, at=at)
        await note_log_in(connection, signed, at=at)
    return signed


async def let_in_vouched(kawal: Kawal, stranger: Stranger, *, lifetime: Lifetime, origin: Origin) -> Signed:
    """A new session in the browser of somebody whom another issuer has just vouched for.

    Raises Unauthenticated as `recognise` does, and where the account was disabled or its binding taken away meanwhile.
    """
    actor = await recognise(kawal, stranger, just_issued=True)
    at, kind, issuer = kawal.now(), SessionKind.BROWSER, stranger.issuer.issuer
    async with kawal.database.transaction(own(actor.user_id)) as connection:
        if not await hold_vouched(connection, actor.user_id, issuer, stranger.subject):
            raise Unauthenticated(
                "The account was disabled, or is bound to this name no more.",
                remedy="Ask whoever administers your account.",
                data={"reason": "account_disabled"},
            )
        signed = await begin_session(connection, actor.user_id, kind=kind, lifetime=lifetime, origin=origin, at=at)
        await note_log_in(connection, signed, at=at, issuer=issuer)
    return signed


async def note_log_in(connection: AsyncConnection, signed: Signed, *, at: datetime, issuer: str | None = None) -> None:
    """Write down who signed in; `issuer` is who vouched for them, None: they had a password of ours."""
    data: dict[str, JsonValue] = {"session": str(signed.session_id)}
    if issuer is not None:
        data["issuer"] = issuer
    entry = Entry(type=AuditType.ACCOUNT_LOGGED_IN, by=Doer(user_id=signed.user_id), data=data)
    await trail.record(connection, stream_of_account(signed.user_id), [entry], at=at, area_code=None)


async def read_seats(kawal: Kawal, actor: Actor) -> list[SeatHeld]:
    """The actor's seats with the names of their offices, and what each allows."""
    wanted = select(Office.id, Office.name).where(Office.id.in_({seat.office_id for seat in actor.seats}))
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        offices = {row.id: row.name for row in await connection.execute(wanted)}
    return [
        SeatHeld(
            role=seat.role,
            office_id=seat.office_id,
            office_name=offices.get(seat.office_id),
            area_code=seat.area_code,
            permissions=tuple(sorted(seat.permissions)),
            on_behalf_of=seat.on_behalf_of,
            on_leave=seat.on_leave,
            membership_id=seat.membership_id,
        )
        for seat in actor.seats
    ]
