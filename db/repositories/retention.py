"""What has had its time: named by the database itself, which alone says what is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.policy import RetentionSubject

OF_CASES: Final = (RetentionSubject.EVIDENCE, RetentionSubject.CONTENTS)
"""Erased case by case, each with an event in its own trail."""
OF_ROWS: Final = (
    RetentionSubject.SEALED_REQUESTS,
    RetentionSubject.READ_LOG,
    RetentionSubject.NOTIFICATIONS,
    RetentionSubject.SESSIONS,
    RetentionSubject.ORIGINS,
)
"""Erased in numbers."""


class Due(NamedTuple):
    """How many of a subject have had their time: those that may go, and those under a legal hold."""

    due: int
    held: int


class Erased(NamedTuple):
    """A case of which something was erased: how many rows."""

    update_id: UUID
    area_code: str
    items: int


class DueFile(NamedTuple):
    """A file of evidence that has had its time."""

    evidence_id: UUID
    update_id: UUID
    area_code: str


_COUNT = "SELECT count(*) FILTER (WHERE NOT held) AS due, count(*) FILTER (WHERE held) AS held FROM "
_COUNT_ROWS = text(f"{_COUNT} kawal_due(:of)")
_COUNT_ORIGINS = text(f"{_COUNT} kawal_due_origins()")
_CONTENTS = text("SELECT id, area_code, items FROM kawal_erase_contents(:at_most)")
_REPORTS = text("SELECT id, area_code, items FROM kawal_erase_reports(:at_most)")
_ROWS = text("SELECT kawal_erase_rows(:of, :at_most)")
_ORIGINS = text("SELECT kawal_erase_origins(:at_most)")
# The case first, as every act takes it: nobody places a hold on it while its files go.
_LOCK_CASES = text(
    """
    SELECT u.id FROM updates u
    WHERE u.id IN (
        SELECT b.update_id FROM update_evidence b
        WHERE b.evidence_id IN (SELECT d.id FROM kawal_due('evidence') d WHERE NOT d.held LIMIT :at_most))
    ORDER BY u.id FOR UPDATE SKIP LOCKED
    """,
)
_FILES = text(
    """
    SELECT e.id, b.update_id, e.area_code FROM evidence e JOIN update_evidence b ON b.evidence_id = e.id
    WHERE b.update_id = ANY (CAST(:cases AS uuid[])) AND e.erased_at IS NULL AND kawal_is_due(b.update_id, 'evidence')
    ORDER BY b.update_id, e.id
    FOR UPDATE OF e SKIP LOCKED
    """,
)


async def count_due(connection: AsyncConnection, subject: RetentionSubject) -> Due:
    """How many of the subject have had their time now."""
    if subject is RetentionSubject.ORIGINS:
        row = (await connection.execute(_COUNT_ORIGINS)).one()
    else:
        row = (await connection.execute(_COUNT_ROWS, {"of": subject.value})).one()
    return Due(row.due, row.held)


async def erase_contents(connection: AsyncConnection, *, at_most: int) -> list[Erased]:
    """Blank what the oldest of the due cases proposed; which cases these were."""
    rows = await connection.execute(_CONTENTS, {"at_most": at_most})
    return [Erased(row.id, row.area_code, row.items) for row in rows]


async def erase_reports(connection: AsyncConnection, *, at_most: int) -> list[Erased]:
    """Blank where and what was seen in the field, of the oldest of the due cases; which cases these were."""
    rows = await connection.execute(_REPORTS, {"at_most": at_most})
    return [Erased(row.id, row.area_code, row.items) for row in rows]


async def erase_rows(connection: AsyncConnection, subject: RetentionSubject, *, at_most: int) -> int:
    """Erase due rows of a subject that belongs to no case; how many."""
    if subject is RetentionSubject.ORIGINS:
        return await connection.scalar(_ORIGINS, {"at_most": at_most}) or 0
    return await connection.scalar(_ROWS, {"of": subject.value, "at_most": at_most}) or 0


async def lock_due_files(connection: AsyncConnection, *, at_most: int) -> Sequence[DueFile]:
    """Files of cases whose evidence has had its time, locked with their cases."""
    cases = list(await connection.scalars(_LOCK_CASES, {"at_most": at_most}))
    if not cases:
        return []
    rows = await connection.execute(_FILES, {"cases": cases})
    return [DueFile(row.id, row.update_id, row.area_code) for row in rows]
