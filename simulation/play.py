"""One replication: cases come, people and partners see to them, clocks run, under one policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from domain.authority import Involvement
from domain.calendar import ONE_DAY, WorkingCalendar
from domain.lifecycle import Position
from domain.policy import Policy, Power
from domain.vocabulary import Role, Stage, Status
from simulation.agenda import Agenda
from simulation.cases import Case, Officer, Work
from simulation.casework import Casework, Rules
from simulation.chance import Chance
from simulation.conduct import Conduct, cars_of
from simulation.desks import Desks
from simulation.regency import Regency, at_noon, months_from
from simulation.scenario import Scenario

_A_MOMENT: Final = timedelta(seconds=2)
"""How long a partner takes that is there."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when: families by village, the calendar, and for how many months it is measured."""

    villages: dict[str, int]
    calendar: WorkingCalendar
    scenario: Scenario
    months: int

    @property
    def measured_from(self) -> date:
        """The first day that counts."""
        return self._month(self.scenario.warm_up)

    @property
    def ends(self) -> date:
        """The first day that counts no longer."""
        return self._month(self.scenario.warm_up + self.months)

    def _month(self, number: int) -> date:
        far = self.scenario.begins + (number + 2) * 31 * ONE_DAY
        return list(months_from(self.scenario.begins, until=far))[number]


