"""Deadlines: computed from a start, a duration, a calendar, pauses and credits; explained day by day; movable.

The rules. They are proposals modelled on the service standards of Indonesian one-door counters, not law:

- Working days. What comes after closing time or on a closed day counts as having come on the next working day. That
  day is not counted; the deadline is closing time on the n-th working day after it.
- Calendar days. The day of the start is not counted; the deadline is closing time on the n-th day after it, whatever
  day that is.
- Elapsed time. Exactly so much later.
- Window close. Closing time on the last day of the first musdes window that opens on or after the n-th working day
  after the start.
- Pauses. The clock stands and goes on with what was left; a deadline never falls into a pause that began before it.
  Elapsed time and calendar days move by exactly the time that the clock stood. Working days move by whole days: the
  office time lost after the start day is added up over all pauses and rounded up once, so an officer who loses an hour
  of a day gets the day, and ten short outages cost the household one day and not ten. Nights, weekends and holidays
  in a pause cost nothing. A window moves likewise: working days lost before it opens count against the preparation,
  working days lost while it is open are added after its close.
- Credits. Working days on top. On elapsed time and calendar days they are counted from the day after the one that
  was due, so that the deadline then ends at closing time of a working day.

A later start, a longer duration, one more pause or credit never gives an earlier deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeAlias, assert_never
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Strict

from domain.calendar import Window, WorkingCalendar
from domain.deadline_sentences import Language, sentence_of
from domain.durations import INTEGRAL, After, Duration, Elapsed, Share, WorkingDays
from domain.pauses import ClockInterval, PauseCause, Stop, merged
from domain.reckoning import Reckoning, SkippedDay, closing_after, moved_exactly, reckon, stood_between

__all__ = [
    "ClockInterval",
    "Credit",
    "CreditCause",
    "Deadline",
    "PauseCause",
    "SkippedDay",
    "compute_deadline",
    "rung_at",
]

CreditCause: TypeAlias = Literal["remote_area", "recorded_outage", "extension"]


class Credit(BaseModel):
    """Working days on top of a duration, and why; `order` is the order over the area that gives them."""

    model_config = ConfigDict(frozen=True)

    working_days: Annotated[int, Strict(), Field(ge=1, le=250), INTEGRAL]
    cause: CreditCause
    note: str | None = None
    order: UUID | None = None


class Deadline(BaseModel):
    """When something is due, and everything that led there; `due_at` is UTC, shown in `zone`.

    For working days it adds up: the days after the date of the start, up to the day it is due, are `counted_days`
    (the duration, the credits and `paused_days`) and `skipped`. `paused` is how long the clock stood in all,
    `paused_days` the working days given back for it. `provisional` says that working days were counted past what is
    known of collective leave, or that a window was assumed: compute again when the calendar is completed.
    `standing` says that a pause still held the clock `as_of`; the due time then moves on with time. `calendar_version`
    is that of `calendar_area`; `moved_by_calendar` says that by an earlier one it was due on another day.
    """

    model_config = ConfigDict(frozen=True)

    started_at: AwareDatetime
    duration: Duration
    due_at: AwareDatetime
    skipped: tuple[SkippedDay, ...] = ()
    counted_days: int = 0
    window: Window | None = None
    credits: tuple[Credit, ...] = ()
    pauses: tuple[ClockInterval, ...] = ()
    paused: timedelta = timedelta(0)
    paused_days: int = 0
    provisional: bool
    standing: bool
    as_of: AwareDatetime | None = None
    calendar_version: int
    calendar_area: str | None = None
    moved_by_calendar: bool = False
    zone: str

    def sentence(self, lang: Language) -> str:
        """The whole explanation in one sentence, for people, in the time of the area."""
        return sentence_of(self, lang)


def compute_deadline(
    started_at: datetime,
    *,
    duration: Duration,
    calendar: WorkingCalendar,
    pauses: Sequence[ClockInterval] = (),
    credits: Sequence[Credit] = (),  # noqa: A002 - the word of the field; the builtin is the interpreter's banner
    now: datetime | None = None,
) -> Deadline:
    """The deadline of what started at `started_at`, by the rules at the head of this module.

    A pause that still stands counts as if it ended at `now`, or not at all without `now`. Pure: the same arguments
    give the same deadline. Raises ValueError for a moment without a time zone.
    """
    if started_at.tzinfo is None or (now is not None and now.tzinfo is None):
        msg = "a deadline is computed between moments with a time zone"
        raise ValueError(msg)
    started = started_at.astimezone(UTC)
    stops = merged(pauses, as_of=now)
    extra = sum(credit.working_days for credit in credits)
    reckoning = reckon(started, duration, extra=extra, stops=stops, calendar=calendar)
    due = reckoning.due
    return Deadline(
        started_at=started,
        duration=duration,
        due_at=due,
        skipped=reckoning.skipped,
        counted_days=reckoning.counted,
        window=reckoning.window,
        credits=tuple(credits),
        pauses=tuple(pauses),
        paused=stood_between(started, due, stops),
        paused_days=reckoning.given_back,
        provisional=_is_provisional(reckoning, calendar),
        standing=any(_holds(pause, due=due, now=now) for pause in pauses),
        as_of=now,
        calendar_version=calendar.version,
        calendar_area=calendar.area_code,
        zone=calendar.zone,
    )


def rung_at(deadline: Deadline, after: After, *, calendar: WorkingCalendar) -> datetime:
    """When a rung of the ladder comes, in UTC.

    A share is a share of the time the clock runs between start and deadline, pauses left out, so half-way is never
    reached while the clock stands; share 1 is the deadline. Working days and elapsed time past the deadline are
    counted like a duration that starts there, pauses included.
    """
    stops = merged(deadline.pauses, as_of=deadline.as_of)
    match after:
        case Share(share=share):
            return _at_share(deadline, share, stops)
        case WorkingDays(working_days=n):
            return closing_after(calendar.local_day(deadline.due_at), n, stops=stops, calendar=calendar)
        case Elapsed(elapsed=elapsed):
            return moved_exactly(deadline.due_at + elapsed, runs_from=deadline.due_at, stops=stops)
        case _:
            assert_never(after)


def _holds(pause: ClockInterval, *, due: datetime, now: datetime | None) -> bool:
    """Whether `pause` holds the clock of what is due at `due`; without `now`, whether it has no end yet."""
    if pause.from_ >= due:
        return False
    return pause.to is None if now is None else pause.stands_at(now)


def _is_provisional(reckoning: Reckoning, calendar: WorkingCalendar) -> bool:
    if reckoning.window is not None and calendar.is_assumed(reckoning.window):
        return True
    known = calendar.collective_leave_known_through
    until = reckoning.leave_matters_until
    return until is not None and (known is None or until > known)


def _at_share(deadline: Deadline, share: float, stops: Sequence[Stop]) -> datetime:
    if share == 1:
        return deadline.due_at
    running = deadline.due_at - deadline.started_at - stood_between(deadline.started_at, deadline.due_at, stops)
    moment = deadline.started_at + share * running
    return moved_exactly(moment, runs_from=deadline.started_at, stops=stops)
