"""Pairs of accounts that may be one person's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AccountMatch, User
from db.repositories.people import read_names
from domain.authority import Actor
from domain.errors import NotFound
from domain.people import Verdict
from services.kawal import Kawal
from services.people.matches import stands
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import people_desk, person_of
from services.queries.view import PersonRef, View


class MatchFacts(View):
    """Two accounts that share a NIK or an e-mail address, or did when somebody judged them."""

    id: UUID
    accounts: tuple[PersonRef, ...] = Field(description="Those of the two that are in your view")
    elsewhere: bool = Field(description="Whether the other is administered elsewhere; whose it is, is not told here")
    same: tuple[str, ...] = Field(description="`nik`, `email`")
    found_at: datetime
    verdict: Verdict | None = Field(description="Null until an administrator has judged")
    decided_by: PersonRef | None
    decided_at: datetime | None


async def list_matches(kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, open_only: bool) -> Slice[MatchFacts, ByAge]:
    """The pairs of accounts of which one is the actor's to administer, the newest first."""
    statement = select(AccountMatch.__table__).where(stands())
    statement = statement.order_by(AccountMatch.id.desc()).limit(page.limit + 1)
    if open_only:
        statement = statement.where(AccountMatch.verdict.is_(None))
    if page.after is not None:
        statement = statement.where(AccountMatch.id < page.after.id)
    async with kawal.database.transaction(people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        seen, deciders = await _names(connection, rows)
    return Slice([_match(row, seen, deciders) for row in rows], after)


async def read_match(kawal: Kawal, actor: Actor, match_id: UUID) -> MatchFacts:
    """One pair of accounts. Raises NotFound."""
    async with kawal.database.transaction(people_desk(actor)) as connection:
        wanted = select(AccountMatch.__table__).where(AccountMatch.id == match_id, stands())
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no such pair of accounts {match_id} for you.")
        seen, deciders = await _names(connection, [row])
    return _match(row, seen, deciders)


async def _names(
    connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """Of the accounts of these pairs the names of those in view, and of whoever judged them."""
    pairs = {account for row in rows for account in (row.first_id, row.second_id)}
    found = await connection.execute(select(User.id, User.display_name).where(User.id.in_(pairs)))
    seen = {row.id: row.display_name for row in found}
    return seen, await read_names(connection, [row.decided_by for row in rows])


def _match(row: Row[*tuple[Any, ...]], seen: Mapping[UUID, str], deciders: Mapping[UUID, str]) -> MatchFacts:
    known = tuple(person_of(account, seen) for account in (row.first_id, row.second_id) if account in seen)
    return MatchFacts(
        id=row.id,
        accounts=known,
        elsewhere=len(known) < len((row.first_id, row.second_id)),
        same=tuple(row.same),
        found_at=row.found_at,
        verdict=row.verdict,
        decided_by=None if row.decided_by is None else person_of(row.decided_by, deciders),
        decided_at=row.decided_at,
    )
