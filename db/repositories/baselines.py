"""The baseline of a round: households as they were when it opened, piece by piece, and what is kept of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import RoundBaseline, UpdateRound
from db.repositories.registry import household_context
from db.vault import Vault
from domain.baseline import BaselineFacts, MatchState
from domain.contracts import BaselinePlace
from domain.household import Household, HouseholdStatus
from domain.rounds import Round

# In the order of the index of households; each in the version that held when the round opened. A number that is in use
# in another household, wherever that is, is a duplicate.
_PIECE: Final = text(
    """
    SELECT h.id, h.area_code, v.version, v.content, v.applied_at,
           (SELECT count(DISTINCT mine.digest) FROM identity_digests mine
            JOIN identity_digests other ON other.digest = mine.digest AND other.household_id <> mine.household_id
            WHERE mine.household_id = h.id AND mine.ended_at IS NULL AND other.ended_at IS NULL
              AND mine.purpose = 'nik') AS duplicates,
           (SELECT bool_and(r.result = 'matched') FROM identity_results r
            WHERE r.task_id = (SELECT c.task_id FROM identity_results c JOIN updates u ON u.id = c.update_id
                               WHERE u.household_id = h.id AND c.checked_at <= :as_of
                               ORDER BY c.checked_at DESC LIMIT 1)) AS matched,
           EXISTS (SELECT 1 FROM updates c WHERE c.household_id = h.id
                   AND c.submitted_at <= :as_of AND c.submitted_at > :as_of - make_interval(months => :old)) AS had_case
    FROM households h
    JOIN LATERAL (
        SELECT k.version, k.content, k.applied_at FROM household_versions k
        WHERE k.household_id = h.id AND k.applied_at <= :as_of ORDER BY k.version DESC LIMIT 1
    ) v ON true
    WHERE h.area_code >= :regency || '.' COLLATE "C" AND h.area_code < :regency || '/' COLLATE "C"
      AND (h.area_code, h.id) > (CAST(:area_code AS text) COLLATE "C", CAST(:household_id AS uuid))
    ORDER BY h.area_code, h.id LIMIT :at_most
    """,
)
_FROM_THE_START: Final = {"area_code": "", "household_id": UUID(int=0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AsItWas:
    """A household as it was when a round opened, and what was known of its numbers."""

    household: Household
    applied_at: datetime
    match_state: MatchState
    duplicates: int
    had_case: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some households of a regency, and the place after which the next ones come; None past the last."""

    households: Sequence[AsItWas]
    after: BaselinePlace | None


async def baseline_moment(connection: AsyncConnection, taken: Round) -> datetime:
    """The moment of which the baseline is: the opening, or the planning of a round that was planned after that."""
    planned_at = await connection.scalar(select(UpdateRound.planned_at).where(UpdateRound.id == taken.id))
    return taken.opens_at if planned_at is None else max(taken.opens_at, planned_at)


async def read_piece(
    connection: AsyncConnection,
    taken: Round,
    after: BaselinePlace | None,
    *,
    as_of: datetime,
    at_most: int,
    old_after: int,
    vault: Vault,
) -> Piece:
    """The next households of the regency as they were; those that had ended by then are left out.

    `old_after` is after how many months a case of a household counts no longer.
    """
    place = _FROM_THE_START if after is None else after.model_dump()
    wanted = {"regency": taken.area_code, "as_of": as_of, "at_most": at_most, "old": old_after, **place}
    rows = (await connection.execute(_PIECE, wanted)).all()
    found = [
        AsItWas(
            household=vault.open(row.content, Household, context=household_context(row.id, row.version)),
            applied_at=row.applied_at,
            match_state=_match_state(row.matched),
            duplicates=row.duplicates,
            had_case=row.had_case,
        )
        for row in rows
    ]
    last = BaselinePlace(area_code=rows[-1].area_code, household_id=rows[-1].id) if len(rows) == at_most else None
    return Piece(
        households=[each for each in found if each.household.status is HouseholdStatus.ACTIVE],
        after=last,
    )


def _match_state(matched: bool | None) -> MatchState:  # noqa: FBT001  what the database says
    if matched is None:
        return MatchState.UNKNOWN
    return MatchState.MATCHED if matched else MatchState.MISMATCHED


async def keep_piece(
    connection: AsyncConnection, round_id: UUID, rows: Sequence[tuple[AsItWas, BaselineFacts]]
) -> None:
    """Keep what is known of these households; one that is kept already stays as it is."""
    if rows:
        values = [_row(round_id, as_it_was, facts) for as_it_was, facts in rows]
        await connection.execute(upsert(RoundBaseline).on_conflict_do_nothing(), values)


def _row(round_id: UUID, as_it_was: AsItWas, facts: BaselineFacts) -> dict[str, Any]:
    return {
        "round_id": round_id,
        "household_id": as_it_was.household.id,
        "area_code": as_it_was.household.area_code,
        "version": as_it_was.household.version,
        "match_state": as_it_was.match_state.value,
        "duplicates": as_it_was.duplicates,
        "had_case": as_it_was.had_case,
        **facts.model_dump(),
    }


async def finish_baseline(connection: AsyncConnection, round_id: UUID, *, at: datetime) -> int | None:
    """Note that the baseline is complete: of how many households; None when that had been noted."""
    noted = update(UpdateRound).where(UpdateRound.id == round_id, UpdateRound.baseline_at.is_(None))
    if not (await connection.execute(noted.values(baseline_at=at))).rowcount:
        return None
    return await connection.scalar(select(func.count()).where(RoundBaseline.round_id == round_id))


async def baseline_is_taken(connection: AsyncConnection, round_id: UUID) -> bool:
    """Whether the baseline is complete."""
    return await connection.scalar(select(UpdateRound.baseline_at).where(UpdateRound.id == round_id)) is not None
