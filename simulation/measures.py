"""What one replication comes to: custody, lateness, escalations, returns, roll-overs and data age, as named numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.custody import Holding, custody
from domain.rounds import round_for
from domain.vocabulary import Outcome, Role, Stage, Status
from simulation.cases import Case, Work
from simulation.play import Play

Figures = dict[str, float]

_DAY: Final = timedelta(days=1)
_TWO_YEARS: Final = 730
_HUNDRED: Final = 100.0

OFFICE_OF_ROLE: Final = {
    Role.VILLAGE_OPERATOR: "village government",
    Role.VILLAGE_HEAD: "village government",
    Role.VILLAGE_COUNCIL: "village government",
    Role.PUSKESOS_OFFICER: "PUSKESOS",
    Role.GROUND_CHECKER: "SLRT",
    Role.DISTRICT_SUPERVISOR: "SLRT",
    Role.SUBDISTRICT_HEAD: "district",
    Role.REGENCY_VERIFIER: "Dinas Sosial",
    Role.REGENCY_SUPERVISOR: "Dinas Sosial",
    Role.REGENCY_HEAD: "Dinas Sosial",
    Role.REGENCY_ASSISTANT: "regency secretariat",
    Role.REGENCY_SECRETARY: "regency secretariat",
    Role.REGENT: "regency secretariat",
}
"""Whose a task is: the office of the role that the policy names first."""


def measure(play: Play) -> Figures:
    """The figures of a play that has been run; what came to its end before the measured months counts nowhere."""
    begins = play.calendar.midnight(play.setting.measured_from)
    closed = [case for case in play.cases if case.closed_at is not None and case.closed_at >= begins]
    done = [
        work for case in play.cases for work in case.works if work.closed_at is not None and work.closed_at >= begins
    ]
    return {
        **_cases(play, closed, begins),
        **_by_stage(done),
        **_by_office(closed),
        **_escalations(done, closed),
        **_round_trips(play, closed, begins),
        **_data_age(play),
    }


def _cases(play: Play, closed: Sequence[Case], begins: datetime) -> Figures:
    ways = [_days(case.closed_at, case.submitted_at) for case in closed if case.position.status is Status.APPLIED]
    figures = {
        "cases/submitted": float(sum(case.submitted_at >= begins for case in play.cases)),
        "cases/open at the end": float(sum(case.closed_at is None for case in play.cases)),
        "cases/overdue at the end": float(sum(_is_overdue(case, play.ends) for case in play.cases)),
    }
    for status in (Status.APPLIED, Status.REJECTED, Status.LAPSED):
        figures[f"cases/{status.value}"] = float(sum(case.position.status is status for case in closed))
    return figures | _spread("way/days from submission to registry", ways)


def _is_overdue(case: Case, at: datetime) -> bool:
    return case.open is not None and case.open.deadline.due_at < at


def _by_stage(done: Iterable[Work]) -> Figures:
    works: dict[Stage, list[Work]] = defaultdict(list)
    for work in done:
        works[work.stage].append(work)
    figures: Figures = {}
    for stage in Stage:
        if not (of_stage := works[stage]):
            continue
        name = f"stage/{stage.value}"
        late = [_days(work.closed_at, work.deadline.due_at) for work in of_stage if _is_late(work)]
        figures[f"{name}/tasks"] = float(len(of_stage))
        figures |= _spread(f"{name}/days", [_days(work.closed_at, work.opened_at) for work in of_stage])
        figures[f"{name}/late, %"] = _HUNDRED * len(late) / len(of_stage)
        figures[f"{name}/days late"] = sum(late) / len(late) if late else 0.0
    return figures


def _is_late(work: Work) -> bool:
    return work.closed_at is not None and work.closed_at > work.deadline.due_at


def _by_office(closed: Iterable[Case]) -> Figures:
    """Days that each office had a case in all, its pauses left out; the shares of one case add up to its age."""
    held: dict[str, list[float]] = defaultdict(list)
    for case in closed:
        lengths: dict[str, timedelta] = defaultdict(timedelta)
        for span in custody(
            map(_holding, case.works), begins=case.submitted_at, ends=case.closed_at or case.submitted_at, otherwise="-"
        ):
            lengths[span.holder if span.paused is None else "paused"] += span.length
        for office, length in lengths.items():
            held[office].append(length / _DAY)
    figures: Figures = {}
    for office in sorted(held):
        figures |= _spread(f"office/{office}/days", held[office])
    return figures


def _holding(work: Work) -> Holding[str]:
    return Holding(holder=office_of(work), begins=work.opened_at, ends=work.closed_at, pauses=work.deadline.pauses)


def office_of(work: Work) -> str:
    """Whose the task is."""
    if work.stage is Stage.IDENTITY_CHECK:
        return "civil registry"
    if work.stage is Stage.DELIVERY:
        return "Ministry"
    return OFFICE_OF_ROLE.get(work.rule.deciders[0], work.rule.deciders[0].value)


def _escalations(done: Sequence[Work], closed: Sequence[Case]) -> Figures:
    fired = [fired for work in done for fired in work.fired]
    cases = max(len(closed), 1)
    figures = {"escalations/tasks escalated, %": _HUNDRED * sum(work.level > 0 for work in done) / max(len(done), 1)}
    levels = Counter(work.level for work in done if work.level)
    for level in range(1, 5):
        figures[f"escalations/that ended at level {level}, of 100 cases"] = _HUNDRED * levels[level] / cases
    causes = Counter(each.cause.value for each in fired)
    for cause in sorted(causes):
        figures[f"escalations/rungs by {cause}, of 100 cases"] = _HUNDRED * causes[cause] / cases
    return figures


def _round_trips(play: Play, closed: Sequence[Case], begins: datetime) -> Figures:
    cases = max(len(closed), 1)
    returns = sum(work.outcome is Outcome.RETURN for case in closed for work in case.works)
    whole = sum(all(work.outcome is not Outcome.RETURN for work in case.works) for case in closed)
    figures = {"returns/of 100 cases": _HUNDRED * returns / cases, "returns/first pass, %": _HUNDRED * whole / cases}
    rounds = play.regency.rounds
    if rounds:
        approved = [case for case in play.cases if case.approved_at is not None and case.approved_at >= begins]
        rolled = 0
        for case in approved:
            meant = round_for(rounds, case.submitted_at)
            rolled += meant is not None and case.round_id != meant.id
        figures["rounds/approved for a later round, %"] = _HUNDRED * rolled / max(len(approved), 1)
    return figures


def _data_age(play: Play) -> Figures:
    """Days since the data of each family were seen to, at the end: what was applied is as old as its application."""
    applied: dict[str, dict[int, datetime]] = defaultdict(dict)
    for case in play.cases:
        if case.position.status is Status.APPLIED and case.closed_at is not None:
            before = applied[case.area_code].get(case.household, case.closed_at)
            applied[case.area_code][case.household] = max(before, case.closed_at)
    ages = sorted(_ages(play, applied))
    older = sum(age > _TWO_YEARS for age in ages)
    return {**_spread("data age/days", ages), "data age/over 24 months, %": _HUNDRED * older / max(len(ages), 1)}


def _ages(play: Play, applied: dict[str, dict[int, datetime]]) -> Iterator[float]:
    population, chance = play.setting.scenario.population, play.chance
    stale_from = datetime(2020, 1, 1, tzinfo=UTC)
    for village, families in play.setting.villages.items():
        seen = applied[village]
        for place in range(families):
            if place in seen:
                yield (play.ends - seen[place]) / _DAY
            else:
                yield _untouched(play, chance.uniform("seen", village, place), stale_from, population.stale)


def _untouched(play: Play, drawn: float, stale_from: datetime, stale: float) -> float:
    if drawn < stale:
        return (play.ends - stale_from) / _DAY - drawn / stale * 3 * 365
    recent = play.setting.scenario.population.recent_days
    return (play.ends - play.regency.begins) / _DAY + (drawn - stale) / (1 - stale) * recent


def _spread(name: str, values: Sequence[float]) -> Figures:
    """Median and 90th percentile by nearest rank; nothing of nothing."""
    if not values:
        return {}
    ordered = sorted(values)
    at = len(ordered) - 1
    return {f"{name}, median": ordered[at // 2], f"{name}, 90 % within": ordered[round(at * 0.9)]}


def _days(ends: datetime | None, begins: datetime) -> float:
    return ((ends or begins) - begins) / _DAY
