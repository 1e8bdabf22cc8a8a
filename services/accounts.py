"""Logging in, and who one is: every attempt on an account leaves its trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from db.models import Office
from db.repositories import trail
from db.repositories.people import find_credentials
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import PERMISSIONS, Actor, Permission
from domain.errors import Unauthenticated
from domain.vocabulary import Role
from services.kawal import Kawal

Verify = Callable[[str, str | None], Awaitable[tuple[bool, str | None]]]
"""Whether a password fits a stored hash; as slow without a hash as with one (`PasswordHasher.verify_password`)."""

_UNKNOWN_STREAM = "account:unknown"
"""Attempts on accounts that do not exist are written down too: what costs the same time tells nothing."""


@dataclass(frozen=True, slots=True)
class SeatHeld:
    """A seat as its holder sees it."""

    role: Role
    office_id: UUID
    office_name: str | None
    area_code: str
    permissions: tuple[Permission, ...]


async def log_in(kawal: Kawal, username: str, password: str, *, verify: Verify) -> UUID:
    """The account whose name and password these are.

    Raises Unauthenticated in the same words and after the same time for an unknown name, a wrong password and a
    disabled account.
    """
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        found = None if "\0" in username else await find_credentials(connection, username)
    fits, _ = await verify(password, found and found.password_hash)
    let_in = fits and found is not None and not found.disabled
    user_id = found and found.user_id
    entry = Entry(
        type=AuditType.ACCOUNT_LOGGED_IN if let_in else AuditType.ACCOUNT_LOGIN_REFUSED,
        by=Doer(user_id=user_id if let_in else None),
    )
    stream = _UNKNOWN_STREAM if user_id is None else f"account:{user_id}"
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        await trail.record(connection, stream, [entry], at=kawal.now(), area_code=None)
    if user_id is None or not let_in:
        raise Unauthenticated(
            "This name and this password do not belong to an account.",
            remedy="Check both, or ask your administrator.",
            data={"reason": "credentials_refused"},
        )
    return user_id


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
            permissions=tuple(sorted(PERMISSIONS[seat.role])),
        )
        for seat in actor.seats
    ]
