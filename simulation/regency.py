"""A synthetic regency: its villages, who works there and when, its outages and rounds. All of it by seed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from math import ceil
from typing import Final, NamedTuple
from uuid import UUID

from domain.authority import Candidate
from domain.calendar import ONE_DAY, WorkingCalendar
from domain.clock_orders import ClockOrder, OrderKind, SystemPart
from domain.rounds import Days, Round, RoundDates, moments_of
from domain.vocabulary import Role
from simulation.chance import Chance
from simulation.scenario import Pace, Scenario, Tier

_DEPTH: Final[Mapping[Tier, int]] = {"village": 4, "district": 3, "regency": 2}
_YEAR_OF_WORK: Final = 250.0
_MONTH: Final = timedelta(days=30.4375)


class Span(NamedTuple):
    """From one moment until another."""

    begins: datetime
    ends: datetime


class Absence(NamedTuple):
    """That somebody is away; whether the system knows."""

    span: Span
    recorded: bool


@dataclass(slots=True)
class Worker:
    """Somebody in a role over an area, how they work, and when they are away."""

    user_id: UUID
    role: Role
    area_code: str
    pace: Pace
    absences: Sequence[Absence]
    outages: Sequence[Span]
    busy: bool = False
    waiting: bool = False
    candidate: Candidate = field(init=False)

    def __post_init__(self) -> None:
        self.candidate = Candidate(user_id=self.user_id, role=self.role)

    def on_leave(self, at: datetime) -> bool:
        """Whether the system knows that they are away."""
        return any(absence.recorded and absence.span.begins <= at < absence.span.ends for absence in self.absences)

    def at_work(self, after: datetime, calendar: WorkingCalendar) -> Iterator[Span]:
        """The stretches in which they see to tasks from `after` on, without end."""
        day = calendar.local_day(after)
        while True:
            if calendar.is_working_day(day):
                opens = datetime.combine(day, calendar.opening_time, calendar.tzinfo)
                for span in self._present(Span(opens, opens + timedelta(hours=self.pace.hours_a_day))):
                    if span.ends > after:
                        yield Span(max(span.begins, after), span.ends)
            day += ONE_DAY

    def _present(self, span: Span) -> list[Span]:
        away = [absence.span for absence in self.absences] + list(self.outages)
        cuts = sorted(cut for cut in away if cut.begins < span.ends and cut.ends > span.begins)
        edges = [span.begins, *(edge for cut in cuts for edge in cut), span.ends]
        return [Span(begins, ends) for begins, ends in list(pairwise(edges))[::2] if begins < ends]

    def finishes(self, begins: datetime, minutes: float, calendar: WorkingCalendar) -> datetime:
        """When work of so many minutes is done that begins then."""
        left = timedelta(minutes=minutes)
        for span in self.at_work(begins, calendar):
            if span.begins + left <= span.ends:
                return span.begins + left
            left -= span.ends - span.begins
        raise RuntimeError("time has no end")


class Regency:
    """The villages of a regency with their people from `begins` until `ends`."""

    def __init__(
        self,
        villages: Mapping[str, int],
        scenario: Scenario,
        chance: Chance,
        *,
        calendar: WorkingCalendar,
        ends: datetime,
    ) -> None:
        self.families = dict(villages)
        self.calendar, self.scenario = calendar, scenario
        self.begins, self.ends = calendar.midnight(scenario.begins), ends
        self._chance = chance
        self._outages = {code: self._outages_of(code) for code in villages}
        self._orders = {code: self._orders_of(code) for code in villages}
        self._workers: dict[tuple[Role, str], list[Worker]] = {}
        self._remoteness = {code: self._remoteness_of(code) for code in villages}
        self.rounds = tuple(self._rounds())
        self.timed = calendar.model_copy(update={"rounds": tuple(each.span for each in self.rounds)})

    def remoteness(self, village: str) -> int:
        """The class of remoteness of a village."""
        return self._remoteness[village]

    def orders(self, village: str, at: datetime) -> Sequence[ClockOrder]:
        """The outages of a village that have been recorded by then: each when it is over."""
        known = self._orders[village]
        return [order for order in known if order.until is not None and order.until <= at] if known else ()

    def workers(self, role: Role, village: str) -> list[Worker]:
        """Who holds the role over a village."""
        pace = self.scenario.pace_of(role)
        area = ".".join(village.split(".")[: _DEPTH[pace.tier]])
        key = (role, area)
        if key not in self._workers:
            self._workers[key] = [self._worker(role, area, pace, place) for place in range(pace.people)]
        return self._workers[key]

    def candidates(self, roles: Collection[Role], village: str, at: datetime) -> list[Candidate]:
        """Who can act as one of these roles over a village, as the system knows it."""
        found = (worker for role in sorted(roles) for worker in self.workers(role, village))
        return [worker.candidate for worker in found if not worker.on_leave(at)]

    def registry_is_away(self, at: datetime) -> Span | None:
        """The outage of the civil registry in which this moment lies."""
        return next((span for span in self._registry_outages if span.begins <= at < span.ends), None)

    @cached_property
    def _registry_outages(self) -> list[Span]:
        facts = self.scenario.identity
        return self._spans("registry", facts.outages_a_month, facts.outage_hours)

    def _spans(self, what: str, a_month: float, hours: float) -> list[Span]:
        chance, months = self._chance, (self.ends - self.begins) / _MONTH
        spans: list[Span] = []
        for place in range(chance.count(a_month * months, what, "count")):
            begins = self.begins + chance.uniform(what, place, "begins") * (self.ends - self.begins)
            lasts = timedelta(hours=chance.lognormal(hours, 0.7, what, place, "lasts"))
            spans.append(Span(begins, begins + lasts))
        return _apart(spans)

    def _outages_of(self, village: str) -> list[Span]:
        facts = self.scenario.outages
        return self._spans(f"outage/{village}", facts.a_month, facts.hours)

    def _orders_of(self, village: str) -> list[ClockOrder]:
        share = self.scenario.outages.recorded
        return [
            ClockOrder(
                id=self._chance.identity("order", village, place),
                version=1,
                kind=OrderKind.OUTAGE,
                area_code=village,
                number=f"{village}/{place}",
                from_=span.begins,
                until=span.ends,
                part=SystemPart.NETWORK,
            )
            for place, span in enumerate(self._outages[village])
            if self._chance.happens(share, "recorded", village, place)
        ]

    def _remoteness_of(self, village: str) -> int:
        shares, drawn = self.scenario.remoteness, self._chance.uniform("remoteness", village)
        if drawn < shares.very_remote:
            return 2
        return int(drawn < shares.very_remote + shares.remote)

    def _worker(self, role: Role, area: str, pace: Pace, place: int) -> Worker:
        known_as, both = role, {Role.VILLAGE_OPERATOR, Role.PUSKESOS_OFFICER}
        if role in both and place == 0 and self._chance.happens(self.scenario.one_person, "one person", area):
            known_as = Role.VILLAGE_OPERATOR
        return Worker(
            user_id=self._chance.identity("officer", known_as, area, place),
            role=role,
            area_code=area,
            pace=pace,
            absences=self._absences(known_as, area, pace, place),
            outages=self._outages.get(area, ()),
        )

    def _absences(self, role: Role, area: str, pace: Pace, place: int) -> list[Absence]:
        chance, who = self._chance, f"absence/{role}/{area}/{place}"
        years = (self.ends - self.begins) / timedelta(days=365)
        spells = chance.count(years * pace.absent_days / pace.spell_days, who)
        spans: list[Span] = []
        days = (self.ends - self.begins).days
        for spell in range(spells):
            first = self.calendar.local_day(self.begins) + int(chance.uniform(who, spell, "first") * days) * ONE_DAY
            length = ceil(chance.lognormal(pace.spell_days, 0.5, who, spell, "length"))
            last = self.calendar.add_working_days(first, length)
            spans.append(Span(self.calendar.midnight(first), self.calendar.midnight(last)))
        return [
            Absence(span, chance.happens(pace.recorded, who, "recorded", number))
            for number, span in enumerate(_apart(spans))
        ]

    def _rounds(self) -> Iterator[Round]:
        day_of_month, calendar = self.scenario.rounds.cut_off_day, self.calendar
        if day_of_month is None:
            return
        first, last = calendar.musdes_days
        for opens in months_from(self.scenario.begins, until=calendar.local_day(self.ends) + 70 * ONE_DAY):
            cut_off = calendar.first_working_day(opens.replace(day=day_of_month))
            musdes = Days(opens=opens.replace(day=first), closes=min(opens.replace(day=last), cut_off))
            dates = RoundDates(
                opens=opens,
                input_window=Days(opens=opens, closes=min(opens + 10 * ONE_DAY, cut_off)),
                musdes_window=musdes,
                cut_off=cut_off,
                publishes=calendar.add_working_days(cut_off, 2),
            )
            opens_at, cutoff_at = moments_of(dates, calendar)
            yield Round(
                id=self._chance.identity("round", opens),
                area_code=calendar.area_code,
                period=f"{opens:%Y-%m}",
                version=1,
                dates=dates,
                opens_at=opens_at,
                cutoff_at=cutoff_at,
            )


def months_from(begins: date, *, until: date) -> Iterator[date]:
    """The first day of the month of `begins` and of each after it, before `until`."""
    month = begins.replace(day=1)
    while month < until:
        yield month
        month = (month + 32 * ONE_DAY).replace(day=1)


def at_noon(day: date, calendar: WorkingCalendar) -> datetime:
    """One in the afternoon on that day, when a village meets."""
    return datetime.combine(day, time(13), calendar.tzinfo)


def _apart(spans: Sequence[Span]) -> list[Span]:
    """The spans in order, those that overlap made one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.begins <= merged[-1].ends:
            merged[-1] = Span(merged[-1].begins, max(merged[-1].ends, span.ends))
        else:
            merged.append(span)
    return merged
