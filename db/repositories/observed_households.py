"""Observing the households of a village for an evaluation, as the registry believed them at the bound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import EvaluationObservation
from db.repositories.registry import household_context
from db.vault import Vault
from domain.baseline import completeness
from domain.calendar import WorkingCalendar
from domain.equity import groups_of
from domain.household import Household, HouseholdStatus
from domain.indicators import WHOLE, Indicator

DISPLAY_BAND_DAYS: Final = 90
"""A band to show, and no duty."""
TWO_YEARS_DAYS: Final = 730
"""Verification is repeated at least so often (UU 13/2011)."""
# A number counts as it was in use at the bound. Digests that a rotation of keys has made anew count for households that
# have not changed since.
_PIECE: Final = text(
    """
    SELECT h.id, v.version, v.content, v.applied_at,
           EXISTS (SELECT 1 FROM identity_digests d
                   JOIN LATERAL (SELECT 1 FROM identity_digests other
                         WHERE other.digest = d.digest AND other.household_id <> d.household_id
                           AND (other.ended_at IS NULL OR other.ended_at > :known)
                             AND (other.id < :latest OR NOT EXISTS (
                                 SELECT 1 FROM household_versions k
                                 WHERE k.household_id = other.household_id AND k.applied_at > :known))
                         LIMIT 1) o ON true
                   WHERE d.household_id = h.id AND d.purpose = 'nik' AND (d.ended_at IS NULL OR d.ended_at > :known)
                             AND (d.id < :latest OR NOT EXISTS (
                                 SELECT 1 FROM household_versions k
                                 WHERE k.household_id = d.household_id AND k.applied_at > :known))) AS double,
           (SELECT bool_and(r.result = 'matched') FROM identity_results r
            WHERE r.task_id = (SELECT c.task_id FROM identity_results c JOIN updates u ON u.id = c.update_id
                               WHERE u.household_id = h.id AND c.checked_at <= :known
                               ORDER BY c.checked_at DESC LIMIT 1) AND r.checked_at <= :known) AS matched
    FROM households h
    JOIN LATERAL (
        SELECT k.version, k.content, k.applied_at FROM household_versions k
        WHERE k.household_id = h.id AND k.applied_at <= :known ORDER BY k.version DESC LIMIT 1
    ) v ON true
    WHERE h.area_code = :village AND h.id > :after
    ORDER BY h.id LIMIT :at_most
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdsOf:
    """The households of a village that are observed, for which evaluation and by which bound."""

    evaluation_id: UUID
    village: str
    known_until: datetime
    calendar: WorkingCalendar
    vault: Vault


async def observe_households(
    connection: AsyncConnection, of: HouseholdsOf, *, after: UUID | None, at_most: int
) -> UUID | None:
    """Observe the next households; the last of them, None when none is left."""
    wanted = {
        "village": of.village,
        "known": of.known_until,
        "latest": _first_id_after(of.known_until),
        "after": after or UUID(int=0),
        "at_most": at_most,
    }
    rows = (await connection.execute(_PIECE, wanted)).all()
    observed = [observation for row in rows for observation in _observed(row, of)]
    if observed:
        await connection.execute(upsert(EvaluationObservation).on_conflict_do_nothing(), observed)
    return rows[-1].id if len(rows) == at_most else None


def _first_id_after(moment: datetime) -> UUID:
    """The least UUIDv7 of the millisecond after a moment."""
    return UUID(int=(int(moment.timestamp() * 1000) + 1) << 80)


def _observed(row: Any, of: HouseholdsOf) -> Iterator[dict[str, Any]]:
    household = of.vault.open(row.content, Household, context=household_context(row.id, row.version))
    if household.status is not HouseholdStatus.ACTIVE:
        return
    today = of.calendar.local_day(of.known_until)
    age = _age_days(household, row.applied_at, today, of.calendar)
    found: Sequence[tuple[Indicator, bool | None, float | None]] = (
        (Indicator.DATA_AGE, None, age),
        (Indicator.DATA_OVER_90_DAYS, age > DISPLAY_BAND_DAYS, None),
        (Indicator.DATA_OVER_24_MONTHS, age > TWO_YEARS_DAYS, None),
        (Indicator.MATCHED, bool(row.matched), None),
        (Indicator.DUPLICATES, row.double, None),
        (Indicator.COMPLETENESS, None, completeness(household)),
    )
    groups = groups_of(household, on=today).value
    for indicator, hit, value in found:
        yield {
            "evaluation_id": of.evaluation_id,
            "indicator": indicator.value,
            "part": WHOLE,
            "area_code": of.village,
            "subject_id": row.id,
            "hit": hit,
            "value": None if value is None else float(value),
            "groups": groups,
        }


def _age_days(household: Household, applied_at: datetime, today: date, calendar: WorkingCalendar) -> int:
    """Since the data were verified; where they never were, since they were registered."""
    data_of = household.last_verified_on or calendar.local_day(applied_at)
    return max((today - data_of).days, 0)
