"""Update rounds: the calendar of a regency's period, what it may say, and for which round an update counts.

A round is known by the month of its cut-off. Its days are counted in the regency's own time: it opens with the day,
and its cut-off is the closing time of the offices. From the opening to the cut-off no two rounds of a regency overlap;
one may be published while the next is open. All of this is a proposal and not law.

For which round an update counts follows from moments alone: the first whose cut-off comes at or after the moment at
which it was approved, and until then the first whose cut-off is still to come. So what misses a cut-off counts for the
next round and is never rejected for it, and where no round is planned, it counts for none and nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.areas import REGENCY
from domain.calendar import ONE_DAY, RoundSpan, Window, WorkingCalendar
from domain.errors import Violation
from domain.text import IsoDate, Note

PERIOD: Final = "^20[0-9]{2}-(0[1-9]|1[0-2])$"
Period = Annotated[str, Field(pattern=PERIOD, examples=["2026-12"])]
"""A round's name: the month of its cut-off, as YYYY-MM."""
RegencyCode = Annotated[str, Field(pattern=REGENCY, examples=["32.06"])]

LONGEST: Final = 366
"""No round lasts longer, in days from its opening to its publication."""


class RoundState(StrEnum):
    """How a round stands, by the day: yet to open, open, past its cut-off, published, closed by a planner."""

    PLANNED = "planned"
    OPEN = "open"
    CUT_OFF = "cut_off"
    PUBLISHED = "published"
    CLOSED = "closed"


class RescheduleReason(StrEnum):
    """Why the days of a round were moved. "Other" is not a code."""

    HOLIDAY_DECREED = "holiday_decreed"
    DISASTER = "disaster"
    OUTAGE = "outage"
    MINISTRY_CALENDAR = "ministry_calendar"
    LOCAL_EVENT = "local_event"
    VILLAGES_NOT_READY = "villages_not_ready"
    ENTERED_IN_ERROR = "entered_in_error"


class Days(BaseModel):
    """Days from one to another, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    opens: IsoDate
    closes: IsoDate


class RoundDates(BaseModel):
    """The calendar of a round, in days of the regency."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    opens: IsoDate = Field(description="From this day on the round is open, and deliveries that waited for it go out")
    input_window: Days = Field(description="When villages are asked to hand their updates in")
    musdes_window: Days = Field(description="When villages hold their musdes")
    cut_off: IsoDate = Field(description="Closing time of this day: what is approved later counts for the next round")
    publishes: IsoDate = Field(description="When the round is published")


class RoundPlan(RoundDates):
    """What a planner plans."""

    area_code: RegencyCode
    period: Period
    note: Note | None = None

    def dates(self) -> RoundDates:
        """The calendar alone."""
        return RoundDates(**{name: getattr(self, name) for name in RoundDates.model_fields})


class Rescheduling(RoundDates):
    """Other days for a round, and why."""

    reason: RescheduleReason
    note: Note | None = None

    def dates(self) -> RoundDates:
        """The calendar alone."""
        return RoundDates(**{name: getattr(self, name) for name in RoundDates.model_fields})


class RoundClosing(BaseModel):
    """What is said when a round is closed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    note: Note | None = None


class Round(BaseModel):
    """A round as the rules see it: its days by its latest terms, and the two moments that decide."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    area_code: str
    period: str
    version: int
    dates: RoundDates
    opens_at: AwareDatetime
    cutoff_at: AwareDatetime
    closed: bool = False

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.cutoff_at <= self.opens_at:
            msg = f"round {self.period} would be cut off at {self.cutoff_at}, before it opens"
            raise ValueError(msg)
        return self

    @property
    def span(self) -> RoundSpan:
        """The days in which its musdes window takes the place of any other."""
        musdes = self.dates.musdes_window
        return RoundSpan(
            opens=self.dates.opens,
            closes=self.dates.cut_off,
            musdes=Window(opens=musdes.opens, closes=musdes.closes),
        )


class Moments(NamedTuple):
    """The two moments of a round that decide, in UTC."""

    opens_at: datetime
    cutoff_at: datetime


class DaysLeft(NamedTuple):
    """How far off a day is: negative once it is past; working days count from tomorrow on, and none backwards."""

    days: int
    working_days: int


def moments_of(dates: RoundDates, calendar: WorkingCalendar) -> Moments:
    """When a round opens and when it is cut off."""
    return Moments(calendar.midnight(dates.opens), calendar.closes_at(dates.cut_off))


def state_of(update_round: Round, *, now: datetime, calendar: WorkingCalendar) -> RoundState:
    """How a round stands now."""
    if update_round.closed:
        return RoundState.CLOSED
    if now < update_round.opens_at:
        return RoundState.PLANNED
    if now <= update_round.cutoff_at:
        return RoundState.OPEN
    published = calendar.local_day(now) >= update_round.dates.publishes
    return RoundState.PUBLISHED if published else RoundState.CUT_OFF


def round_for(rounds: Iterable[Round], moment: datetime) -> Round | None:
    """For which round counts what is approved at `moment`: the first whose cut-off is not before it."""
    ahead = (each for each in rounds if each.cutoff_at >= moment)
    return min(ahead, key=lambda each: each.cutoff_at, default=None)


def round_after(rounds: Iterable[Round], update_round: Round) -> Round | None:
    """The next round of the regency."""
    later = (each for each in rounds if each.cutoff_at > update_round.cutoff_at)
    return min(later, key=lambda each: each.cutoff_at, default=None)


