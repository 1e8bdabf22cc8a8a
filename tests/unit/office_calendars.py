"""Calendars that the scenarios of deadlines stand on: the real closed days of 2025 to 2028, a regency in each zone."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from domain.calendar import Window, WorkingCalendar
from runtime.holiday_seed import seed_holidays

WIB, WITA, WIT = "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"


@cache
def regency(zone: str = WIB, windows: tuple[Window, ...] = ()) -> WorkingCalendar:
    seed = seed_holidays(range(2025, 2029))
    return WorkingCalendar(
        area_code="32.06",
        version=1,
        zone=zone,
        closed=seed.closed,
        collective_leave_known_through=seed.collective_leave_known_through,
        windows=windows,
    )


def local(text: str, zone: str = WIB) -> datetime:
    """`2026-03-16 10:00` on a wall clock in `zone`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
