"""The national calendar that every area without one of its own works by."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Calendar
from db.repositories import trail
from db.repositories.calendars import add_calendar, lock_calendars
from db.repositories.trail import Entry
from domain.audit import AuditType
from domain.authority import NATION
from domain.calendar import WorkingCalendar
from runtime.holiday_seed import seed_holidays

_ZONE = "Asia/Jakarta"
"""Of the document alone: whoever reads a calendar for an area does so in the zone of that area."""


class LoadedCalendar(NamedTuple):
    """The national calendar in force, and whether it had to be written for that."""

    calendar: WorkingCalendar
    written: bool


async def load_national_calendar(
    connection: AsyncConnection,
    *,
    years: Collection[int],
    at: datetime,
) -> LoadedCalendar:
    """Bring the closed days of `years` into the national calendar; a new version only when it says otherwise.

    Days outside `years`, local closings and musdes windows of the version before are kept.
    """
    await lock_calendars(connection)
    before = await _latest(connection)
    after = _with_days_of(years, before)
    if before is not None and after == before:
        return LoadedCalendar(before, written=False)
    calendar = after.model_copy(update={"version": 1 if before is None else before.version + 1})
    await add_calendar(connection, calendar, at=at)
    published = Entry(type=AuditType.CALENDAR_PUBLISHED, data={"area": NATION, "version": calendar.version})
    await trail.record(connection, f"calendar:{NATION}", [published], at=at, area_code=None)
    return LoadedCalendar(calendar, written=True)


async def _latest(connection: AsyncConnection) -> WorkingCalendar | None:
    document = await connection.scalar(
        select(Calendar.document).where(Calendar.area_code == NATION).order_by(Calendar.version.desc()).limit(1),
    )
    return None if document is None else WorkingCalendar.model_validate(document)


def _with_days_of(years: Collection[int], before: WorkingCalendar | None) -> WorkingCalendar:
    seed = seed_holidays(years)
    known = before or WorkingCalendar(area_code=NATION, version=1, zone=_ZONE)
    kept = [row for row in known.closed if row.day.year not in years or row.category == "local_closing"]
    through = [day for day in (known.collective_leave_known_through, seed.collective_leave_known_through) if day]
    return known.model_copy(
        update={
            "closed": tuple(sorted([*kept, *seed.closed], key=lambda row: (row.day, row.name))),
            "collective_leave_known_through": max(through, default=None),
        },
    )
