"""The working calendar of a regency: which days its offices are open, until what hour, and when a musdes may be held.

A calendar is one version of rows that the regency owns (weekends, national holidays, collective leave, local
closings, windows); it decides nothing about deadlines, which are `domain/deadlines.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from heapq import merge
from itertools import pairwise
from typing import Annotated, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

ONE_DAY: Final = timedelta(days=1)
FRIDAY: Final = 4

INDONESIAN_ZONES: Final = frozenset({"Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"})
"""WIB (the first two), WITA and WIT. None has summer time."""

WallTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]:[0-5][0-9]$"})]
"""A time of day where the office is. The `time` of JSON Schema would carry an offset (RFC 3339)."""
ClosedCategory: TypeAlias = Literal["public_holiday", "collective_leave", "local_closing"]


def _of_indonesia(zone: str) -> str:
    if zone not in INDONESIAN_ZONES:
        msg = f"a zone of Indonesia is expected: {', '.join(sorted(INDONESIAN_ZONES))}"
        raise ValueError(msg)
    return zone


class ClosedDay(BaseModel):
    """A day the offices are closed, its name in Indonesian, and the decree or list that says so."""

    model_config = ConfigDict(frozen=True)

    day: date
    name: str
    category: ClosedCategory
    source: str


class Window(BaseModel):
    """The days in which villages hold their musdes, first and last included."""

    model_config = ConfigDict(frozen=True)

    opens: date
    closes: date

    @model_validator(mode="after")
    def _opens_first(self) -> Window:
        if self.closes < self.opens:
            msg = f"the window opens on {self.opens} and closes before, on {self.closes}"
            raise ValueError(msg)
        return self


class RoundSpan(BaseModel):
    """The days of an update round, from its opening to its cut-off, and the musdes window in them."""

    model_config = ConfigDict(frozen=True)

    opens: date
    closes: date
    musdes: Window

    def holds(self, window: Window) -> bool:
        """Whether a day of `window` is one of the round's."""
        return window.opens <= self.closes and self.opens <= window.closes


