"""The closed days that a regency's calendar starts with, taken from the `holidays` library.

National holidays are its category `public`, collective leave (cuti bersama) its category `government`. Dates of
Islamic and Buddhist feasts that no decree has fixed when the library was released carry "(perkiraan)" in their names.
Rows are a start, not an authority: the regency completes and corrects them in the database.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from importlib.metadata import version
from typing import Final, NamedTuple

import holidays
from holidays.constants import GOVERNMENT, PUBLIC

from domain.calendar import ClosedCategory, ClosedDay

SOURCE: Final = f"holidays {version('holidays')}, Indonesia"

_CATEGORIES: Final[tuple[tuple[ClosedCategory, str], ...]] = (
    ("public_holiday", PUBLIC),
    ("collective_leave", GOVERNMENT),
)


class HolidaySeed(NamedTuple):
    """Closed days in order of date, and the last day for which collective leave is known; None when for no year."""

    closed: tuple[ClosedDay, ...]
    collective_leave_known_through: date | None


def seed_holidays(years: Collection[int]) -> HolidaySeed:
    """The closed days of `years`, each date once with its name in Indonesian.

    Collective leave is decreed year by year, so a year in which the library has none is a year it does not know:
    `collective_leave_known_through` ends before the first such year. Where a date is both, the holiday names it.
    """
    by_day: dict[date, ClosedDay] = {}
    for category, of_library in _CATEGORIES:
        for day, name in holidays.Indonesia(years=years, categories=(of_library,), language="id").items():
            by_day.setdefault(day, ClosedDay(day=day, name=name, category=category, source=SOURCE))
    closed = tuple(sorted(by_day.values(), key=lambda closed: closed.day))
    return HolidaySeed(closed, _leave_known_through(years, closed))


def _leave_known_through(years: Collection[int], closed: Collection[ClosedDay]) -> date | None:
    decreed = {row.day.year for row in closed if row.category == "collective_leave"}
    known: date | None = None
    for year in sorted(years):
        if year not in decreed:
            break
        known = date(year, 12, 31)
    return known
