"""Versions of calendars: the latest of each area, and a new one, which is a job for the clocks of its area."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Calendar
from db.repositories.clocks import add_job
from domain.authority import NATION
from domain.calendar import WorkingCalendar
from domain.calendar_changes import on_top_of


def stream_of_calendar(area_code: str) -> str:
    """The name of the trail of an area's calendar."""
    return f"calendar:{area_code}"


async def lock_calendars(connection: AsyncConnection) -> None:
    """Take turns with whoever else publishes a calendar."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("kawal-calendars", 0))))


async def latest_calendars(connection: AsyncConnection) -> dict[str, WorkingCalendar]:
    """The latest version of every area that has a calendar of its own."""
    latest = (
        select(Calendar.area_code, Calendar.document)
        .ext(distinct_on(Calendar.area_code))
        .order_by(Calendar.area_code, Calendar.version.desc())
    )
    rows = await connection.execute(latest)
    return {row.area_code: WorkingCalendar.model_validate(row.document) for row in rows}


async def add_calendar(
    connection: AsyncConnection,
    calendar: WorkingCalendar,
    *,
    at: datetime,
    by: UUID | None = None,
    note: str | None = None,
) -> None:
    """Write a version down, and that open deadlines are to follow it.

    A version of the nation's is put under the closings of every other area that has a calendar.
    """
    versions = [calendar]
    if calendar.area_code == NATION:
        others = await latest_calendars(connection)
        versions += [on_top_of(calendar, local) for area, local in others.items() if area != NATION]
    await connection.execute(
        insert(Calendar),
        [
            {
                "area_code": each.area_code,
                "version": each.version,
                "document": each.model_dump(mode="json"),
                "created_at": at,
                "entered_by": by,
                "note": note,
            }
            for each in versions
        ],
    )
    await add_job(connection, area_code=calendar.area_code, cause="calendar", at=at)