class Play:
    """The regency at work under a policy, with the luck of one replication."""

    def __init__(self, setting: Setting, policy: Policy, chance: Chance) -> None:
        scenario, calendar = setting.scenario, setting.calendar
        self.setting, self.policy, self.chance = setting, policy, chance
        self.ends = calendar.midnight(setting.ends)
        self.regency = Regency(setting.villages, scenario, chance, calendar=calendar, ends=self.ends)
        self.calendar = self.regency.timed
        self.rules = Rules(
            policy=policy,
            calendar=self.calendar,
            candidates=self.regency.candidates,
            orders=self.regency.orders,
            remoteness=self.regency.remoteness,
            rounds=self.regency.rounds,
        )
        self.casework = Casework(self.rules)
        self.conduct = Conduct(scenario, policy, chance)
        self.agenda = Agenda()
        self.desks = Desks(self.regency, self.conduct, self.agenda, self._act)
        self.cases: list[Case] = []
        self._followed: dict[UUID, tuple[Work, int]] = {}
        self._deliberating: dict[str, dict[UUID, tuple[Case, Work]]] = defaultdict(dict)

    def run(self, cases: Iterable[Case] | None = None) -> list[Case]:
        """Let all of it happen to these cases, or to those that come by chance; all cases, the open ones included."""
        for case in self._drawn_cases() if cases is None else cases:
            self.agenda.enter(case.submitted_at, lambda then, case=case: self._submit(case, then))
        for village in self.setting.villages:
            self._expect_musdes(village)
        self.agenda.run(self.ends)
        return self.cases

    def _submit(self, case: Case, at: datetime) -> None:
        """A case comes in."""
        self.cases.append(case)
        self.casework.start(case, at)
        self._follow(case, at)

    def _follow(self, case: Case, at: datetime) -> None:
        """See to it that what the case waits for will happen: its task, and its next milestone."""
        work = case.open
        known, level = self._followed.get(case.id, (None, 0))
        if work is None:
            self._followed.pop(case.id, None)
            return
        if work is not known:
            self._hand_out(case, work, at)
        elif work.level > level:
            self._has_climbed(case, work, at)
        self._followed[case.id] = (work, work.level)
        wake = self.casework.wake_at(case)
        if wake is not None:
            looked = work.look_at
            self.agenda.enter(max(wake, at), lambda then: self._look(case, work, looked, then))

    def _look(self, case: Case, work: Work, looked: datetime | None, at: datetime) -> None:
        if case.open is not work or work.look_at != looked:
            return
        self.casework.pass_milestone(case, at)
        if case.open is work and work.stage is Stage.DELIVERY and self.casework.goes_out(case, at):
            self._push(case, work, at)
        self._follow(case, at)

    def _hand_out(self, case: Case, work: Work, at: datetime) -> None:
        match work.stage:
            case Stage.IDENTITY_CHECK:
                self._ask_registry(case, work, at)
            case Stage.DELIVERY:
                if self.casework.goes_out(case, at):
                    self._push(case, work, at)
            case Stage.REPAIR:
                brought = self.conduct.brought_at(case, work, self.calendar)
                if brought is not None:
                    self.agenda.enter(max(brought, at), lambda then: self._lay(case, work, then))
            case Stage.DELIBERATION:
                self._deliberating[case.area_code][case.id] = (case, work)
            case _:
                self._lay(case, work, at)
        if work.level:
            self._has_climbed(case, work, at)

    def _lay(self, case: Case, work: Work, at: datetime) -> None:
        if work.closed_at is None:
            for role in _deciding(work):
                self.desks.lay(case, work, role, at)

    def _has_climbed(self, case: Case, work: Work, at: datetime) -> None:
        """Whoever has gained the decision finds the task on the pile; a village is ordered to decide by an SPTJM."""
        if work.stage is Stage.DELIBERATION:
            self._order_sptjm(case, work, at)
            for role in _deciding(work):
                if role not in work.rule.deciders:
                    self.desks.lay(case, work, role, at)
        elif work.stage not in {Stage.REPAIR, Stage.DELIVERY}:
            self._lay(case, work, at)

    def _order_sptjm(self, case: Case, work: Work, at: datetime) -> None:
        facts = self.setting.scenario.musdes
        if work.level != 1 or not self.chance.happens(facts.obeyed, "obeyed", work.id):
            return
        days = 1 + int(self.chance.uniform("ordered", work.id) * facts.ordered_within)
        day = self.calendar.add_working_days(self.calendar.local_day(at), days)
        self.agenda.enter(at_noon(day, self.calendar), lambda then: self._deliberate(case, work, then))

    def _ask_registry(self, case: Case, work: Work, at: datetime) -> None:
        away = self.regency.registry_is_away(at)
        answers = (at if away is None else away.ends) + _A_MOMENT
        self.agenda.enter(answers, lambda then: self._registry_answers(case, work, then))

    def _registry_answers(self, case: Case, work: Work, at: datetime) -> None:
        if work.closed_at is None:
            self.casework.registry_answers(case, self.conduct.unexpected(case), at)
            self._follow(case, at)

    def _push(self, case: Case, work: Work, at: datetime) -> None:
        self.agenda.enter(at + _A_MOMENT, lambda then: self._pushed(case, work, then))

    def _pushed(self, case: Case, work: Work, at: datetime) -> None:
        if work.closed_at is not None or not self.casework.goes_out(case, at):
            return
        self.casework.pushed(case, at)
        answer, reason, after = self.conduct.ministry(case, work)

        def answered(then: datetime) -> None:
            self.casework.ministry_answers(case, answer, then, reason=reason)
            self._follow(case, then)

        self.agenda.enter(at + after, answered)
        self._follow(case, at)

    def _act(self, case: Case, work: Work, by: Officer, at: datetime) -> None:
        """Somebody has done their work on an open task."""
        match work.stage:
            case Stage.REPAIR:
                self.casework.resubmit(case, by.user_id, self.conduct.changed(case, work), at)
            case Stage.GROUND_CHECK:
                self.casework.report(case, by, at)
            case _:
                reply = self.conduct.reply(case, work)
                self.casework.decide(case, by, reply.outcome, at, reason=reply.reason)
        self._follow(case, at)
        if case.open is work:
            self._lay(case, work, at)

    def _deliberate(self, case: Case, work: Work, at: datetime) -> None:
        """The village decides about a case, by whoever speaks for it."""
        if work.closed_at is not None:
            return
        self._deliberating[case.area_code].pop(case.id, None)
        for role in work.rule.deciders:
            people = self.regency.workers(role, case.area_code)
            self._act(case, work, Officer(people[0].user_id, role), at)
            if work.closed_at is not None:
                return

    def _expect_musdes(self, village: str) -> None:
        facts, calendar = self.setting.scenario.musdes, self.calendar
        for window in calendar.windows_from(self.setting.scenario.begins):
            if calendar.midnight(window.opens) >= self.ends:
                return
            key = (village, window.opens)
            days = (window.closes - window.opens).days
            day = window.opens + int(self.chance.uniform("musdes day", *key) * (days + 1)) * ONE_DAY
            if not self.chance.happens(facts.held, "musdes", *key):
                if not self.chance.happens(facts.sptjm, "sptjm", *key):
                    continue
                day = window.closes
            self.agenda.enter(at_noon(day, calendar), lambda then: self._meet(village, then))

    def _meet(self, village: str, at: datetime) -> None:
        for case, work in list(self._deliberating[village].values()):
            self._deliberate(case, work, at)

    def _drawn_cases(self) -> Iterator[Case]:
        scenario = self.setting.scenario
        for village, families in self.setting.villages.items():
            for month in months_from(scenario.begins, until=self.setting.ends):
                count = self.chance.count(families * scenario.arrivals.per_month, "cases", village, month)
                yield from (self._case(village, month, place) for place in range(count))

    def _case(self, village: str, month: date, place: int) -> Case:
        scenario, chance, key = self.setting.scenario, self.chance, (village, month, place)
        kind = chance.one_of(scenario.arrivals.kinds, "kind", *key)
        operator = self.regency.workers(Role.VILLAGE_OPERATOR, village)[0].user_id
        persons = 1 + chance.count(scenario.population.members - 1, "persons", *key)
        at = self._submitted_at(month, key)
        case = Case(
            id=chance.identity("case", *key),
            area_code=village,
            kind=kind,
            submitted_by=operator,
            submitted_at=at,
            position=Position(
                route=self.policy.route_of(kind).stages,
                status=Status.RECEIVED,
                ministry=self.policy.delivery.ministry,
            ),
            household=int(chance.uniform("household", *key) * self.setting.villages[village]),
            persons=persons,
            cars=cars_of(kind, chance, *key),
        )
        case.involvements.append(Involvement(user_id=operator, stage=None))
        return case

    def _submitted_at(self, month: date, key: tuple[object, ...]) -> datetime:
        arrivals, chance, calendar = self.setting.scenario.arrivals, self.chance, self.calendar
        early = chance.happens(arrivals.in_input_days, "early", *key)
        first, last = (1, arrivals.input_days) if early else (arrivals.input_days + 1, 28)
        day = month.replace(day=first + int(chance.uniform("day", *key) * (last - first + 1)))
        opens = datetime.combine(day, calendar.opening_time, calendar.tzinfo)
        return opens + chance.uniform("hour", *key) * calendar.office_day


def _deciding(work: Work) -> Iterator[Role]:
    """Who may decide the task by now; a repair is whoever's it is to mend."""
    seen: set[Role] = set()
    for grant in work.grants:
        if grant.power is Power.DECIDE and grant.role not in seen:
            seen.add(grant.role)
            yield grant.role
