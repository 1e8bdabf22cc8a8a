"""Every case told again from its events alone, and held against the table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, Text, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditRecord, AuditStream, Update
from domain.audit import AuditEvent
from domain.authority import NATION
from domain.replay import Difference, Standing, differences, replay
from services.queries.scope import within

_STREAM: Final = literal("update:") + cast(Update.id, Text)  # as trail.stream_of_update has it
_TOLD: Final = ("kind", "status", "stage", "level", "cause", "revision", "closed_at")
_BATCH: Final = 1000


class CaseReport(NamedTuple):
    """One case: its stream, and where the table and its events differ."""

    stream: str
    differences: list[Difference]


async def count_cases(connection: AsyncConnection, *, area_code: str = NATION) -> int:
    """How many reports `replay_cases` gives of cases that are there."""
    cases = select(func.count()).select_from(Update).where(within(Update.area_code, [area_code]))
    return await connection.scalar(cases) or 0


async def replay_cases(connection: AsyncConnection, *, area_code: str = NATION) -> AsyncIterator[CaseReport]:
    """A report of every case of the area, and of every trail of one that is not there. One case in memory at a time.

    The connection has to be one of a snapshot: a case that moves meanwhile would seem to differ.
    """
    wanted = (
        select(
            _STREAM.label("stream"),
            *(getattr(Update, name) for name in _TOLD),
            cast(Update.policy_version_id, Text).label("policy"),
            AuditRecord.seq,
            AuditRecord.at,
            AuditRecord.type,
            AuditRecord.status.label("left"),
            AuditRecord.data,
        )
        .join(AuditRecord, AuditRecord.stream == _STREAM, isouter=True)
        .where(within(Update.area_code, [area_code]))
        .order_by(Update.id, AuditRecord.seq)
    )
    rows: list[RowMapping] = []
    async for batch in (await connection.stream(wanted)).mappings().partitions(_BATCH):
        for row in batch:
            if rows and rows[0]["stream"] != row["stream"]:
                yield _report(rows)
                rows = []
            rows.append(row)
    if rows:
        yield _report(rows)
    for stream in await _trails_without_case(connection, area_code):
        yield CaseReport(stream, [Difference("case", None, "has a trail")])


def _report(rows: list[RowMapping]) -> CaseReport:
    stream: str = rows[0]["stream"]
    table = Standing(**{name: rows[0][name] for name in (*_TOLD, "policy")})
    events = [_event(stream, row) for row in rows if row["seq"] is not None]
    return CaseReport(stream, list(differences(table, replay(events))))


def _event(stream: str, row: RowMapping) -> AuditEvent:
    data: dict[str, Any] = row["data"]
    return AuditEvent(stream=stream, seq=row["seq"], at=row["at"], type=row["type"], status=row["left"], data=data)


async def _trails_without_case(connection: AsyncConnection, area_code: str) -> list[str]:
    gone = (
        select(AuditStream.stream)
        .where(AuditStream.stream.startswith("update:"), within(AuditStream.area_code, [area_code]))
        .where(~select(Update.id).where(AuditStream.stream == _STREAM).exists())
        .order_by(AuditStream.stream)
    )
    return list(await connection.scalars(gone))
