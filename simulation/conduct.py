"""What people and partners answer, and how long they take: drawn by name for each case, stage and visit."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import floor
from typing import Final, NamedTuple

from domain.calendar import WorkingCalendar
from domain.policy import Policy
from domain.vocabulary import Kind, MatchResult, Outcome, ReasonCode, Role, Stage
from simulation.cases import Case, Work
from simulation.chance import Chance
from simulation.scenario import Answers, Scenario

_WITH_CIRCUMSTANCES: Final = frozenset({Kind.CIRCUMSTANCES, Kind.NEW_HOUSEHOLD, Kind.MOVE_IN, Kind.SPLIT_HOUSEHOLD})
_CARS: Final = 0.01
_FACTS: Final = frozenset({"circumstances"})


class Reply(NamedTuple):
    """An answer, with its reason where it is a no."""

    outcome: Outcome
    reason: ReasonCode | None = None


class Conduct:
    """The behaviour that a scenario assumes, under one policy."""

    def __init__(self, scenario: Scenario, policy: Policy, chance: Chance) -> None:
        self._scenario, self._policy, self._chance = scenario, policy, chance

    def reply(self, case: Case, work: Work) -> Reply:
        """What an officer answers in this task."""
        rule, shares = work.rule, self._scenario.answers.get(work.stage)
        if shares is None or work.stage is Stage.OPINION:
            return Reply(Outcome.FORWARD)
        repeated = 0.5 if any(answer.stage is work.stage for answer in case.answers) else 1.0
        drawn = self._chance.uniform("answer", *_visit(case, work))
        if drawn < shares.returned * repeated:
            return self._no(case, work, Outcome.RETURN, shares) if Outcome.RETURN in rule.outcomes else _YES
        if drawn > 1 - shares.rejected * repeated:
            return self._no(case, work, Outcome.REJECT, shares) if Outcome.REJECT in rule.outcomes else _YES
        return _YES

    def _no(self, case: Case, work: Work, outcome: Outcome, shares: Answers) -> Reply:
        """With a reason that the policy lets carry it; where it has none of those assumed, the answer is yes."""
        weights = shares.return_reasons if outcome is Outcome.RETURN else shares.reject_reasons
        allowed = {rule.code for rule in self._policy.reasons if rule.use.allows(outcome)}
        fitting = {reason: weight for reason, weight in weights.items() if reason in allowed}
        if not fitting:
            return _YES
        return Reply(outcome, self._chance.one_of(fitting, "reason", *_visit(case, work)))

    def minutes(self, case: Case, work: Work, role: Role) -> float:
        """How long somebody in the role works on this task."""
        pace = self._scenario.pace_of(role)
        return self._chance.lognormal(pace.minutes, pace.spread, "minutes", role, *_visit(case, work))

    def unexpected(self, case: Case) -> list[MatchResult]:
        """What the civil registry says of people whom it knows otherwise; once repaired it knows them."""
        share = self._scenario.identity.unexpected if case.revision == 1 else 0.0
        drawn = (self._chance.happens(share, "match", case.id, person) for person in range(case.persons))
        return [MatchResult.MISMATCHED for found in drawn if found]

    def brought_at(self, case: Case, work: Work, calendar: WorkingCalendar) -> datetime | None:
        """When what a return asks for has been brought to the operator; None if it never is."""
        facts, visit = self._scenario.repairs, _visit(case, work)
        if self._chance.happens(facts.never, "never", *visit):
            return None
        days = self._chance.lognormal(facts.days, facts.spread, "repair", *visit)
        day = calendar.add_working_days(calendar.local_day(work.opened_at), floor(days))
        since_midnight = work.opened_at - calendar.midnight(calendar.local_day(work.opened_at))
        return calendar.midnight(day) + since_midnight

    def changed(self, case: Case, work: Work) -> frozenset[str]:
        """Which groups of fields a repair changes."""
        changes = self._chance.happens(self._scenario.repairs.facts_changed, "changed", *_visit(case, work))
        return _FACTS if changes and case.kind in _WITH_CIRCUMSTANCES else frozenset()

    def ministry(self, case: Case, work: Work) -> tuple[str, ReasonCode | None, timedelta]:
        """What the Ministry answers, why, and how long after the push."""
        facts, visit = self._scenario.ministry, _visit(case, work)
        after = timedelta(days=self._chance.lognormal(facts.days, facts.spread, "ministry", *visit))
        drawn = self._chance.uniform("ruling", *visit)
        if drawn < facts.returned:
            return "returned", ReasonCode.INCOMPLETE_DOCUMENTS, after
        if drawn > 1 - facts.rejected:
            return "rejected", ReasonCode.NOT_ELIGIBLE_MEANS, after
        return "accepted", None, after


_YES: Final = Reply(Outcome.FORWARD)


def cars_of(kind: Kind, chance: Chance, *what: object) -> int | None:
    """The cars that a household is said to have, where its kind says anything of that; one in a hundred has one."""
    return int(chance.happens(_CARS, "cars", *what)) if kind in _WITH_CIRCUMSTANCES else None


def _visit(case: Case, work: Work) -> tuple[object, ...]:
    """By what a draw is named: the case, the stage, and how often the case has been in it."""
    return case.id, work.stage, sum(each.stage is work.stage for each in case.works)