class WorkingCalendar(BaseModel):
    """One version of the calendar of an area.

    Offices work Monday to Friday from `opening_time` to `closing_time` in `zone`, but for the `closed` days.
    `opening_time` only weighs pauses: how much of an office day one has taken. `windows` are the musdes windows the
    regency has fixed; past the last of them the monthly `musdes_days` hold (days 1 to 14 are one regency's practice,
    a proposal elsewhere). `collective_leave_known_through` is the last day covered by a decree on collective leave.
    `rounds` are not part of the version: they are put beside it where deadlines are counted. In the days of a round its
    musdes window is the only one.
    """

    model_config = ConfigDict(frozen=True)

    area_code: str
    version: int
    zone: Annotated[str, AfterValidator(_of_indonesia)]
    opening_time: WallTime = time(7, 30)
    closing_time: WallTime = time(16, 0)
    closed: tuple[ClosedDay, ...] = ()
    collective_leave_known_through: date | None = None
    windows: tuple[Window, ...] = ()
    musdes_days: tuple[Annotated[int, Field(ge=1, le=28)], Annotated[int, Field(ge=1, le=28)]] = (1, 14)
    rounds: Annotated[tuple[RoundSpan, ...], Field(exclude=True)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> WorkingCalendar:
        if self.closing_time <= self.opening_time:
            msg = f"offices open at {self.opening_time} and close before, at {self.closing_time}"
            raise ValueError(msg)
        if self.musdes_days[1] < self.musdes_days[0]:
            msg = f"the monthly musdes window closes on day {self.musdes_days[1]}, before it opens"
            raise ValueError(msg)
        for earlier, later in pairwise(self.windows):
            if later.opens <= earlier.closes:
                msg = f"musdes windows come in order and apart, but {later.opens} follows {earlier.closes}"
                raise ValueError(msg)
        return self

    def __copy__(self) -> Self:
        """A fresh look-up with each copy: `model_copy(update={"closed": ...})` must not answer from the old rows."""
        return type(self).model_construct(**{name: getattr(self, name) for name in type(self).model_fields})

    @cached_property
    def tzinfo(self) -> ZoneInfo:
        """The zone, ready for arithmetic."""
        return ZoneInfo(self.zone)

    @cached_property
    def office_day(self) -> timedelta:
        """How long the offices are open on a working day."""
        return _since_midnight(self.closing_time) - _since_midnight(self.opening_time)

    @cached_property
    def _closed_by_day(self) -> dict[date, ClosedDay]:
        by_day: dict[date, ClosedDay] = {}
        for closed in self.closed:
            by_day.setdefault(closed.day, closed)
        return by_day

    def is_working_day(self, day: date) -> bool:
        """Whether the offices are open on `day`."""
        return day.weekday() <= FRIDAY and day not in self._closed_by_day

    def why_closed(self, day: date) -> Literal["weekend"] | ClosedDay | None:
        """Why the offices are closed on `day`; None on a working day. A holiday on a weekend is the holiday."""
        if closed := self._closed_by_day.get(day):
            return closed
        return "weekend" if day.weekday() > FRIDAY else None

    def add_working_days(self, day: date, n: int) -> date:
        """The `n`-th working day after `day`, which itself does not count; `day` as it is when `n` is 0."""
        while n > 0:
            day += ONE_DAY
            n -= self.is_working_day(day)
        return day

    def first_working_day(self, day: date) -> date:
        """`day` itself when it is a working day, the next one otherwise."""
        return day if self.is_working_day(day) else self.add_working_days(day, 1)

    def received_on(self, moment: datetime) -> date:
        """The working day on which something that comes at `moment` counts as having come.

        What comes after closing time, or on a closed day, counts as having come on the next working day: the
        habit of one-door counters, a proposal and not law.
        """
        local = moment.astimezone(self.tzinfo)
        late = local.time() > self.closing_time
        return self.first_working_day(local.date() + ONE_DAY if late else local.date())

    def local_day(self, moment: datetime) -> date:
        """The date that a clock on the wall in the area shows at `moment`."""
        return moment.astimezone(self.tzinfo).date()

    def midnight(self, day: date) -> datetime:
        """The first instant of `day` in the area, in UTC."""
        return datetime.combine(day, time.min, self.tzinfo).astimezone(UTC)

    def closes_at(self, day: date) -> datetime:
        """Closing time on `day` in UTC, also where `day` is no working day."""
        return datetime.combine(day, self.closing_time, self.tzinfo).astimezone(UTC)

    def office_time(self, begins: datetime, ends: datetime) -> timedelta:
        """How long the offices were open between two moments; nothing at night, on weekends and holidays."""
        first, last = begins.astimezone(self.tzinfo), ends.astimezone(self.tzinfo)
        if first.date() == last.date():
            return max(self._opened_by(last) - self._opened_by(first), timedelta(0))
        between, day = 0, first.date() + ONE_DAY
        while day < last.date():
            between += self.is_working_day(day)
            day += ONE_DAY
        whole = self.office_day if self.is_working_day(first.date()) else timedelta(0)
        return whole - self._opened_by(first) + between * self.office_day + self._opened_by(last)

    def _opened_by(self, local: datetime) -> timedelta:
        """How long the offices had been open on the day of `local` by then."""
        if not self.is_working_day(local.date()):
            return timedelta(0)
        since_opening = _since_midnight(local.time()) - _since_midnight(self.opening_time)
        return min(max(since_opening, timedelta(0)), self.office_day)

    def windows_from(self, day: date) -> Iterator[Window]:
        """Every musdes window that opens on `day` or later, in order and without end."""
        of_rounds = (span.musdes for span in self.rounds if span.musdes.opens >= day)
        others = (window for window in self._windows_without_rounds(day) if not self._in_a_round(window))
        yield from merge(of_rounds, others, key=lambda window: window.opens)

    def _in_a_round(self, window: Window) -> bool:
        return any(span.holds(window) for span in self.rounds)

    def _windows_without_rounds(self, day: date) -> Iterator[Window]:
        yield from (window for window in self.windows if window.opens >= day)
        year, month = day.year, day.month
        fixed_until = self.windows[-1].closes if self.windows else date.min
        first, last = self.musdes_days
        while True:
            window = Window(opens=date(year, month, first), closes=date(year, month, last))
            if window.opens >= day and window.opens > fixed_until:
                yield window
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - the months of a year

    def next_window(self, after: date, at_least: int) -> Window:
        """The first musdes window that opens on the `at_least`-th working day after `after`, or later."""
        return next(self.windows_from(self.add_working_days(after, at_least)))

    def is_assumed(self, window: Window) -> bool:
        """Whether `window` is past those the regency has fixed; never where it fixes none and keeps the monthly one.

        That of a round is fixed.
        """
        if any(span.musdes == window for span in self.rounds):
            return False
        return bool(self.windows) and window.opens > self.windows[-1].closes


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