def held_until(rounds: Iterable[Round], round_id: UUID | None, *, now: datetime) -> datetime | None:
    """When what counts for this round may be delivered, while it has not opened; None where nothing waits."""
    opens_at = next((each.opens_at for each in rounds if each.id == round_id), None)
    return opens_at if opens_at is not None and now < opens_at else None


def days_left(day: date, *, now: datetime, calendar: WorkingCalendar) -> DaysLeft:
    """How far off `day` is from today in the regency."""
    today = calendar.local_day(now)
    ahead = (today + place * ONE_DAY for place in range(1, (day - today).days + 1))
    return DaysLeft((day - today).days, sum(calendar.is_working_day(each) for each in ahead))


def check_plan(
    dates: RoundDates,
    *,
    period: str,
    calendar: WorkingCalendar,
    others: Sequence[Round],
    now: datetime,
) -> list[Violation]:
    """Everything wrong with the calendar of a round that is planned now, beside the other rounds of the regency."""
    today = calendar.local_day(now)
    violations = list(_faults(dates, period=period, calendar=calendar, others=others))
    if dates.opens < today:
        violations.append(_fault("/opens", "day_is_past", "It would have opened before today.", "Open it today."))
    return violations


def check_rescheduling(
    before: Round,
    dates: RoundDates,
    *,
    calendar: WorkingCalendar,
    others: Sequence[Round],
    now: datetime,
) -> list[Violation]:
    """Everything wrong with other days for a round; a day that has come is not moved, and none to a day that has."""
    today = calendar.local_day(now)
    violations = list(_faults(dates, period=before.period, calendar=calendar, others=others))
    for (pointer, old), (_, new) in zip(_named(before.dates), _named(dates), strict=True):
        if old != new and (old <= today or new < today):
            detail = f"{old} has come and stays." if old <= today else f"{new} is past."
            violations.append(_fault(pointer, "day_is_past", detail, f"Leave {old}, or name a day that is to come."))
    if before.dates == dates:
        violations.append(_fault("", "round_unchanged", "The round has these days already.", "Change one of them."))
    return violations


def _named(dates: RoundDates) -> Iterator[tuple[str, date]]:
    """Each day of a calendar with its pointer, in the same order for every calendar."""
    yield "/opens", dates.opens
    yield "/input_window/opens", dates.input_window.opens
    yield "/input_window/closes", dates.input_window.closes
    yield "/musdes_window/opens", dates.musdes_window.opens
    yield "/musdes_window/closes", dates.musdes_window.closes
    yield "/cut_off", dates.cut_off
    yield "/publishes", dates.publishes


def _faults(
    dates: RoundDates, *, period: str, calendar: WorkingCalendar, others: Sequence[Round]
) -> Iterator[Violation]:
    yield from _out_of_order(dates)
    if (dates.publishes - dates.opens).days > LONGEST:
        detail = f"It would last for more than {LONGEST} days."
        yield _fault("/publishes", "round_too_long", detail, "Plan several rounds.")
    if f"{dates.cut_off:%Y-%m}" != period:
        detail = f"A round is called after the month of its cut-off, and {dates.cut_off} is not in {period}."
        yield _fault("/cut_off", "cut_off_outside_period", detail, "Name that month, or another cut-off.")
    yield from _on_closed_days(dates, calendar)
    yield from _overlaps(dates, period=period, others=others)


_ORDER: Final = (
    ("/input_window/opens", "/opens"),
    ("/input_window/closes", "/input_window/opens"),
    ("/musdes_window/opens", "/opens"),
    ("/musdes_window/closes", "/musdes_window/opens"),
    ("/cut_off", "/input_window/closes"),
    ("/cut_off", "/musdes_window/closes"),
    ("/publishes", "/cut_off"),
)
"""Which day never comes before which."""


def _out_of_order(dates: RoundDates) -> Iterator[Violation]:
    days = dict(_named(dates))
    for later, earlier in _ORDER:
        if days[later] < days[earlier]:
            detail = f"{days[later]} comes before {days[earlier]}, the day in {earlier}."
            yield _fault(later, "round_out_of_order", detail, "Let it be that day or a later one.")
    if dates.cut_off <= dates.opens:
        yield _fault(
            "/cut_off", "round_out_of_order", "The round would be cut off on the day it opens.", "Give it more days."
        )


def _on_closed_days(dates: RoundDates, calendar: WorkingCalendar) -> Iterator[Violation]:
    """The offices have to be open at the cut-off and at the publication, or the day of it is another than is told."""
    for pointer, day in (("/cut_off", dates.cut_off), ("/publishes", dates.publishes)):
        if not calendar.is_working_day(day):
            reopened = calendar.first_working_day(day)
            yield _fault(
                pointer, "offices_closed", f"The offices are closed on {day}.", f"They are open again on {reopened}."
            )


def _overlaps(dates: RoundDates, *, period: str, others: Sequence[Round]) -> Iterator[Violation]:
    for other in others:
        if other.period == period:
            continue
        if dates.opens <= other.dates.cut_off and other.dates.opens <= dates.cut_off:
            detail = f"From {other.dates.opens} to {other.dates.cut_off} round {other.period} of the regency is open."
            yield _fault("/opens", "rounds_overlap", detail, "Open it after that cut-off, or end it before.")


def _fault(pointer: str, code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer=pointer, code=code, detail=detail, remedy=remedy)
