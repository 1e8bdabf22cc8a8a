"""Accounts, offices and memberships as the operator finds them, lists them, and unlocks them or signs them out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import Delegation, Membership, Office, User
from db.repositories import sessions, tallies, trail
from db.repositories.trail import Entry
from domain.audit import ACCESS_STREAM, AuditType, stream_of_account
from domain.errors import NotFound
from domain.lockout import account_subject, address_subject
from domain.sessions import SessionEnd
from domain.vocabulary import Role


class SeatRow(NamedTuple):
    """One membership as lists show it."""

    role: str
    office: str
    area_code: str
    valid_from: datetime
    valid_to: datetime | None


class AccountRow(NamedTuple):
    """One account as lists show it."""

    username: str
    display_name: str
    disabled: bool
    seats: tuple[SeatRow, ...]


async def end_sessions(connection: AsyncConnection, username: str, *, at: datetime) -> int:
    """End every session of an account, and refuse what other issuers gave out to it before.

    Answers how many sessions there were. Raises NotFound.
    """
    user_id = await find_account(connection, username)
    ended = await sessions.end_sessions(connection, user_id, because=SessionEnd.REVOKED, at=at)
    entries = [
        Entry(
            type=AuditType.ACCOUNT_SESSION_ENDED,
            data={"session": str(session_id), "because": SessionEnd.REVOKED.value},
        )
        for session_id in ended
    ]
    await connection.execute(update(User).where(User.id == user_id).values(tokens_not_before=at))
    entries.append(Entry(type=AuditType.ACCOUNT_SIGNED_OUT_EVERYWHERE))
    await trail.record(connection, stream_of_account(user_id), entries, at=at, area_code=None)
    return len(ended)


async def unlock(connection: AsyncConnection, username: str, *, at: datetime) -> bool:
    """Lift the pause of an account and forget its failed attempts; whether there were any. Raises NotFound."""
    user_id = await find_account(connection, username)
    forgotten = await tallies.forget_tally(connection, account_subject(username))
    unlocked = Entry(type=AuditType.ACCOUNT_UNLOCKED)
    await trail.record(connection, stream_of_account(user_id), [unlocked], at=at, area_code=None)
    return forgotten


async def unlock_address(connection: AsyncConnection, address: str, *, at: datetime) -> bool:
    """The same for an address, or for the network of an IPv6 one."""
    forgotten = await tallies.forget_tally(connection, address_subject(address))
    unlocked = Entry(type=AuditType.ACCESS_UNLOCKED, data={"address": address})
    await trail.record(connection, ACCESS_STREAM, [unlocked], at=at, area_code=None)
    return forgotten


async def find_account(connection: AsyncConnection, username: str) -> UUID:
    """The id of an account. Raises NotFound."""
    user_id = await connection.scalar(select(User.id).where(User.username == username))
    if user_id is None:
        raise NotFound(f"There is no account {username!r}.", remedy="`kawal users list` shows all accounts.")
    return user_id


async def find_membership(
    connection: AsyncConnection,
    username: str,
    *,
    role: Role,
    area_code: str,
    at: datetime,
) -> UUID:
    """The id of a membership that is not over. Raises NotFound."""
    wanted = select(Membership.id).where(
        Membership.user_id == await find_account(connection, username),
        Membership.role == role.value,
        Membership.area_code == area_code,
        or_(Membership.valid_to.is_(None), Membership.valid_to > at),
    )
    membership_id = await connection.scalar(wanted.order_by(Membership.valid_from).limit(1))
    if membership_id is None:
        raise NotFound(
            f"{username} is no {role.value} over {area_code}.",
            remedy="`kawal users list` shows what everybody is.",
        )
    return membership_id


class LeaveRow(NamedTuple):
    """One leave as lists show it."""

    id: UUID
    holder: str
    role: str
    area_code: str
    delegate: str | None
    since: datetime
    until: datetime
    reason: str


async def list_leaves(connection: AsyncConnection, *, at: datetime) -> list[LeaveRow]:
    """The leaves that run or are to come, the first to begin first."""
    holder, delegate = aliased(User), aliased(User)
    columns = (Delegation.valid_from, Delegation.valid_to, Delegation.reason)
    wanted = (
        select(Delegation.id, holder.username, Membership.role, Delegation.area_code, delegate.username, *columns)
        .join(Membership, Membership.id == Delegation.membership_id)
        .join(holder, holder.id == Delegation.holder_id)
        .outerjoin(delegate, delegate.id == Delegation.delegate_id)
        .where(Delegation.valid_to > at, Delegation.ended_at.is_(None))
        .order_by(Delegation.valid_from, Delegation.id)
    )
    return [LeaveRow(*row) for row in await connection.execute(wanted)]


async def list_accounts(connection: AsyncConnection) -> list[AccountRow]:
    """Every account with its memberships, in the order of the names."""
    rows = await connection.execute(
        select(
            User.username,
            User.display_name,
            User.disabled,
            Membership.role,
            Office.name,
            Membership.area_code,
            Membership.valid_from,
            Membership.valid_to,
        )
        .outerjoin(Membership, Membership.user_id == User.id)
        .outerjoin(Office, Office.id == Membership.office_id)
        .order_by(User.username, Membership.area_code, Membership.role),
    )
    accounts: dict[str, AccountRow] = {}
    for row in rows:
        known = accounts.get(row.username) or AccountRow(row.username, row.display_name, row.disabled, ())
        seat = SeatRow(row.role, row.name, row.area_code, row.valid_from, row.valid_to)
        accounts[row.username] = known if row.role is None else known._replace(seats=(*known.seats, seat))
    return list(accounts.values())


async def find_office(connection: AsyncConnection, name: str) -> UUID:
    """The id of the office of this name. Raises NotFound, naming the offices that there are."""
    offices: Sequence[tuple[UUID, str]] = [
        (row.id, row.name) for row in await connection.execute(select(Office.id, Office.name).order_by(Office.name))
    ]
    for office_id, known in offices:
        if known.casefold() == name.casefold():
            return office_id
    listed = "; ".join(known for _, known in offices) or "none"
    raise NotFound(
        f"There is no office {name!r}.",
        remedy=f"Add --new-office to make it. Offices now: {listed}.",
    )
