"""Everything a case runs on, in one process: database, engine, partners, workers and dispatcher of one test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import httpx2
from sqlalchemy import Row
from temporalio.client import Client, Interceptor, WorkflowHandle
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from activities.casework import Desk
from activities.outbox import Dispatcher
from db.session import Database
from devstack.partners.faults import FaultSettings
from devstack.partners.persons import Person
from domain.changes import Change, CircumstancesChange
from domain.circumstances import Circumstances
from domain.contracts import Act, ActKind, ActResult
from domain.decisions import DecisionInput
from domain.ids import new_id, workflow_id
from domain.keyring import KeyRing
from domain.requests import (
    CaseRequest,
    DecisionRequest,
    ResubmissionInput,
    ResubmissionRequest,
    WithdrawalInput,
    WithdrawalRequest,
)
from domain.vocabulary import Outcome, ReasonCode, Stage
from runtime.connectors.civil_registry import CivilRegistryClient
from runtime.connectors.ministry import MinistryClient
from runtime.engine import Engine
from tests.scene import MINUTES, VAULT, Scene, household_of
from worker import Partners, build_workers, running, workflow_runner

TOKEN, ADMIN_TOKEN = "token-of-kawal", "token-of-admin"
CODEC_KEYS = "c1:a2V5IG9mIHRoZSBoaXN0b3JpZXMgaW4gdGVzdHMgISE="
SPREAD = timedelta(seconds=61)
"""A little more than the most by which an action on a deadline is spread."""

_prefixes = (f"t{number}" for number in count(1))
_T = TypeVar("_T")


def codec_keys() -> KeyRing:
    return KeyRing.parse(CODEC_KEYS, setting="codec")


async def until(ask: Callable[[], Awaitable[_T]], holds: Callable[[_T], bool], *, within: float = 20) -> _T:
    """What `ask` answers once it `holds`. Raises TimeoutError with the last answer."""
    answer = await ask()
    end = asyncio.get_running_loop().time() + within
    while not holds(answer):
        if asyncio.get_running_loop().time() > end:
            raise TimeoutError(f"still {answer!r}")
        await asyncio.sleep(0.03)
        answer = await ask()
    return answer


@dataclass(frozen=True, slots=True)
class PartnerServers:
    """The partner servers of the session."""

    registry_url: str
    ministry_url: str
    persons: Sequence[Person]

    async def reset(self) -> None:
        """Everybody is registered as was invented, nothing fails, and the Ministry holds its answers back."""
        await self.registry("DELETE", "/admin/faults")
        await self.ministry("DELETE", "/admin/faults")
        await self.register(self.persons)
        await self.ministry("PUT", "/admin/rules/default", json={"answer": None})

    async def register(self, persons: Iterable[Person]) -> None:
        await self.registry("PUT", "/admin/persons", json=[person.model_dump(mode="json") for person in persons])

    async def correct(self, nik: str | None, **fields: Any) -> None:
        """The civil registry's entry of a person changes."""
        await self.registry("PATCH", f"/admin/persons/{nik}", json=fields)

    async def died(self, nik: str | None, *, on: date = date(2026, 1, 5)) -> None:
        await self.correct(nik, deceased_on=on.isoformat())

    async def registry_fails(self, **faults: Any) -> None:
        settings = FaultSettings(**faults).model_dump(mode="json", exclude_none=True)
        await self.registry("PUT", "/admin/faults", json=settings)

    async def ministry_fails(self, **faults: Any) -> None:
        settings = FaultSettings(**faults).model_dump(mode="json", exclude_none=True)
        await self.ministry("PUT", "/admin/faults", json=settings)

    async def registry(self, method: str, path: str, **content: Any) -> Any:
        return await _admin(method, self.registry_url + path, **content)

    async def ministry(self, method: str, path: str, **content: Any) -> Any:
        return await _admin(method, self.ministry_url + path, **content)

    async def proposals(self, update_id: UUID) -> list[dict[str, Any]]:
        """What the Ministry has received of a case."""
        return (await self.ministry("GET", f"/admin/proposals?update_id={update_id}"))["proposals"]


async def _admin(method: str, url: str, **content: Any) -> Any:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    # Loopback needs no certificates, and loading them costs 25 ms a client.
    async with httpx2.AsyncClient(headers=headers, trust_env=False, verify=False) as client:
        return (await client.request(method, url, **content)).raise_for_status().json()


