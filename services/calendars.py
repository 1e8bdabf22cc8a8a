"""The next version of an area's calendar, which moves every open deadline of the area."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Calendar
from db.repositories import trail
from db.repositories.calendars import add_calendar, latest_calendars, lock_calendars, stream_of_calendar
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import NATION, Actor
from domain.calendar import WorkingCalendar
from domain.calendar_changes import CalendarChange, changed
from domain.permissions import Permission
from services.kawal import Kawal
from services.keyed import Call, once
from services.queries.clock_orders import require_area
from services.queries.view import View
from services.versions import require_version

PUBLISH: Final = "POST /v1/calendars/{area_code}/versions"


class CalendarVersion(View):
    """A version of an area's calendar."""

    calendar: WorkingCalendar
    created_at: datetime
    entered_by: UUID | None = Field(description="Null where it was loaded by whoever runs Kawal")
    note: str | None


class CalendarVersions(View):
    """Every version of an area's own calendar, the newest first; empty where it keeps that of a wider area."""

    items: tuple[CalendarVersion, ...]


class Published(View):
    """The calendar that holds in the area now."""

    calendar: WorkingCalendar


async def publish_calendar(kawal: Kawal, call: Call, area_code: str, change: CalendarChange) -> tuple[Published, bool]:
    """Publish the next version; and whether the same request had been answered before.

    Raises NotFound, Forbidden, StaleVersion, InvalidInput, IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.CLOCKS_ORDER, area_code=area_code)

    async def do(connection: AsyncConnection) -> Published:
        await require_area(connection, area_code)
        await lock_calendars(connection)
        before = await kawal.rules.clocks_now(connection, area_code, at=call.at)
        own = (await latest_calendars(connection)).get(area_code)
        require_version(call.holds, before.calendar.version)
        version = 1 if own is None else own.version + 1
        calendar = changed(before.calendar, change, area_code=area_code, version=version)
        await add_calendar(connection, calendar, at=call.at, by=call.actor.user_id, note=change.note)
        entry = Entry(
            type=AuditType.CALENDAR_PUBLISHED,
            by=Doer.of(call.actor, seat),
            data={"area": area_code, "version": version},
        )
        stream = stream_of_calendar(area_code)
        of_area = None if area_code == NATION else area_code
        await trail.record(connection, stream, [entry], at=call.at, area_code=of_area)
        return Published(calendar=calendar)

    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        return await once(
            connection,
            call,
            change,
            lambda: do(connection),
            answer=Published,
            route=f"{PUBLISH} {area_code}",
            vault=kawal.vault,
        )


async def read_calendar(kawal: Kawal, actor: Actor, area_code: str) -> Published:
    """The calendar that holds in an area. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        return Published(calendar=(await kawal.rules.clocks_now(connection, area_code, at=kawal.now())).calendar)


async def list_calendar_versions(kawal: Kawal, actor: Actor, area_code: str) -> CalendarVersions:
    """The versions of an area's own calendar. Raises NotFound for what is no area."""
    columns = (Calendar.document, Calendar.created_at, Calendar.entered_by, Calendar.note)
    wanted = select(*columns).where(Calendar.area_code == area_code).order_by(Calendar.version.desc()).limit(200)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        await require_area(connection, area_code)
        rows = (await connection.execute(wanted)).all()
    return CalendarVersions(
        items=tuple(
            CalendarVersion(
                calendar=WorkingCalendar.model_validate(row.document),
                created_at=row.created_at,
                entered_by=row.entered_by,
                note=row.note,
            )
            for row in rows
        ),
    )
