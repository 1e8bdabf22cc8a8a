"""Operators, officers, silence, partners and restarts in any order; after every step all holds that has to hold."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play
from temporalio.client import Client

from devstack.postgres import PostgresServer
from devstack.seed import World as SeededWorld
from domain.vocabulary import Outcome, Stage
from tests.conftest import SEEDED
from tests.scene import Scene, household_of
from tests.stateful.model import OK, PEOPLE, CaseModel, HouseModel
from tests.stateful.world import DOWN, World
from tests.workflows.stack import PartnerServers, Stack

_T = TypeVar("_T")
_PLACES = 3
_FLOOR_AREAS = st.sampled_from([24, 36, 48])
_MINISTRY_REASONS = {"accepted": None, "returned": "incomplete_documents", "rejected": "duplicate"}
_numbers = count(1)


@dataclass(slots=True)
class Case:
    """A case of the run, and the model of it; `last` is the act that was carried out last, to be repeated."""

    id: UUID
    model: CaseModel
    last: tuple[str, str, tuple[Any, ...]] | None = None


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
        await self.servers.reset()
        world = World(Stack(Scene.at(urls, self.seeded.policy_version_id), self.servers, self.client))
        await world.start_workers()
        return world, name


class Cases(RuleBasedStateMachine):
    """Cases of three households, played by everybody who has to do with them."""

    cases = Bundle[Case]("cases")
    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.world, self.database = self.ground.run(self.ground.new_world())
        self.houses = [HouseModel(_floor_area(place)) for place in range(_PLACES)]
        self.known: list[Case] = []
        self.keys = (f"key-{number}" for number in count(1))
        self.registry_down = False

    @initialize(target=cases, floor_area=_FLOOR_AREAS)
    def begin(self, floor_area: int) -> Any:
        """Two cases about one household are there from the start."""
        return multiple(self._submitted(0, floor_area), self._submitted(0, floor_area + 1))

    @rule(target=cases, place=st.integers(0, _PLACES - 1), floor_area=_FLOOR_AREAS)
    def submit(self, place: int, floor_area: int) -> Case:
        """The operator submits a case, and sends it twice."""
        return self._submitted(place, floor_area)

    @rule(case=cases, times=st.integers(1, 4))
    def forward(self, case: Case, times: int) -> None:
        """Whoever has the case forwards it, and so do the next ones."""
        for _ in range(times):
            for who in case.model.holders[:1]:
                self._decide(case, who, Outcome.FORWARD)

    @rule(case=cases, who=st.sampled_from(PEOPLE), outcome=st.sampled_from(Outcome))
    def meddle(self, case: Case, who: str, outcome: Outcome) -> None:
        """Anybody decides anything."""
        self._decide(case, who, outcome)

    @rule(case=cases, outcome=st.sampled_from([Outcome.RETURN, Outcome.RETURN, Outcome.REJECT]))
    def send_back(self, case: Case, outcome: Outcome) -> None:
        """Whoever has the case returns it, or now and then rejects it."""
        for who in case.model.holders[-1:]:
            self._decide(case, who, outcome)

    @rule(case=cases)
    def two_decide_at_once(self, case: Case) -> None:
        """Two decisions on one task: one is taken, the other is told so."""
        pair = case.model.holders[:1] + case.model.holders[-1:]
        if not pair or any(case.model.answers_to(who) != OK for who in pair):
            return

        async def both() -> list[Any]:
            decisions = (self.world.decide(case.id, who, Outcome.FORWARD, key=next(self.keys)) for who in pair)
            return await asyncio.gather(*decisions)

        answers = self.ground.run(both())
        assert sorted(answer.code for answer in answers) == ["ok", "task_already_decided"], answers
        winner = next(who for who, answer in zip(pair, answers, strict=True) if answer.code == "ok")
        case.model.decided(winner, Outcome.FORWARD)
        case.last = None
        self._settles(case)

    @rule(case=cases)
    def repeat(self, case: Case) -> None:
        """The last act comes again under its key: it has its result again, and nothing is done."""
        if case.last is None:
            return
        what, key, arguments = case.last
        answer = self.ground.run(getattr(self.world, what)(case.id, *arguments, key=key))
        assert answer.code in {"ok", "not_possible_now"}, answer
        assert answer.code != "ok" or answer.replayed
        self._settles(case)

    @rule(case=cases, floor_area=st.one_of(st.none(), _FLOOR_AREAS))
    def resubmit(self, case: Case, floor_area: int | None) -> None:
        """The operator sends a case in again, changed or as it was; only a returned one is taken."""
        proposed = case.model.floor_area if floor_area is None else floor_area
        key = next(self.keys)
        answer = self.ground.run(self.world.resubmit(case.id, proposed, key=key))
        if case.model.stage is not Stage.REPAIR:
            assert answer.code in {"not_possible_now", "case_closed"}, answer
            return
        assert answer.code == "ok", answer
        case.model.resubmitted(floor_area=proposed)
        case.last = ("resubmit", key, (proposed,))
        self._settles(case)

    @rule(case=cases, sure=st.integers(0, 3))
    def withdraw(self, case: Case, sure: int) -> None:
        """The applicant takes the case back, one time in four."""
        if sure:
            return
        key = next(self.keys)
        answer = self.ground.run(self.world.withdraw(case.id, key=key))
        if not case.model.withdrawable:
            assert answer.code in {"not_possible_now", "case_closed"}, answer
            return
        assert answer.code == "ok", answer
        case.model.withdrawn()
        case.last = ("withdraw", key, ())
        self._settles(case)

    @rule(case=cases)
    def claim(self, case: Case) -> None:
        """Whoever has the case says so, and gives it back."""
        for who in case.model.holders[:1]:
            if case.model.answers_to(who) == OK:
                self.ground.run(self.world.claim_and_release(case.id, who, key=next(self.keys)))

    @rule(case=cases, times=st.integers(1, 3))
    def nobody_acts(self, case: Case, times: int) -> None:
        """Time passes beyond the next milestones."""
        for _ in range(times):
            if case.model.stage not in {None, Stage.IDENTITY_CHECK}:
                self.ground.run(self.world.stack.next_milestone(case.id))
                case.model.lapsed()
                self._settles(case)

    @rule(case=cases, answer=st.sampled_from(["accepted", "accepted", "returned", "rejected"]))
    def ministry_answers(self, case: Case, answer: str) -> None:
        """The Ministry answers a case that it has; its callback comes twice."""
        if case.model.stage is not Stage.DELIVERY:
            return
        receipt_no = self.ground.run(self.world.stack.scene.case(case.id)).receipt_no
        reason = _MINISTRY_REASONS[answer]
        case.model.answered_by_ministry(answer)
        for _ in range(2):
            told = self.world.stack.scene.ministry_answers(case.id, answer, receipt_no=receipt_no, reason=reason)
            self.ground.run(told)
            self._settles(case)

    @rule()
    def restart_workers(self) -> None:
        """The workers stop and others take over, which remember nothing."""
        self.ground.run(self.world.stop_workers())
        self.ground.run(self.world.start_workers())

    @precondition(lambda self: not self.registry_down)
    @rule()
    def registry_fails(self) -> None:
        """The civil registry answers nobody; what is submitted now waits."""
        self.ground.run(self.ground.servers.registry("PUT", "/admin/faults", json=DOWN))
        self.registry_down = True

    @precondition(lambda self: self.registry_down)
    @rule()
    def registry_recovers(self) -> None:
        """The civil registry is back, and whoever waited for it goes on."""
        self.ground.run(self.ground.servers.registry("DELETE", "/admin/faults"))
        self.registry_down = False
        for case in self.known:
            if case.model.stage is Stage.IDENTITY_CHECK:
                case.model.go_on()
                self._settles(case)

    @invariant()
    def all_holds(self) -> None:
        """Nothing is broken, not even for a moment."""
        self.ground.run(self.world.check())

    def teardown(self) -> None:
        """Everything that waited has gone on, everything holds, and the registry is what the model says."""
        try:
            if self.registry_down:
                self.registry_recovers()
            self.ground.run(self.world.check(drained=True))
            for place, house in enumerate(self.houses):
                kept = self.ground.run(self.world.stack.scene.household(household_of(place).id))
                assert (kept.version, kept.circumstances.floor_area_m2) == (house.version, house.floor_area)
        finally:
            self.ground.run(self.world.close())
            self.ground.run(self.ground.postgres.drop_database(self.database))

    def _submitted(self, place: int, floor_area: int) -> Case:
        key, house = next(self.keys), self.houses[place]
        first = self.ground.run(self.world.submit(place, floor_area, key=key))
        assert self.ground.run(self.world.submit(place, floor_area, key=key)) == first
        case = Case(first, CaseModel(house, floor_area, base=house.floor_area))
        if not self.registry_down:
            case.model.go_on()
        self.known.append(case)
        self._settles(case)
        return case

    def _decide(self, case: Case, who: str, outcome: Outcome) -> None:
        wanted, key = case.model.answers_to(who), next(self.keys)
        answer = self.ground.run(self.world.decide(case.id, who, outcome, key=key))
        assert answer.code in wanted, (who, wanted, answer)
        if answer.code == "ok":
            case.model.decided(who, outcome)
            case.last = None
            self._settles(case)

    def _settles(self, case: Case) -> None:
        self.ground.run(self.world.settles(case.id, case.model.status, case.model.level))


def _floor_area(place: int) -> int | None:
    return household_of(place).circumstances.floor_area_m2


@pytest.fixture
async def ground(
    postgres_server: PostgresServer,
    seeded_template: SeededWorld,
    partner_servers: PartnerServers,
    engine_client: Client,
) -> Ground:
    """The servers, and the loop to reach them on."""
    return Ground(asyncio.get_running_loop(), postgres_server, seeded_template, partner_servers, engine_client)


async def test_no_order_of_events_breaks_a_case(ground: Ground) -> None:
    class Played(Cases):
        pass

    Played.ground = ground
    chosen = settings.get_current_profile_name()
    profile = settings.get_profile(chosen if chosen.startswith("kawal-") else "kawal-quick")
    await asyncio.to_thread(play, Played, settings=profile)
