"""The load: cases through Kawal's API, and through the bare workflow, as many at a time as a busy morning has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import aiohttp
from temporalio.client import Client

from bench.bare import QUEUE, STAGES, BareAct, BareCase
from devstack.demo_people import PASSWORD
from devstack.population import households
from domain.household import Household

VILLAGE: Final = "32.06.13.2001"
OPERATOR: Final = "operator.taraju"
DECIDERS: Final = {
    "in_verification": "puskesos.taraju",
    "in_deliberation": "kades.taraju",
    "in_approval": "verifikator",
    "in_endorsement": "kadis",
}
_SEED: Final = 4711
_PERSON = {"nik", "no_nik_reason", "name", "sex", "birth_date", "relation"}
_CASE_PATIENCE = 120.0


@dataclass(slots=True)
class Clocked:
    """Seconds that each kind of call took."""

    seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    @contextmanager
    def clock(self, name: str) -> Generator[None]:
        """Time the block under `name`."""
        begun = time.perf_counter()
        yield
        self.seconds.setdefault(name, []).append(time.perf_counter() - begun)


async def drive(count: int, *, at_once: int, case: Callable[[int], Awaitable[None]]) -> float:
    """Run `count` cases, `at_once` at a time; answers the cases per second."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with gate:
            await case(number)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
    return count / (time.perf_counter() - begun)


class BareLoad:
    """A case of the bare workflow: one start and four Updates, one after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.clocked = Clocked()

    async def case(self, _number: int) -> None:
        """One case from start to end."""
        case_id = f"bare/{uuid4()}"
        async with asyncio.timeout(_CASE_PATIENCE):
            with self.clocked.clock("start"):
                handle = await self._client.start_workflow(BareCase.run, case_id, id=case_id, task_queue=QUEUE)
            for stage in range(1, STAGES + 1):
                act = BareAct(act_id=str(uuid4()), stage=stage)
                with self.clocked.clock("decide"):
                    await handle.execute_update(BareCase.decide, act)  # pyright: ignore[reportUnknownMemberType]  the SDK leaves it open


class KawalLoad:
    """A case of Kawal through its API: a new household is submitted, four officers decide it.

    Officers find their first task as people do, in their queue: one list read serves all cases that wait.
    """

    def __init__(self, session: aiohttp.ClientSession, *, final_status: str) -> None:
        self._session = session
        self._final_status = final_status
        self._tokens: dict[str, str] = {}
        self._sptjm = ""
        self._found: dict[str, asyncio.Future[str]] = {}
        self._people = iter(households(VILLAGE, count=1_000_000, seed=_SEED, today=datetime.now(UTC).date()))
        self.clocked = Clocked()

    def with_final_status(self, final_status: str) -> KawalLoad:
        """The same people and queue, for a route that leaves the four officers in another status."""
        other = copy(self)
        other._final_status = final_status  # noqa: SLF001  a copy of our own
        return other

    async def log_in(self) -> None:
        """A token for everybody who takes part."""
        for username in (OPERATOR, *DECIDERS.values()):
            form = {"grant_type": "password", "username": username, "password": PASSWORD}
            async with self._session.post("/v1/auth/token", data=form) as answer:
                self._tokens[username] = (await answer.json())["access_token"]

    async def answer_for_the_village(self) -> None:
        """The village head signs an SPTJM for all of the cases."""
        recorded = await self._post(DECIDERS["in_deliberation"], "/v1/minutes", _sptjm())
        self._sptjm = recorded["id"]

    async def watch_queue(self) -> None:
        """Read the verifier's queue again and again, and hand each new task to the case that waits for it."""
        while True:
            waiting = {update_id for update_id, found in self._found.items() if not found.done()}
            if waiting:
                listed = await self._get(DECIDERS["in_verification"], "/v1/tasks?stage=verification&limit=200")
                for item in listed["items"]:
                    if item["update_id"] in waiting:
                        self._found[item["update_id"]].set_result(item["id"])
            await asyncio.sleep(0.25)

    async def case(self, _number: int) -> None:
        """One case from submission to its end."""
        with self.clocked.clock("submit"):
            submitted = await self._post(OPERATOR, "/v1/updates", _submission(next(self._people)))
        found = self._found[submitted["id"]] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(_CASE_PATIENCE):
            task_id = await found
        del self._found[submitted["id"]]
        decided: dict[str, Any] = {}
        for status, officer in DECIDERS.items():
            with self.clocked.clock("decide"):
                decided = await self._post(
                    officer, f"/v1/tasks/{task_id}/decision", _decision(status, sptjm=self._sptjm)
                )
            task_id = decided["next_task_id"]
        if decided["update"]["status"] != self._final_status:
            raise RuntimeError(f"a case ended as {decided['update']['status']}, not as {self._final_status}")

    async def _post(self, username: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._tokens[username]}", "Idempotency-Key": str(uuid4())}
        while True:
            async with self._session.post(path, json=body, headers=headers) as answer:
                content = await answer.json()
                if answer.status == 202:  # noqa: PLR2004  handed over: the same key asks for the outcome
                    continue
                if answer.status >= 400:  # noqa: PLR2004
                    raise RuntimeError(f"{path}: {answer.status} {content}")
                return content

    async def _get(self, username: str, path: str) -> dict[str, Any]:
        async with self._session.get(path, headers={"Authorization": f"Bearer {self._tokens[username]}"}) as answer:
            answer.raise_for_status()
            return await answer.json()


def _submission(household: Household) -> dict[str, Any]:
    return {
        "area_code": VILLAGE,
        "change": {
            "kind": "new_household",
            "kk_number": household.kk_number,
            "address": household.address.model_dump(mode="json", exclude_none=True),
            "circumstances": household.circumstances.model_dump(mode="json", exclude_none=True),
            "members": [
                member.model_dump(mode="json", include=_PERSON, exclude_none=True) for member in household.members
            ],
        },
        "evidence": [{"type": kind, "reference": f"bench/{kind}"} for kind in ("ktp", "kk", "house_photo")],
    }


def _decision(status: str, *, sptjm: str) -> dict[str, Any]:
    return {"outcome": "forward"} | ({"minutes": {"id": sptjm}} if status == "in_deliberation" else {})


def _sptjm() -> dict[str, Any]:
    today = datetime.now(ZoneInfo("Asia/Jakarta")).date()
    return {
        "area_code": VILLAGE,
        "type": "sptjm",
        "number": f"bench/{uuid4()}",
        "held_on": today.isoformat(),
        "signed_by": [{"role": role, "name": "Bench"} for role in ("village_head", "village_operator")],
        "why_none_held": "Pengukuran",
        "covers": "village",
    }


def persons_of(count: int) -> Sequence[dict[str, Any]]:
    """What the civil registry has to know of the people of the first `count` cases."""
    made = households(VILLAGE, count=count, seed=_SEED, today=datetime.now(UTC).date())
    return [
        {
            "nik": member.nik,
            "kk_number": household.kk_number,
            "name": member.name,
            "birth_date": member.birth_date.isoformat(),
            "sex": member.sex.value,
        }
        for household in made
        for member in household.members
        if member.nik is not None
    ]
