"""A deadline explained to people: one sentence, in Indonesian or English, in the time of the area.

Names of holidays stay Indonesian in both, as the decrees have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from domain.durations import CalendarDays, Duration, Elapsed, WindowClose, WorkingDays
from domain.pauses import PauseCause

if TYPE_CHECKING:
    from domain.deadlines import Deadline

Language: TypeAlias = Literal["id", "en"]


@dataclass(frozen=True, slots=True)
class _Words:
    """One language: its calendar, its nouns (one, several) and the clauses of the sentence."""

    weekdays: Sequence[str]
    months: Sequence[str]
    date_and_time: str
    time_separator: str
    and_: str
    units: dict[str, tuple[str, str]]
    causes: dict[str, str]
    started: str
    received: str
    allowed: str
    window: str
    window_allowed: str
    skipped: str
    credited: str
    stood: str
    stands: str
    given_back: str
    due: str
    by_calendar: str
    provisional: str
    standing: str

    def count(self, n: int, unit: str) -> str:
        one, several = self.units[unit]
        return f"{n} {one if n == 1 else several}"

    def day(self, day: date) -> str:
        return f"{self.weekdays[day.weekday()]} {day.day} {self.months[day.month - 1]} {day.year}"

    def moment(self, at: datetime, zone: str, *, seconds: bool) -> str:
        local = at.astimezone(ZoneInfo(zone))
        clock = local.strftime("%H:%M:%S" if seconds else "%H:%M").replace(":", self.time_separator)
        return self.date_and_time.format(day=self.day(local.date()), time=f"{clock} {local.tzname()}")

    def listed(self, items: Sequence[str]) -> str:
        *head, last = items
        return f"{', '.join(head)} {self.and_} {last}" if head else last

    def length(self, time: timedelta) -> str:
        minutes, seconds = divmod(int(time.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = {"day": days, "hour": hours, "minute": minutes, "second": seconds}
        return " ".join(self.count(n, unit) for unit, n in parts.items() if n) or self.count(0, "second")


_INDONESIAN: Final = _Words(
    weekdays=("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    months=(
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ),
    date_and_time="{day} pukul {time}",
    time_separator=".",
    and_="dan",
    units={
        "working_day": ("hari kerja", "hari kerja"),
        "calendar_day": ("hari kalender", "hari kalender"),
        "weekend_day": ("hari akhir pekan", "hari akhir pekan"),
        "day": ("hari", "hari"),
        "hour": ("jam", "jam"),
        "minute": ("menit", "menit"),
        "second": ("detik", "detik"),
    },
    causes={
        PauseCause.RETURNED: "dikembalikan untuk diperbaiki",
        PauseCause.CIVIL_REGISTRY_UNAVAILABLE: "layanan Dukcapil terganggu",
        PauseCause.AREA_SUSPENDED: "wilayah ditangguhkan",
        PauseCause.WAITING_DOCUMENT: "menunggu dokumen",
        PauseCause.INFORMATION_REQUESTED: "menunggu keterangan instansi lain",
        PauseCause.RECORDED_OUTAGE: "gangguan yang tercatat",
        PauseCause.GROUND_CHECK: "pemeriksaan lapangan",
        "remote_area": "daerah terpencil",
        "extension": "perpanjangan",
    },
    started="Dimulai {start}",
    received=", dihitung masuk pada {day}",
    allowed="waktu yang diberikan {duration}",
    window="jendela musdes {opens} sampai {closes}",
    window_allowed="waktu yang diberikan sampai akhir jendela musdes pertama yang dibuka paling cepat {days} kemudian",
    skipped="tidak dihitung: {days}",
    credited="ditambah {days} ({cause})",
    stood="waktu berhenti selama {length} ({causes})",
    stands="waktu sedang berhenti ({causes})",
    given_back=" dan diganti {days}",
    due="batas waktu {due}",
    by_calendar=", bergeser menurut kalender versi {version}",
    provisional=", masih sementara karena kalender sampai hari itu belum lengkap ditetapkan",
    standing=", dan masih bergeser karena waktu sedang berhenti",
)

_ENGLISH: Final = _Words(
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    date_and_time="{day} at {time}",
    time_separator=":",
    and_="and",
    units={
        "working_day": ("working day", "working days"),
        "calendar_day": ("calendar day", "calendar days"),
        "weekend_day": ("weekend day", "weekend days"),
        "day": ("day", "days"),
        "hour": ("hour", "hours"),
        "minute": ("minute", "minutes"),
        "second": ("second", "seconds"),
    },
    causes={
        PauseCause.RETURNED: "returned for repair",
        PauseCause.CIVIL_REGISTRY_UNAVAILABLE: "civil registry unavailable",
        PauseCause.AREA_SUSPENDED: "area suspended",
        PauseCause.WAITING_DOCUMENT: "waiting for a document",
        PauseCause.INFORMATION_REQUESTED: "waiting for another office",
        PauseCause.RECORDED_OUTAGE: "recorded outage",
        PauseCause.GROUND_CHECK: "ground check",
        "remote_area": "remote area",
        "extension": "extension",
    },
    started="Started {start}",
    received=", counted as received on {day}",
    allowed="{duration} allowed",
    window="musdes window {opens} to {closes}",
    window_allowed="time allowed until the close of the first musdes window that opens at least {days} later",
    skipped="not counted: {days}",
    credited="{days} added ({cause})",
    stood="the clock stood for {length} ({causes})",
    stands="the clock stands ({causes})",
    given_back=", which gives back {days}",
    due="due {due}",
    by_calendar=", moved by calendar version {version}",
    provisional=", provisional because the calendar up to that day is not yet complete",
    standing=", moving on while the clock stands",
)


def day_words(day: date, lang: Language) -> str:
    """A day as people write it: `Senin 2 Februari 2026`."""
    return (_INDONESIAN if lang == "id" else _ENGLISH).day(day)


def sentence_of(deadline: Deadline, lang: Language) -> str:
    """Start, time allowed, days not counted and why, credits, pauses and the result, in that order."""
    words = _INDONESIAN if lang == "id" else _ENGLISH
    clauses = [
        _started(deadline, words),
        _allowed(deadline.duration, words),
        *_window(deadline, words),
        *_not_counted(deadline, words),
        *(
            words.credited.format(
                days=words.count(credit.working_days, "working_day"),
                cause=_named(words.causes[credit.cause], credit.note if credit.order else None),
            )
            for credit in deadline.credits
        ),
        *_stood(deadline, words),
        _due(deadline, words),
    ]
    return "; ".join(clauses) + "."


def _started(deadline: Deadline, words: _Words) -> str:
    start = words.moment(deadline.started_at, deadline.zone, seconds=_shows_seconds(deadline))
    received = [words.received.format(day=words.day(s.day)) for s in deadline.skipped if s.category == "receipt"]
    return words.started.format(start=start) + "".join(received)


def _allowed(duration: Duration, words: _Words) -> str:
    match duration:
        case WorkingDays(working_days=n):
            return words.allowed.format(duration=words.count(n, "working_day"))
        case CalendarDays(calendar_days=n):
            return words.allowed.format(duration=words.count(n, "calendar_day"))
        case Elapsed(elapsed=elapsed):
            return words.allowed.format(duration=words.length(elapsed))
        case WindowClose(at_least=at_least):
            return words.window_allowed.format(days=words.count(at_least.working_days, "working_day"))
        case _:
            assert_never(duration)


def _window(deadline: Deadline, words: _Words) -> Iterable[str]:
    if window := deadline.window:
        yield words.window.format(opens=words.day(window.opens), closes=words.day(window.closes))


def _not_counted(deadline: Deadline, words: _Words) -> Iterable[str]:
    weekends = sum(skipped.category == "weekend" for skipped in deadline.skipped)
    holidays: dict[str, list[date]] = {}
    for skipped in deadline.skipped:
        if skipped.category not in ("weekend", "receipt"):
            holidays.setdefault(skipped.why, []).append(skipped.day)
    days = [words.count(weekends, "weekend_day")] if weekends else []
    year = deadline.started_at.year
    days += [f"{name} ({_dates(on, words, year=year)})" for name, on in holidays.items()]
    if days:
        yield words.skipped.format(days=words.listed(days))


def _dates(days: Sequence[date], words: _Words, *, year: int) -> str:
    """`20, 23 and 24 March`; the year only where it is not `year`."""
    months: list[str] = []
    for (of_year, month), group in groupby(days, key=lambda day: (day.year, day.month)):
        named = f"{words.listed([str(day.day) for day in group])} {words.months[month - 1]}"
        months.append(named if of_year == year else f"{named} {of_year}")
    return ", ".join(months)


def _stood(deadline: Deadline, words: _Words) -> Iterable[str]:
    if not deadline.paused and not deadline.standing:
        return
    touching = (
        pause
        for pause in deadline.pauses
        if pause.from_ < deadline.due_at and (pause.to is None or pause.to > deadline.started_at)
    )
    causes = dict.fromkeys(_named(words.causes[pause.cause], pause.note if pause.order else None) for pause in touching)
    if not deadline.paused:
        yield words.stands.format(causes=", ".join(causes))
        return
    stood = words.stood.format(length=words.length(deadline.paused), causes=", ".join(causes))
    if deadline.paused_days:
        stood += words.given_back.format(days=words.count(deadline.paused_days, "working_day"))
    yield stood


def _named(cause: str, number: str | None) -> str:
    """The cause, with the number of the order that is behind it."""
    return cause if number is None else f"{cause}, {number}"


def _due(deadline: Deadline, words: _Words) -> str:
    due = words.moment(deadline.due_at, deadline.zone, seconds=_shows_seconds(deadline))
    said = words.due.format(due=due)
    if deadline.moved_by_calendar:
        said += words.by_calendar.format(version=deadline.calendar_version)
    if deadline.provisional:
        said += words.provisional
    return said + words.standing if deadline.standing else said


def _shows_seconds(deadline: Deadline) -> bool:
    """Minutes are enough, except for what is counted by the clock."""
    return isinstance(deadline.duration, Elapsed)
