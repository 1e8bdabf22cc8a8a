"""The arithmetic under a deadline: how far a duration reaches on a calendar when the clock stood now and then.

The rules are told in `domain/deadlines.py`; here they are worked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict

from domain.calendar import ONE_DAY, ClosedCategory, ClosedDay, Window, WorkingCalendar
from domain.durations import CalendarDays, Duration, Elapsed, WindowClose, WorkingDays
from domain.pauses import Stop

Stops: TypeAlias = Sequence[Stop]


class SkippedDay(BaseModel):
    """A day between start and deadline that was not counted: `why` is `weekend`, `receipt` or the holiday's name.

    `receipt` is the working day on which a start outside office hours counts as having come.
    """

    model_config = ConfigDict(frozen=True)

    day: date
    why: str
    category: Literal["weekend", "receipt"] | ClosedCategory


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How far a duration reaches, in UTC, and what was counted and skipped on the way.

    `counted` are working days, `given_back` those among them that make up for pauses. `leave_matters_until` is the
    last day whose collective leave had a say; None where no working day was counted.
    """

    due: datetime
    counted: int = 0
    given_back: int = 0
    skipped: tuple[SkippedDay, ...] = ()
    window: Window | None = None
    leave_matters_until: date | None = None


def reckon(started: datetime, duration: Duration, *, extra: int, stops: Stops, calendar: WorkingCalendar) -> Reckoning:
    """Reckon `duration` and `extra` working days from `started`."""
    match duration:
        case WorkingDays(working_days=n):
            return _from_receipt(started, n + extra, stops=stops, calendar=calendar)
        case CalendarDays(calendar_days=n):
            start_day = calendar.local_day(started)
            due = moved_exactly(
                calendar.closes_at(start_day + n * ONE_DAY),
                runs_from=calendar.midnight(start_day + ONE_DAY),
                stops=stops,
            )
        case Elapsed(elapsed=elapsed):
            due = moved_exactly(started + elapsed, runs_from=started, stops=stops)
        case WindowClose(at_least=at_least):
            return _window_close(started, at_least.working_days, extra=extra, stops=stops, calendar=calendar)
        case _:
            assert_never(duration)
    if not extra:
        return Reckoning(due=due)
    return working_days_after(calendar.local_day(due), extra, stops=stops, calendar=calendar)


def working_days_after(day: date, n: int, *, stops: Stops, calendar: WorkingCalendar) -> Reckoning:
    """Closing time on the `n`-th working day after `day`, later by the working days that pauses after `day` took."""
    last, lost = _last_day(day, n, stops=stops, calendar=calendar)
    return Reckoning(
        due=calendar.closes_at(last),
        counted=n + lost,
        given_back=lost,
        skipped=tuple(_closed_days(day, last, calendar)),
        leave_matters_until=last,
    )


def closing_after(day: date, n: int, *, stops: Stops, calendar: WorkingCalendar) -> datetime:
    """The moment of `working_days_after` without what led there."""
    last, _ = _last_day(day, n, stops=stops, calendar=calendar)
    return calendar.closes_at(last)


def moved_exactly(due: datetime, *, runs_from: datetime, stops: Stops) -> datetime:
    """`due`, later by the time that the clock stood between `runs_from` and then."""
    for stop in stops:
        begins = max(stop.begins, runs_from)
        if begins >= due:
            break
        due += max(stop.ends - begins, timedelta(0))
    return due


def stood_between(begins: datetime, ends: datetime, stops: Stops) -> timedelta:
    """How long the clock stood between two moments."""
    return sum(
        (max(min(stop.ends, ends) - max(stop.begins, begins), timedelta(0)) for stop in stops),
        timedelta(0),
    )


def _from_receipt(started: datetime, n: int, *, stops: Stops, calendar: WorkingCalendar) -> Reckoning:
    received = calendar.received_on(started)
    counted = working_days_after(received, n, stops=stops, calendar=calendar)
    start_day = calendar.local_day(started)
    if received == start_day:
        return counted
    receipt = SkippedDay(day=received, why="receipt", category="receipt")
    return replace(counted, skipped=(*_closed_days(start_day, received, calendar), receipt, *counted.skipped))


def _window_close(
    started: datetime, at_least: int, *, extra: int, stops: Stops, calendar: WorkingCalendar
) -> Reckoning:
    """Of the windows that leave time to prepare, the one whose close, moved by pauses, comes first.

    That is the first window, unless pauses eat so much of it that what is left of it ends after a shorter later one.
    """
    ready = _from_receipt(started, at_least, stops=stops, calendar=calendar)
    windows = calendar.windows_from(calendar.local_day(ready.due))
    last, lost, window = _moved_window(next(windows), extra=extra, stops=stops, calendar=calendar)
    for later in windows:
        if later.closes >= last:
            break
        last, lost, window = min(
            (last, lost, window),
            _moved_window(later, extra=extra, stops=stops, calendar=calendar),
            key=lambda moved: moved[0],
        )
    return Reckoning(
        due=calendar.closes_at(last),
        counted=ready.counted + extra + lost,
        given_back=ready.given_back + lost,
        skipped=(*ready.skipped, *_closed_days(window.closes, last, calendar)),
        window=window,
        leave_matters_until=last,
    )


def _moved_window(window: Window, *, extra: int, stops: Stops, calendar: WorkingCalendar) -> tuple[date, int, Window]:
    last, lost = _moved_by_days(
        calendar.add_working_days(window.closes, extra),
        runs_from=calendar.midnight(window.opens),
        stops=stops,
        calendar=calendar,
    )
    return last, lost, window


def _last_day(day: date, n: int, *, stops: Stops, calendar: WorkingCalendar) -> tuple[date, int]:
    return _moved_by_days(
        calendar.add_working_days(day, n),
        runs_from=calendar.midnight(day + ONE_DAY),
        stops=stops,
        calendar=calendar,
    )


def _moved_by_days(last: date, *, runs_from: datetime, stops: Stops, calendar: WorkingCalendar) -> tuple[date, int]:
    """The last day of a count that runs from `runs_from`, moved by the working days that `stops` took from it."""
    lost, moved = timedelta(0), last
    for stop in stops:
        begins = max(stop.begins, runs_from)
        if begins >= calendar.closes_at(moved):
            break
        if stop.ends > begins:
            lost += calendar.office_time(begins, stop.ends)
            # A window may close on a weekend; what a pause leaves of it ends on a working day.
            moved = calendar.add_working_days(calendar.first_working_day(last), _days_of(lost, calendar))
    return moved, _days_of(lost, calendar)


def _days_of(office_time: timedelta, calendar: WorkingCalendar) -> int:
    """Working days that hold so much office time, a part of one counted as one."""
    return -(-office_time // calendar.office_day)


def _closed_days(after: date, last: date, calendar: WorkingCalendar) -> Iterator[SkippedDay]:
    """The closed days after `after` up to `last`, each with its reason."""
    day = after + ONE_DAY
    while day <= last:
        match calendar.why_closed(day):
            case ClosedDay(name=name, category=category):
                yield SkippedDay(day=day, why=name, category=category)
            case "weekend":
                yield SkippedDay(day=day, why="weekend", category="weekend")
            case None:
                pass
        day += ONE_DAY
