"""Accounts that look like one person's: flagged when NIK or e-mail address are the same, and judged by a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import ColumnElement, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AccountMatch, User
from db.repositories import trail
from db.repositories.trail import Doer, Entry
from domain.audit import AuditType, stream_of_account
from domain.authority import Actor
from domain.errors import Forbidden, NotFound
from domain.ids import new_id
from domain.people import Verdict
from services.kawal import Kawal
from services.people.governance import desk_of, governing_seat

_LIKE: Final = text("SELECT user_id, purpose FROM kawal_accounts_like(:digests, :besides)")
_REGROUP: Final = text("SELECT kawal_regroup(:one, :other)")


class Match(BaseModel):
    """Another account that shares something with this one."""

    id: UUID
    user_id: UUID
    same: list[str]


async def find_matches(
    connection: AsyncConnection,
    user_id: UUID,
    digests: Sequence[bytes],
    *,
    by: Doer,
    at: datetime,
) -> list[Match]:
    """Flag every other account with one of these digests, wherever it is administered.

    These are all that the account has: a pair that shares nothing any more is over, unless somebody has judged it. A
    verdict stays as it is, for whoever administers one of two accounts would else undo what was found of both.
    """
    shared: dict[UUID, set[str]] = {}
    for row in await connection.execute(_LIKE, {"digests": list(digests), "besides": user_id}):
        shared.setdefault(row.user_id, set()).add(row.purpose)
    await _part(connection, user_id, shared)
    return [
        await _flag(connection, user_id, other, sorted(same), by=by, at=at) for other, same in sorted(shared.items())
    ]


def stands() -> ColumnElement[bool]:
    """That a pair shares something, or was judged when it did."""
    return or_(func.cardinality(AccountMatch.same) > 0, AccountMatch.verdict.is_not(None))


async def _part(connection: AsyncConnection, user_id: UUID, shared: Collection[UUID]) -> None:
    """Write that the account shares nothing with any but these."""
    other = case((AccountMatch.first_id == user_id, AccountMatch.second_id), else_=AccountMatch.first_id)
    parted = update(AccountMatch).where(
        or_(AccountMatch.first_id == user_id, AccountMatch.second_id == user_id), other.not_in(shared)
    )
    await connection.execute(parted.values(same=[]))


async def _flag(
    connection: AsyncConnection,
    user_id: UUID,
    other: UUID,
    same: list[str],
    *,
    by: Doer,
    at: datetime,
) -> Match:
    first, second = sorted((user_id, other))
    pair = (AccountMatch.first_id == first, AccountMatch.second_id == second)
    known = await connection.scalar(select(AccountMatch.id).where(*pair))
    if known is not None:
        await connection.execute(update(AccountMatch).where(*pair).values(same=same))
        return Match(id=known, user_id=other, same=same)
    match_id = new_id()
    row = {"id": match_id, "first_id": first, "second_id": second, "same": same, "found_at": at}
    await connection.execute(upsert(AccountMatch).values(row))
    shared: list[JsonValue] = [*same]
    for account, another in ((first, second), (second, first)):
        data: dict[str, JsonValue] = {"match": str(match_id), "other": str(another), "same": shared}
        found = Entry(type=AuditType.ACCOUNT_MATCH_FOUND, by=by, data=data)
        await trail.record(connection, stream_of_account(account), [found], at=at, area_code=None)
    return Match(id=match_id, user_id=other, same=same)


async def judge(kawal: Kawal, actor: Actor, match_id: UUID, verdict: Verdict) -> None:
    """Say whether two accounts are one person's; from now on separation of duties takes them so. May be revised.

    Raises NotFound, and Forbidden where one of the accounts is the actor's own or not theirs to administer.
    """
    at = kawal.now()
    async with kawal.database.transaction(desk_of(actor)) as connection:
        wanted = select(AccountMatch.__table__).where(AccountMatch.id == match_id, stands()).with_for_update()
        match = (await connection.execute(wanted)).one_or_none()
        if match is None:
            raise NotFound(f"There is no such pair of accounts {match_id} for you.")
        pair = (match.first_id, match.second_id)
        seen = (await connection.scalars(select(User.id).where(User.id.in_(pair)))).all()
        if len(seen) < len(pair):
            raise Forbidden(
                "One of these accounts is administered elsewhere.",
                remedy="Ask an administrator of an area that covers both.",
            )
        seat, _ = [await governing_seat(connection, actor, account, at=at) for account in pair]
        await write_verdict(connection, match_id, pair, verdict, before=match.verdict, by=Doer.of(actor, seat), at=at)


async def write_verdict(
    connection: AsyncConnection,
    match_id: UUID,
    pair: tuple[UUID, UUID],
    verdict: Verdict,
    *,
    before: str | None,
    by: Doer,
    at: datetime,
) -> None:
    """Write the verdict, and group the accounts of these people anew."""
    values = {"verdict": verdict.value, "decided_by": by.user_id, "decided_at": at}
    await connection.execute(update(AccountMatch).where(AccountMatch.id == match_id).values(**values))
    await connection.execute(_REGROUP, {"one": pair[0], "other": pair[1]})
    for account, other in (pair, pair[::-1]):
        data: dict[str, JsonValue] = {
            "match": str(match_id),
            "other": str(other),
            "before": before,
            "after": verdict.value,
        }
        judged = Entry(type=AuditType.ACCOUNT_MATCH_JUDGED, by=by, data=data)
        await trail.record(connection, stream_of_account(account), [judged], at=at, area_code=None)
