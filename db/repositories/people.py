"""People: who somebody is at a moment, who holds a role over an area, and their names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.authority import NATION, Actor, Candidate, Person, Seat
from domain.errors import Unauthenticated
from domain.vocabulary import Role

_SEATS = text("SELECT * FROM kawal_seats(:user_id, :at, :session_id)")
_CREDENTIALS = text("SELECT user_id, password_hash, disabled FROM kawal_credentials(:username)")
_HOLD_CREDENTIALS = text("SELECT kawal_hold_credentials(:user_id, :password_hash)")
_NAMES = text("SELECT user_id, display_name FROM kawal_names(:wanted)")
_CANDIDATES = text("SELECT * FROM kawal_candidates(:areas, :roles, :at)")


class SeatRow(NamedTuple):
    """A row that `kawal_seats` answers: one for each seat, or one with neither a role nor what belongs to it."""

    display_name: str
    accounts: list[UUID]
    membership_id: UUID
    role: str | None
    office_id: UUID
    area_code: str
    on_leave: bool
    lent_by: UUID | None
    lender_accounts: list[UUID]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> SeatRow:
        """The row out of PostgreSQL's own JSON of it."""

        def ids(name: str) -> Any:
            match told[name]:
                case None:
                    return None
                case str() as one:
                    return UUID(one)
                case several:
                    return [UUID(each) for each in several]

        return cls(**{**told, **{name: ids(name) for name in _IDS}})


_IDS: Final = ("accounts", "membership_id", "office_id", "lent_by", "lender_accounts")


class Credentials(NamedTuple):
    """What a log-in is checked against; an account without a password has no hash, and nothing fits it."""

    user_id: UUID
    password_hash: str | None
    disabled: bool


async def find_credentials(connection: AsyncConnection, username: str) -> Credentials | None:
    """The credentials of an account, or None."""
    row = (await connection.execute(_CREDENTIALS, {"username": username})).one_or_none()
    return None if row is None else Credentials(row.user_id, row.password_hash or None, row.disabled)


async def hold_credentials(connection: AsyncConnection, credentials: Credentials) -> bool:
    """Whether the account still has this password and is not disabled; neither changes until the transaction ends."""
    held = {"user_id": credentials.user_id, "password_hash": credentials.password_hash}
    return bool(await connection.scalar(_HOLD_CREDENTIALS, held))


async def read_actor(
    connection: AsyncConnection,
    user_id: UUID,
    *,
    at: datetime,
    session_id: UUID | None = None,
) -> Actor:
    """A person with the seats that are valid `at`, those that somebody on leave has lent them included.

    Asking in a session of theirs where one is given. Raises Unauthenticated when the account is gone or disabled, or
    the session has ended.
    """
    wanted = {"user_id": user_id, "at": at, "session_id": session_id}
    return actor_of(user_id, (await connection.execute(_SEATS, wanted)).all())


def actor_of(user_id: UUID, rows: Sequence[Row[*tuple[Any, ...]] | SeatRow]) -> Actor:
    """The person out of what `kawal_seats` answers. Raises Unauthenticated as `read_actor` does."""
    if not rows:
        raise Unauthenticated("This session has ended, or the account is disabled.", data={"reason": "session_over"})
    return Actor(
        user_id=user_id,
        display_name=rows[0].display_name,
        seats=tuple(_seat(row) for row in rows if row.role is not None),
        other_accounts=frozenset(rows[0].accounts) - {user_id},
    )


def _seat(row: Row[*tuple[Any, ...]] | SeatRow) -> Seat:
    return Seat(
        role=Role(row.role),
        office_id=row.office_id,
        area_code=row.area_code,
        membership_id=row.membership_id,
        lent_by=_person(row.lent_by, row.lender_accounts),
        on_leave=row.on_leave,
    )


def _person(user_id: UUID | None, accounts: Collection[UUID]) -> Person | None:
    return None if user_id is None else Person(user_id=user_id, other_accounts=frozenset(accounts) - {user_id})


async def read_names(connection: AsyncConnection, user_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The display names of these people; unknown ids are left out."""
    wanted = list({user_id for user_id in user_ids if user_id is not None})
    if not wanted:
        return {}
    rows = await connection.execute(_NAMES, {"wanted": wanted})
    return {row.user_id: row.display_name for row in rows}


async def find_candidates(
    connection: AsyncConnection,
    *,
    roles: Collection[Role],
    area_code: str,
    at: datetime,
) -> list[Candidate]:
    """Who can act as one of `roles` over `area_code` at this moment: each holder, or whoever stands in for them.

    Left out are disabled accounts, and holders on leave for whom nobody stands in.
    """
    if not roles:
        return []
    rows = await connection.execute(
        _CANDIDATES,
        {"roles": [role.value for role in roles], "areas": ancestry(area_code), "at": at},
    )
    return [
        Candidate(
            user_id=row.user_id,
            role=Role(row.role),
            other_accounts=frozenset(row.accounts) - {row.user_id},
            lent_by=_person(row.lent_by, row.lender_accounts),
        )
        for row in rows
    ]


def ancestry(area_code: str) -> list[str]:
    """The area, every area that contains it, and the nation: `32.06.13` gives `32.06.13, 32.06, 32, *`."""
    parts = area_code.split(".")
    return [".".join(parts[:depth]) for depth in range(len(parts), 0, -1)] + [NATION]
