"""Accounts that look like one person's: flagged when NIK or e-mail address are the same, and judged by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AccountMatch, User
from db.repositories import trail
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType, stream_of_account
from domain.authority import Actor, Permission
from domain.errors import Forbidden, NotFound
from domain.ids import new_id
from domain.people import Verdict, managing_seat
from services.kawal import Kawal

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
    """Flag every other account with one of these digests, wherever it is administered. A verdict stays as it is."""
    shared: dict[UUID, set[str]] = {}
    for row in await connection.execute(_LIKE, {"digests": list(digests), "besides": user_id}):
        shared.setdefault(row.user_id, set()).add(row.purpose)
    return [
        await _flag(connection, user_id, other, sorted(same), by=by, at=at) for other, same in sorted(shared.items())
    ]


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

    Raises NotFound, and Forbidden where one of the accounts is the actor's own or lies beyond their area.
    """
    at = kawal.now()
    async with kawal.database.transaction(Viewer.at_desk(actor, Permission.PEOPLE_MANAGE)) as connection:
        wanted = select(AccountMatch).where(AccountMatch.id == match_id).with_for_update()
        match = (await connection.execute(wanted)).one_or_none()
        if match is None:
            raise NotFound(f"There is no such pair of accounts {match_id} for you.")
        pair = (match.first_id, match.second_id)
        seen = (await connection.scalars(select(User.area_code).where(User.id.in_(pair)))).all()
        if len(seen) < len(pair):
            raise Forbidden(
                "One of these accounts is administered elsewhere.",
                remedy="Ask an administrator of an area that covers both.",
            )
        if any(actor.person.has(account) for account in pair):
            raise Forbidden("Nobody judges their own accounts.", remedy="Ask another administrator.")
        by = Doer.of(actor, managing_seat(actor, area_code=seen[0]))
        await write_verdict(connection, match_id, pair, verdict, before=match.verdict, by=by, at=at)


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
