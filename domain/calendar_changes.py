"""Changing the working calendar of an area: local closings of a regency, holidays and collective leave of the nation.

A calendar is never changed, it gets another version. That of a part of the country is the nation's with closings of its
own: `on_top_of` puts them on the nation's next one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.authority import NATION
from domain.calendar import ClosedCategory, ClosedDay, WallTime, Window, WorkingCalendar
from domain.errors import InvalidInput, Violation
from domain.text import IsoDate, Note, ShortText

LOCAL: Final[ClosedCategory] = "local_closing"


class ClosedDayInput(BaseModel):
    """A day on which offices are closed, and the decree that says so."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    day: IsoDate
    name: ShortText
    category: ClosedCategory
    source: ShortText


def _on_the_wall(moment: time) -> time:
    if moment.tzinfo is not None:
        msg = "a time of day as it is on the wall of the office, without an offset"
        raise ValueError(msg)
    return moment.replace(microsecond=0)


OfficeTime = Annotated[WallTime, AfterValidator(_on_the_wall)]


class WindowInput(BaseModel):
    """The days in which villages hold their musdes, first and last included."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    opens: IsoDate
    closes: IsoDate


class CalendarChange(BaseModel):
    """What the next version says otherwise: days that are closed, and days that are not after all; hours and windows.

    `collective_leave_known_through` is the last day that the nation's decrees on collective leave cover. `windows`
    takes the place of all musdes windows that are fixed; empty, the monthly one holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    closed: Annotated[tuple[ClosedDayInput, ...], Field(max_length=100)] = ()
    reopened: Annotated[tuple[IsoDate, ...], Field(max_length=100)] = ()
    collective_leave_known_through: IsoDate | None = None
    opening_time: OfficeTime | None = None
    closing_time: OfficeTime | None = None
    windows: Annotated[tuple[WindowInput, ...], Field(max_length=60)] | None = None
    note: Note | None = None


def changed(before: WorkingCalendar, change: CalendarChange, *, area_code: str, version: int) -> WorkingCalendar:
    """The next version of an area's calendar; `before` is the one that holds there, be it of a wider area.

    Raises InvalidInput for a day that is not the area's to close, and for a change that changes nothing.
    """
    opening, closing = change.opening_time or before.opening_time, change.closing_time or before.closing_time
    violations = [*_foreign(change, area_code=area_code), *_out_of_order(change, opening=opening, closing=closing)]
    if violations:
        raise InvalidInput(violations)
    own = {LOCAL} if area_code != NATION else {"public_holiday", "collective_leave"}
    replaced = {(row.day, row.category) for row in change.closed}
    kept = [
        row
        for row in before.closed
        if (row.day, row.category) not in replaced and not (row.category in own and row.day in change.reopened)
    ]
    added = [ClosedDay.model_validate(row.model_dump()) for row in change.closed]
    after = before.model_copy(
        update={
            "closed": _in_order([*kept, *added]),
            "collective_leave_known_through": change.collective_leave_known_through
            or before.collective_leave_known_through,
            "opening_time": opening,
            "closing_time": closing,
            "windows": before.windows if change.windows is None else _windows(change.windows),
        },
    )
    if after == before:
        raise InvalidInput([_violation("", "calendar_unchanged", "The calendar says all of this already.")])
    return after.model_copy(update={"area_code": area_code, "version": version})


def on_top_of(nation: WorkingCalendar, local: WorkingCalendar) -> WorkingCalendar:
    """The next version of a part's calendar when the nation has another one: its own closings stay."""
    own = [row for row in local.closed if row.category == LOCAL]
    return local.model_copy(
        update={
            "closed": _in_order([*nation.closed, *own]),
            "collective_leave_known_through": nation.collective_leave_known_through,
            "version": local.version + 1,
        },
    )


def _windows(given: Iterable[WindowInput]) -> tuple[Window, ...]:
    return tuple(Window(opens=each.opens, closes=each.closes) for each in given)


def _out_of_order(change: CalendarChange, *, opening: time, closing: time) -> Iterable[Violation]:
    if closing <= opening:
        yield _violation("/closing_time", "closes_before_it_opens", f"Offices that open at {opening} close later.")
    last: date | None = None
    for place, window in enumerate(change.windows or ()):
        if window.closes < window.opens or (last is not None and window.opens <= last):
            detail = "Windows come in their order and apart, and each closes on the day that it opens or later."
            yield _violation(f"/windows/{place}", "windows_out_of_order", detail)
        last = window.closes


def _in_order(rows: Iterable[ClosedDay]) -> tuple[ClosedDay, ...]:
    return tuple(sorted(rows, key=lambda row: (row.day, row.name)))


def _foreign(change: CalendarChange, *, area_code: str) -> Iterable[Violation]:
    for place, row in enumerate(change.closed):
        if (row.category == LOCAL) == (area_code == NATION):
            whose = "the nation closes for holidays and collective leave, any other area for reasons of its own"
            yield _violation(f"/closed/{place}/category", "category_not_yours", f"Here {whose}.")
    if change.collective_leave_known_through is not None and area_code != NATION:
        yield _violation(
            "/collective_leave_known_through", "category_not_yours", "Decrees on collective leave are the nation's."
        )


def _violation(pointer: str, code: str, detail: str) -> Violation:
    return Violation(pointer=pointer, code=code, detail=detail, remedy="Read the calendar that holds, and mend this.")
