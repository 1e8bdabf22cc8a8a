"""Operators, officers, silence, partners and restarts in any order: the standard route, and what all rules share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from temporalio.client import Client

from devstack.postgres import PostgresServer
from devstack.seed import World as SeededWorld
from domain.vocabulary import Outcome, Stage
from tests.conftest import SEEDED
from tests.scene import Scene, household_of
from tests.stateful.model import CaseModel, HouseModel
from tests.stateful.tables import PEOPLE
from tests.stateful.world import DOWN, Answer, World
from tests.workflows.stack import PartnerServers, Stack

_T = TypeVar("_T")
_PLACES = 3
FLOOR_AREA = st.sampled_from([24, 36, 48])
WHICH = st.integers(0, 20)
_MINISTRY_REASONS = {"accepted": None, "returned": "incomplete_documents", "rejected": "duplicate"}
_numbers = count(1)


@dataclass(slots=True)
class Case:
    """A case of the run, and the model of it.

    `last` is the act that was carried out last, to be repeated; `returned_under` the receipts of earlier deliveries;
    `appeals` the case whose rejection it is against.
    """

    id: UUID
    model: CaseModel
    last: Callable[[], Coroutine[Any, Any, Answer]] | None = None
    returned_under: list[str] = field(default_factory=list[str])
    appeals: Case | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What all runs share."""

    loop: asyncio.AbstractEventLoop
    postgres: PostgresServer
    seeded: SeededWorld
    servers: PartnerServers
    client: Client

    def run(self, what: Coroutine[Any, Any, _T]) -> _T:
        """Do it on the loop that the servers' clients live on; the machine itself plays in a thread."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(timeout=60)

    async def new_world(self) -> tuple[World, str]:
        """A Kawal of its own, and the name of its database."""
        name = f"stateful_{next(_numbers)}"
        urls = await self.postgres.create_database(name, template=SEEDED)
        await self.servers.registry("DELETE", "/admin/faults")
        world = World(Stack(Scene.at(urls, self.seeded.policy_version_id), self.servers, self.client))
        await world.start_workers()
        return world, name


class Cases(RuleBasedStateMachine):
    """Cases of three households, played by everybody who has to do with them.

    `which` picks one of the cases with which the thing can be done.
    """

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.world, self.database = self.ground.run(self.ground.new_world())
        self.houses = [HouseModel(_floor_area(place)) for place in range(_PLACES)]
        self.known: list[Case] = []
        self.keys = (f"key-{number}" for number in count(1))
        self.registry_down = False
        self.suspended: UUID | None = None
        self.planned = False

    @initialize(floor_area=FLOOR_AREA)
    def begin(self, floor_area: int) -> None:
        """Two cases about one household are there from the start."""
        self._submitted(0, floor_area)
        self._submitted(0, floor_area + 1)

    @rule(place=st.integers(0, _PLACES - 1), floor_area=FLOOR_AREA)
    def submit(self, place: int, floor_area: int) -> None:
        """The operator submits a case, and sends it twice."""
        self._submitted(place, floor_area)

    @precondition(lambda self: self.with_people())
    @rule(which=WHICH)
    def forward(self, which: int) -> None:
        """Whoever has the case forwards it."""
        case = pick(self.with_people(), which)
        self._decide(case, case.model.holders[0], self._yes(case))

    @precondition(lambda self: self.with_people())
    @rule(which=WHICH)
    def forward_to_the_ministry(self, which: int) -> None:
        """Whoever has the case forwards it, and so do all who get it next."""
        case = pick(self.with_people(), which)
        while case.model.holders:
            self._decide(case, case.model.holders[0], self._yes(case))

    @precondition(lambda self: self.with_people())
    @rule(which=WHICH, outcome=st.sampled_from([Outcome.RETURN, Outcome.RETURN, Outcome.REJECT]), about=st.booleans())
    def send_back(self, which: int, outcome: Outcome, about: bool) -> None:  # noqa: FBT001
        """Whoever has the case returns it, or now and then rejects it, for a reason about the household or another."""
        case = pick(self.with_people(), which)
        said = Outcome.UPHOLD if case.model.stage is Stage.APPEAL else outcome
        self._decide(case, case.model.holders[-1], said, substantive=about)

    @rule(which=WHICH, who=st.sampled_from(PEOPLE), outcome=st.sampled_from(Outcome))
    def meddle(self, which: int, who: str, outcome: Outcome) -> None:
        """Anybody decides anything, also what has ended."""
        self._decide(pick(self.known, which), who, outcome)

    @precondition(lambda self: self.with_people())
    @rule(which=WHICH)
    def two_decide_at_once(self, which: int) -> None:
        """Two decisions on one task: one is taken, the other is told so."""
        case = pick(self.with_people(), which)
        pair, yes = (case.model.holders[0], case.model.holders[-1]), self._yes(case)
        if case.model.stage is Stage.OPINION:
            return

        task = self.ground.run(self.world.last_task(case.id))

        async def both() -> list[Answer]:
            decisions = (self.world.decide(case.id, who, yes, key=next(self.keys), task=task) for who in pair)
            return await asyncio.gather(*decisions)

        answers = self.ground.run(both())
        assert sorted(answer.code for answer in answers) == ["ok", "task_already_decided"], answers
        winner = next(who for who, answer in zip(pair, answers, strict=True) if answer.code == "ok")
        case.last = None
        self._has_decided(case, winner, yes)

    @precondition(lambda self: self.repeatable())
    @rule(which=WHICH)
    def repeat(self, which: int) -> None:
        """The last act comes again under its key: it has its result again, and nothing is done."""
        case = pick(self.repeatable(), which)
        if case.last is not None:
            answer = self.ground.run(case.last())
            assert (answer.code, answer.replayed) == ("ok", True), answer
            self.settles(case)

    @rule(which=WHICH, floor_area=st.one_of(st.none(), FLOOR_AREA))
    def resubmit(self, which: int, floor_area: int | None) -> None:
        """The operator sends a case in again, changed or as it was; only a returned one is taken."""
        returned = [case for case in self.known if case.model.stage is Stage.REPAIR]
        case = pick(returned or self.known, which)
        proposed = case.model.floor_area if floor_area is None else floor_area
        key = next(self.keys)

        def act() -> Coroutine[Any, Any, Answer]:
            return self.world.resubmit(case.id, proposed, key=key)

        answer = self.ground.run(act())
        if case.model.stage is not Stage.REPAIR:
            assert answer.code in {"not_possible_now", "case_closed"}, answer
            return
        assert answer.code == "ok", answer
        case.model.resubmitted(floor_area=proposed)
        case.last = act
        self.settles(case)

    @rule(which=WHICH, sure=st.integers(0, 3))
    def withdraw(self, which: int, sure: int) -> None:
        """The applicant takes a case back, one time in four."""
        if sure:
            return
        case, key = pick(self.known, which), next(self.keys)

        def act() -> Coroutine[Any, Any, Answer]:
            return self.world.withdraw(case.id, key=key)

        answer = self.ground.run(act())
        if not case.model.withdrawable:
            assert answer.code in {"not_possible_now", "case_closed"}, answer
            return
        assert answer.code == "ok", answer
        case.model.withdrawn()
        case.last = act
        if case.appeals is not None:
            case.appeals.model.carried_on = False
        self.settles(case)

    @precondition(lambda self: self.with_people())
    @rule(which=WHICH)
    def claim(self, which: int) -> None:
        """Whoever has the case says so, and gives it back."""
        case = pick(self.with_people(), which)
        who = case.model.holders[0]
        self.ground.run(self.world.claim_and_release(case.id, who, key=next(self.keys)))
        case.model.touched.add(who)

    @precondition(lambda self: self.lapsing())
    @rule(which=WHICH, times=st.integers(1, 3))
    def nobody_acts(self, which: int, times: int) -> None:
        """Time passes beyond the next milestones of a case."""
        case = pick(self.lapsing(), which)
        for _ in range(times):
            if case not in self.lapsing():
                break
            self.ground.run(self.world.stack.next_milestone(case.id))
            case.model.passed_milestone()
            self.settles(case)

    @precondition(lambda self: self.with_ministry())
    @rule(which=WHICH, answer=st.sampled_from(["accepted", "returned", "returned", "rejected"]))
    def ministry_answers(self, which: int, answer: str) -> None:
        """The Ministry answers a case that it has; its callback comes twice, and so do those of earlier deliveries."""
        case = pick(self.with_ministry(), which)
        receipt_no = self.ground.run(self.world.stack.scene.case(case.id)).receipt_no
        for earlier in case.returned_under:
            self._answered(case, "returned", earlier)
        case.model.answered_by_ministry(answer)
        for _ in range(2):
            self._answered(case, answer, receipt_no)
        if answer == "returned":
            case.returned_under.append(receipt_no)

    @rule(sure=st.integers(0, 1))
    def restart_workers(self, sure: int) -> None:
        """The workers stop and others take over, which remember nothing; one time in two."""
        if not sure:
            self.ground.run(self.world.stop_workers())
            self.ground.run(self.world.start_workers())

    @rule(sure=st.integers(0, 2))
    def registry_fails_or_recovers(self, sure: int) -> None:
        """The civil registry answers nobody, or again; one time in three. Meanwhile what is submitted waits."""
        if sure:
            return
        if self.registry_down:
            self._registry_recovers()
        else:
            self.ground.run(self.ground.servers.registry("PUT", "/admin/faults", json=DOWN))
            self.registry_down = True

    @invariant()
    def all_holds(self) -> None:
        """Nothing is broken, not even for a moment."""
        self.ground.run(self.world.check())

    def teardown(self) -> None:
        """Everything that waited has gone on, everything holds, and the registry is what the model says."""
        try:
            if self.registry_down:
                self._registry_recovers()
            self.ground.run(self.world.everything_told())
            self.ground.run(self.world.check(finished=True))
            for place, house in enumerate(self.houses):
                kept = self.ground.run(self.world.stack.scene.household(household_of(place).id))
                assert (kept.version, kept.circumstances.floor_area_m2) == (house.version, house.floor_area)
        finally:
            self.ground.run(self.world.close())
            self.ground.run(self.ground.postgres.drop_database(self.database))

    def with_people(self) -> list[Case]:
        """The cases that await somebody's decision."""
        return [case for case in self.known if case.model.holders]

    def with_ministry(self) -> list[Case]:
        """The cases that await the Ministry."""
        return [case for case in self.known if case.model.stage is Stage.DELIVERY]

    def lapsing(self) -> list[Case]:
        """The cases whose clock runs, and that are not about to lapse."""
        if self.suspended is not None:
            return []
        return [case for case in self.known if case.model.clock_runs]

    def repeatable(self) -> list[Case]:
        """The cases whose last act can be sent again."""
        return [case for case in self.known if case.last is not None]

    def _registry_recovers(self) -> None:
        """Whoever waited for the civil registry goes on."""
        self.ground.run(self.ground.servers.registry("DELETE", "/admin/faults"))
        self.registry_down = False
        for case in self.known:
            if case.model.stage is Stage.IDENTITY_CHECK:
                case.model.go_on()
                self.settles(case)

    def _yes(self, case: Case) -> Outcome:
        return Outcome.OVERTURN if case.model.stage is Stage.APPEAL else Outcome.FORWARD

    def _submitted(self, place: int, floor_area: int) -> None:
        key, house = next(self.keys), self.houses[place]
        first = self.ground.run(self.world.submit(place, floor_area, key=key))
        assert self.ground.run(self.world.submit(place, floor_area, key=key)) == first
        case = Case(first, CaseModel(house, floor_area, base=house.floor_area))
        if not self.registry_down:
            case.model.go_on()
        self.known.append(case)
        self.settles(case)

    def _decide(self, case: Case, who: str, outcome: Outcome, *, substantive: bool = False) -> None:
        wanted, key = case.model.answers_to(who, outcome), next(self.keys)
        task = self.ground.run(self.world.last_task(case.id))

        def act() -> Coroutine[Any, Any, Answer]:
            return self.world.decide(case.id, who, outcome, key=key, task=task, substantive=substantive)

        answer = self.ground.run(act())
        assert answer.code in wanted, (who, wanted, answer)
        if answer.code == "ok":
            case.last = act
            self._has_decided(case, who, outcome, substantive=substantive)

    def _has_decided(self, case: Case, who: str, outcome: Outcome, *, substantive: bool = False) -> None:
        case.model.decided(who, outcome, substantive=substantive)
        self.settles(case)
        if outcome is Outcome.OVERTURN and case.appeals is not None:
            case.appeals.model.superseded()
            self.settles(case.appeals)

    def _answered(self, case: Case, answer: str, receipt_no: str) -> None:
        """An answer has come in and has been told to the case, which is where the model says."""
        reason = _MINISTRY_REASONS[answer]
        self.ground.run(self.world.stack.scene.ministry_answers(case.id, answer, receipt_no=receipt_no, reason=reason))
        self.ground.run(self.world.everything_told())
        self.settles(case)

    def settles(self, case: Case) -> None:
        self.ground.run(self.world.settles(case.id, case.model.status, case.model.level))


def pick(cases: list[Case], which: int) -> Case:
    """One of the cases."""
    return cases[which % len(cases)]


def _floor_area(place: int) -> int | None:
    return household_of(place).circumstances.floor_area_m2
