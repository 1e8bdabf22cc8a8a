"""Pairs of accounts that may be one person's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select

from db.models import AccountMatch
from db.repositories.people import read_names
from domain.authority import Actor
from domain.errors import NotFound
from domain.people import Verdict
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import people_desk, person_of
from services.queries.view import PersonRef, View


class MatchFacts(View):
    """Two accounts that share a NIK or an e-mail address."""

    id: UUID
    accounts: tuple[PersonRef, PersonRef]
    same: tuple[str, ...] = Field(description="`nik`, `email`")
    found_at: datetime
    verdict: Verdict | None = Field(description="Null until an administrator has judged")
    decided_by: PersonRef | None
    decided_at: datetime | None


async def list_matches(kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, open_only: bool) -> Slice[MatchFacts, ByAge]:
    """The pairs of accounts of which one is the actor's to administer, the newest first."""
    statement = select(AccountMatch.__table__).order_by(AccountMatch.id.desc()).limit(page.limit + 1)
    if open_only:
        statement = statement.where(AccountMatch.verdict.is_(None))
    if page.after is not None:
        statement = statement.where(AccountMatch.id < page.after.id)
    async with kawal.database.transaction(people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        people = [who for row in rows for who in (row.first_id, row.second_id, row.decided_by)]
        names = await read_names(connection, people)
    return Slice([_match(row, names) for row in rows], after)


async def read_match(kawal: Kawal, actor: Actor, match_id: UUID) -> MatchFacts:
    """One pair of accounts. Raises NotFound."""
    async with kawal.database.transaction(people_desk(actor)) as connection:
        wanted = select(AccountMatch.__table__).where(AccountMatch.id == match_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no such pair of accounts {match_id} for you.")
        names = await read_names(connection, (row.first_id, row.second_id, row.decided_by))
    return _match(row, names)


def _match(row: Row[*tuple[Any, ...]], names: dict[UUID, str]) -> MatchFacts:
    return MatchFacts(
        id=row.id,
        accounts=(person_of(row.first_id, names), person_of(row.second_id, names)),
        same=tuple(row.same),
        found_at=row.found_at,
        verdict=row.verdict,
        decided_by=None if row.decided_by is None else person_of(row.decided_by, names),
        decided_at=row.decided_at,
    )
