"""The simulator beside the real workflows: the same people act at the same moments, and the same comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from devstack.demo_people import DEUDEUL, TARAJU
from domain.authority import Involvement
from domain.calendar import WorkingCalendar
from domain.changes import CircumstancesChange, identity_expectations
from domain.circumstances import Circumstances
from domain.contracts import ActKind
from domain.lifecycle import Position
from domain.policy import Policy
from domain.requests import GroundReportRequest, ResubmissionInput, ResubmissionRequest
from domain.vocabulary import EscalationCause, Kind, Outcome, ReasonCode, Role, Stage, Status
from simulation.cases import Case, Officer
from simulation.casework import Casework
from simulation.chance import Chance
from simulation.play import Play, Setting
from simulation.regency import Worker
from simulation.scenario import (
    Answers,
    Arrivals,
    Identity,
    Ministry,
    Outages,
    Pace,
    Remoteness,
    Repairs,
    RoundsPlan,
    Scenario,
)
from tests.ground import found
from tests.scene import SYSTEM, household_of
from tests.workflows.stack import SPREAD, Stack, until

NEAR = timedelta(minutes=1)
"""By so much a moment may differ: the real one has a clock that runs while the test does."""
APART = timedelta(minutes=5)
"""So far from a rung everybody acts, that it is the same for both clocks whether it has fired."""
LUCKS = range(1, 500)
SINGULAR = {
    Role.DISTRICT_SUPERVISOR: "slrt.taraju",
    Role.SUBDISTRICT_HEAD: "camat.taraju",
    Role.GROUND_CHECKER: "pkh.taraju",
    Role.REGENCY_SUPERVISOR: "kabid",
    Role.REGENCY_HEAD: "kadis",
    Role.REGENCY_ASSISTANT: "asisten",
}
VILLAGERS = {Role.VILLAGE_OPERATOR: "operator", Role.PUSKESOS_OFFICER: "puskesos", Role.VILLAGE_HEAD: "kades"}
PAPERS = {ReasonCode.INCOMPLETE_DOCUMENTS: 2.0, ReasonCode.NOT_FOUND_IN_FIELD: 2.0, ReasonCode.UNCLEAR_PHOTO: 1.0}
MEANS = {ReasonCode.NOT_ELIGIBLE_MEANS: 1.0}


@dataclass(slots=True)
class Said:
    """What somebody, or the Ministry, answered in a simulated case."""

    at: datetime
    what: str
    by: Officer | None = None
    outcome: Outcome | None = None
    reason: ReasonCode | None = None
    changed: bool = False


@dataclass(slots=True)
class Script:
    """What everybody did with each case, in order."""

    lines: dict[UUID, list[Said]] = field(default_factory=dict[UUID, list[Said]])

    def add(self, case: Case, said: Said) -> None:
        self.lines.setdefault(case.id, []).append(said)


class Scribe(Casework):
    """Casework that writes down what it is asked to do."""

    def __init__(self, play: Play) -> None:
        super().__init__(play.rules)
        self.script = Script()
        self.narrow = False

    def _write(self, case: Case, said: Said) -> None:
        self.script.add(case, said)
        look = case.open and case.open.look_at
        self.narrow |= look is not None and look - said.at < APART

    def decide(self, case: Case, by: Officer, outcome: Outcome, at: datetime, *, reason: Any = None) -> None:
        self._write(case, Said(at, "decide", by, outcome, reason))
        super().decide(case, by, outcome, at, reason=reason)

    def report(self, case: Case, by: Officer, at: datetime) -> None:
        self._write(case, Said(at, "report", by))
        super().report(case, by, at)

    def resubmit(self, case: Case, by: UUID, changed: frozenset[str], at: datetime) -> None:
        officer = Officer(by, Role.VILLAGE_OPERATOR)
        self._write(case, Said(at, "resubmit", officer, changed=bool(changed)))
        super().resubmit(case, by, changed, at)

    def ministry_answers(self, case: Case, answer: str, at: datetime, *, reason: Any = None) -> None:
        self._write(case, Said(at, answer, reason=reason))
        super().ministry_answers(case, answer, at, reason=reason)


def scenario_of(begins: datetime, calendar: WorkingCalendar) -> Scenario:
    """People of whom some are often away without a word, and much is returned: as much as can happen happens."""

    def slow(tier: Any, minutes: float, absent: float = 60, people: int = 1) -> Pace:
        return Pace(tier=tier, minutes=minutes, absent_days=absent, spell_days=6, recorded=0, people=people)

    answers = Answers(returned=0.3, rejected=0.15, return_reasons=PAPERS, reject_reasons=MEANS)
    return Scenario(
        begins=calendar.local_day(begins),
        warm_up=0,
        one_person=0.5,
        arrivals=Arrivals(kinds={Kind.CIRCUMSTANCES: 1}),
        staff={
            **{role: slow("village", 60) for role in VILLAGERS},
            Role.PUSKESOS_OFFICER: slow("village", 120, absent=180),
            Role.GROUND_CHECKER: slow("district", 120),
            Role.DISTRICT_SUPERVISOR: slow("district", 90),
            Role.SUBDISTRICT_HEAD: slow("district", 60),
            Role.REGENCY_VERIFIER: slow("regency", 60, absent=150, people=2),
            **{
                role: slow("regency", 30)
                for role in (Role.REGENCY_SUPERVISOR, Role.REGENCY_HEAD, Role.REGENCY_ASSISTANT)
            },
        },
        answers=dict.fromkeys((Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.CONFLICT), answers),
        repairs=Repairs(days=4, never=0.1, facts_changed=0.4),
        identity=Identity(unexpected=0, outages_a_month=0),
        ministry=Ministry(days=12, returned=0.2, rejected=0.1),
        outages=Outages(a_month=0),
        remoteness=Remoteness(remote=0, very_remote=0),
        rounds=RoundsPlan(cut_off_day=None),
    )


def worth_comparing(
    policy: Policy, calendar: WorkingCalendar, begins: datetime, build: Callable[[Play], Sequence[Case]]
) -> tuple[Play, Scribe, Sequence[Case]]:
    """The first luck with which enough happens, whatever day it is: the play, what was written down, and its cases.

    As in the demo, one person does both works in Deudeul and two in Taraju.
    """
    setting = Setting({TARAJU: 10, DEUDEUL: 10}, calendar, scenario_of(begins, calendar), months=6)
    for seed in LUCKS:
        play = Play(setting, policy, Chance(seed, 0))
        if _one_person(play, TARAJU) or not _one_person(play, DEUDEUL):
            continue
        play.casework = scribe = Scribe(play)
        cases = build(play)
        play.run(cases)
        if _is_worth_comparing(cases) and _is_plain(scribe, cases):
            return play, scribe, cases
    raise AssertionError("no luck of these has enough happen")


def _one_person(play: Play, village: str) -> bool:
    return _first(play, Role.VILLAGE_OPERATOR, village) == _first(play, Role.PUSKESOS_OFFICER, village)


def _first(play: Play, role: Role, village: str) -> UUID:
    return play.regency.workers(role, village)[0].user_id


def usernames(play: Play) -> dict[UUID, str]:
    """Which demo account each of the simulated people is."""
    names = {_first(play, role, TARAJU): name for role, name in SINGULAR.items()}
    verifiers: Sequence[Worker] = play.regency.workers(Role.REGENCY_VERIFIER, TARAJU)
    names |= {worker.user_id: name for worker, name in zip(verifiers, ("verifikator", "verifikator2"), strict=True)}
    names |= {_first(play, role, TARAJU): f"{name}.taraju" for role, name in VILLAGERS.items()}
    names[_first(play, Role.VILLAGE_HEAD, DEUDEUL)] = "kades.deudeul"
    names[_first(play, Role.VILLAGE_OPERATOR, DEUDEUL)] = "serba.deudeul"
    return names


def change(square_metres: int) -> CircumstancesChange:
    return CircumstancesChange(circumstances=Circumstances(floor_area_m2=square_metres))


async def begun(kawal: Stack, village: str, place: int) -> UUID:
    by = "operator.taraju" if village == TARAJU else "serba.deudeul"
    household = household_of(place, village=village)
    update_id = await kawal.submit(change(30), household=household, area_code=village, by=by)
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    return update_id


def simulated(play: Play, opened_at: datetime, village: str, place: int, *, number: int) -> Case:
    """The same case for the simulator: submitted when the real one was opened, and with the same luck in every run."""
    operator = _first(play, Role.VILLAGE_OPERATOR, village)
    route = play.policy.route_of(Kind.CIRCUMSTANCES).stages
    case = Case(
        id=UUID(int=number),
        area_code=village,
        kind=Kind.CIRCUMSTANCES,
        submitted_by=operator,
        submitted_at=opened_at,
        position=Position(route=route, status=Status.RECEIVED, ministry=play.policy.delivery.ministry),
        persons=len(identity_expectations(change(30), household_of(place, village=village))),
    )
    case.involvements.append(Involvement(user_id=operator, stage=None))
    return case


async def opening_of(kawal: Stack, update_id: UUID) -> datetime:
    """When the first task of a case was opened."""
    row = await kawal.scene.one("SELECT min(opened_at) AS at FROM tasks WHERE update_id = :id", id=update_id)
    return row.at


async def follow(kawal: Stack, update_id: UUID, case: Case, script: Sequence[Said], names: dict[UUID, str]) -> None:
    """Let the real case live through what was written down, each act at its moment."""
    square_metres = 30
    for said in script:
        await pass_time(kawal, update_id, said.at)
        by = "" if said.by is None else names[said.by.user_id]
        match said.what:
            case "decide":
                assert said.outcome is not None
                await kawal.decide(update_id, by, said.outcome, reason=said.reason)
            case "report":
                body = await found(kawal.scene, at=await kawal.now(update_id), by=by)
                await kawal.ask(update_id, by, GroundReportRequest(body=body), ActKind.DECIDE)
            case "resubmit":
                square_metres += said.changed
                request = ResubmissionRequest(body=ResubmissionInput(change=change(square_metres)))
                await kawal.ask(update_id, by, request, ActKind.RESUBMIT)
            case answer:
                await kawal.at(update_id, "approved_local")
                await kawal.ministry_answers(update_id, answer, reason=said.reason)
                await kawal.at(update_id, "applied", "rejected", "in_approval")
    if case.position.status is Status.LAPSED and case.closed_at is not None:
        ahead = case.closed_at + SPREAD - await kawal.now(update_id)
        await kawal.skipper.fast_forward(kawal.handle(update_id), ahead)  # ends when the case does
        await kawal.at(update_id, "lapsed")


async def pass_time(kawal: Stack, update_id: UUID, moment: datetime) -> None:
    """Let time pass until `moment`, and everything happen that is due by then."""
    ahead = moment - await kawal.now(update_id)
    if ahead > timedelta(0):
        assert await kawal.skipper.fast_forward(kawal.handle(update_id), ahead)
    await until(
        lambda: kawal.scene.case(update_id),
        lambda case: case.next_milestone_at is None or case.next_milestone_at + SPREAD > moment,
    )


async def test_same_people_at_the_same_moments_bring_the_same_about(kawal: Stack) -> None:
    villages = [*[(TARAJU, place) for place in range(6)], (DEUDEUL, 0), (DEUDEUL, 1)]
    ids = [await begun(kawal, village, place) for village, place in villages]
    async with kawal.scene.worker.transaction(SYSTEM) as connection:
        policy = await kawal.scene.rules.policy(connection, kawal.scene.policy_version_id)
        calendar = await kawal.scene.rules.calendar(connection, TARAJU)
    opened = [await opening_of(kawal, update_id) for update_id in ids]

    def build(play: Play) -> list[Case]:
        return [
            simulated(play, at, *where, number=number)
            for number, (at, where) in enumerate(zip(opened, villages, strict=True), start=101)
        ]

    play, scribe, cases = worth_comparing(policy, calendar, await kawal.now(ids[0]), build)
    lines, names = scribe.script.lines, usernames(play)
    pairs = list(zip(ids, cases, strict=True))
    await asyncio.gather(*(follow(kawal, real, case, lines.get(case.id, ()), names) for real, case in pairs))
    for real, case in pairs:
        await assert_alike(kawal, real, case)


def _is_worth_comparing(cases: Sequence[Case]) -> bool:
    """Whether stages, returns, climbs and closed cases are enough that a rule that is left out would show."""
    works = [work for case in cases for work in case.works]
    return (
        {work.stage for work in works} >= {Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.REPAIR}
        and len({rung.cause for work in works for rung in work.fired}) >= 2
        and sum(case.closed_at is not None for case in cases) >= 3
    )


def _is_plain(scribe: Scribe, cases: Sequence[Case]) -> bool:
    """Whether nobody acts so near to a rung that two clocks could tell another story of it."""
    return not scribe.narrow and all(
        abs(said.at - rung.at) >= APART or said.at < rung.at
        for case in cases
        for work in case.works
        for rung in work.fired
        if rung.cause is EscalationCause.DEADLINE
        for said in scribe.script.lines.get(case.id, ())
    )


async def assert_alike(kawal: Stack, update_id: UUID, case: Case) -> None:
    """Every task that has ended: its stage, deadline, rungs, answer, and when it was decided."""
    tasks = await kawal.scene.rows(
        "SELECT id, stage, revision, due_at, decided_at, outcome, level, status FROM tasks WHERE update_id = :id "
        "ORDER BY opened_at, id",
        id=update_id,
    )
    done = [work for work in case.works if work.closed_at is not None]
    assert [row.stage for row in tasks][: len(done)] == [work.stage.value for work in done]
    assert len(tasks) == len(case.works)
    for row, work in zip(tasks, done, strict=False):
        assert row.due_at == work.deadline.due_at
        assert (row.revision, row.outcome, row.level) == (work.revision, work.outcome, work.level)
        assert work.closed_at is not None
        assert abs(row.decided_at - work.closed_at) < NEAR
        rungs = await kawal.scene.rows("SELECT * FROM escalations WHERE task_id = :id ORDER BY rung", id=row.id)
        fired = sorted(work.fired)
        assert [(r.rung, r.to_role, r.level, r.cause) for r in rungs] == [
            (rung.rung, rung.to, rung.level, rung.cause.value) for rung in fired
        ]
        for r, rung in zip(rungs, fired, strict=True):
            assert abs(r.due_at - rung.due_at) < NEAR
            assert abs(r.fired_at - rung.at) < SPREAD + NEAR
    real = await kawal.scene.case(update_id)
    assert real.status == case.position.status.value