@dataclass(slots=True)
class Stack:
    """One test's Kawal, and what people do with it. Workers run inside `working`."""

    scene: Scene
    servers: PartnerServers
    plain_client: Client
    prefix: str = field(default_factory=lambda: next(_prefixes))
    skipper: TimeSkipper = field(init=False)
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.skipper = TimeSkipper(self.plain_client, config=TimeSkippingConfig(enabled=False))
        self.engine = Engine(self.skipper.client, queue_prefix=self.prefix)

    @asynccontextmanager
    async def working(
        self,
        *,
        cache_size: int = 1000,
        sandboxed: bool = True,
        interceptors: Sequence[Interceptor] = (),
        database: Database | None = None,
    ) -> AsyncGenerator[None]:
        """Workers and dispatcher run for as long as the block lasts; `database` is another way to the scene's."""
        database = database or self.scene.worker
        partners = Partners(
            registry=CivilRegistryClient(self.servers.registry_url, TOKEN, timeout=2.0),
            ministry=MinistryClient(self.servers.ministry_url, TOKEN),
        )
        config = self.skipper.client.config()
        config["interceptors"] = [*config["interceptors"], *interceptors]
        workers = build_workers(
            Client(**config),
            Desk(database, VAULT, self.scene.rules),
            partners,
            engine=self.engine,
            queue_prefix=self.prefix,
            runner=workflow_runner(sandboxed=sandboxed),
            cache_size=cache_size,
            grace=timedelta(seconds=2),
        )
        dispatcher = Dispatcher(database, self.engine, every=timedelta(milliseconds=50))
        try:
            async with running(workers, dispatcher):
                yield
        finally:
            await partners.close()

    async def beside(self) -> Stack:
        """The same installation on a connection of its own, as another process has."""
        client = await Client.connect(
            self.plain_client.service_client.config.target_host,
            data_converter=self.plain_client.data_converter,
        )
        return Stack(self.scene, self.servers, client, prefix=self.prefix)

    def handle(self, update_id: UUID) -> WorkflowHandle[Any, Any]:
        return self.skipper.client.get_workflow_handle(workflow_id(update_id))

    async def submit(self, change: Change | None = None, **what: Any) -> UUID:
        """Submit a change; of the first household's floor area unless another is given."""
        if change is None:
            change = floor_area(30)
            what.setdefault("household", household_of(0))
        return await self.scene.submit(change, **what)

    async def at(self, update_id: UUID, *statuses: str, within: float = 20) -> Row[Any]:
        """The case once it has one of these statuses."""
        return await until(lambda: self.scene.case(update_id), lambda case: case.status in statuses, within=within)

    async def act(self, update_id: UUID, act_id: UUID, kind: ActKind, task_id: UUID | None) -> ActResult:
        return await self.engine.act(update_id, Act(act_id=act_id, kind=kind, task_id=task_id))

    async def decide(
        self,
        update_id: UUID,
        by: str,
        outcome: Outcome = Outcome.FORWARD,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
        task_id: UUID | None = None,
        act_id: UUID | None = None,
    ) -> ActResult:
        """Decide the open task, or another; with minutes where the village decides."""
        case = await self.scene.case(update_id)
        minutes = MINUTES if case.stage == Stage.DELIBERATION and outcome is not Outcome.RETURN else None
        decision = DecisionInput(outcome=outcome, reason=reason, note=note, minutes=minutes)
        act_id = await self.scene.ask(update_id, by, DecisionRequest(body=decision), act_id=act_id)
        return await self.act(update_id, act_id, ActKind.DECIDE, task_id or case.task)

    async def ask(self, update_id: UUID, by: str, request: CaseRequest, kind: ActKind) -> ActResult:
        """Write an act down and have the case do it."""
        case = await self.scene.case(update_id)
        return await self.act(update_id, await self.scene.ask(update_id, by, request), kind, case.task)

    async def resubmit(self, update_id: UUID, change: Change, *, by: str = "operator.taraju") -> ActResult:
        case = await self.scene.case(update_id)
        act_id = await self.scene.ask(update_id, by, ResubmissionRequest(body=ResubmissionInput(change=change)))
        return await self.act(update_id, act_id, ActKind.RESUBMIT, case.task)

    async def withdraw(self, update_id: UUID, *, by: str = "operator.taraju", act_id: UUID | None = None) -> ActResult:
        request = WithdrawalRequest(body=WithdrawalInput(note="Warga mencabut usulannya."))
        act_id = await self.scene.ask(update_id, by, request, act_id=act_id or new_id())
        return await self.act(update_id, act_id, ActKind.WITHDRAW, None)

    async def forward_to(self, update_id: UUID, stage: Stage | str) -> Row[Any]:
        """Forward the case, each stage by the one whose task it is, until it stands in `stage`."""
        while (case := await self._with_people(update_id, stage)).stage != stage:
            await self.decide(update_id, DECIDERS[case.stage])
        return case

    async def _with_people(self, update_id: UUID, stage: Stage | str) -> Row[Any]:
        return await until(lambda: self.scene.case(update_id), lambda case: case.stage in {stage, *DECIDERS})

    async def pushed(self, update_id: UUID) -> Row[Any]:
        """Forward the case through every stage, until the Ministry has it."""
        await self.forward_to(update_id, Stage.DELIVERY)
        return await self.at(update_id, "approved_local")

    async def ministry_answers(self, update_id: UUID, answer: str, *, reason: str | None = None) -> UUID:
        """The Ministry answers the proposal that it received last."""
        receipt_no = (await self.scene.case(update_id)).receipt_no
        return await self.scene.ministry_answers(update_id, answer, receipt_no=receipt_no, reason=reason)

    async def now(self, update_id: UUID) -> datetime:
        """The time in the case's workflow."""
        return await self.skipper.get_current_time(self.handle(update_id))

    async def pass_time_until(self, update_id: UUID, moment: datetime) -> None:
        """Let the case's time pass until a little after `moment`."""
        ahead = moment + SPREAD - await self.now(update_id)
        assert await self.skipper.fast_forward(self.handle(update_id), ahead)

    async def next_milestone(self, update_id: UUID) -> Row[Any]:
        """Let time pass until what is due next on the open task has been done; the case after it."""
        before = await self.scene.case(update_id)
        await self.pass_time_until(update_id, before.next_milestone_at)
        return await until(
            lambda: self.scene.case(update_id),
            lambda case: case.next_milestone_at != before.next_milestone_at,
        )


DECIDERS = {
    Stage.VERIFICATION: "puskesos.taraju",
    Stage.DELIBERATION: "kades.taraju",
    Stage.APPROVAL: "verifikator",
    Stage.ENDORSEMENT: "kadis",
}


def floor_area(square_metres: int) -> CircumstancesChange:
    """A change of one fact of a house."""
    return CircumstancesChange(circumstances=Circumstances(floor_area_m2=square_metres))
