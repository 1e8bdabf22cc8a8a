"""People at their desks: what they send to the API, and what they look at to see how a case went on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import RowMapping, select

from db.models import Decision, Escalation, OutboxMessage, Task, Update
from devstack.demo_people import PASSWORD, TARAJU
from devstack.registry_persons import deviation_at
from domain.household import Household
from domain.vocabulary import Stage
from tests.faults.stack import Stack

DECIDER: Final = {
    Stage.VERIFICATION: "puskesos.taraju",
    Stage.DELIBERATION: "kades.taraju",
    Stage.APPROVAL: "verifikator",
    Stage.ENDORSEMENT: "kadis",
}
"""Who decides in Taraju, stage by stage of the standard route."""
_MINUTES: Final = {"type": "musdes", "number": "04/BA/2001", "held_on": "2026-01-05"}
_PATIENCE: Final = 45.0
_LOOK: Final = 0.05

Holds = Callable[[RowMapping], bool]


@dataclass(slots=True)
class Offices:
    """Everybody around Desa Taraju, with their tokens; `url` is the API they use."""

    stack: Stack
    client: httpx2.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    places: count[int] = field(default_factory=count)

    @classmethod
    def of(cls, stack: Stack) -> Offices:
        """The offices, before anybody has logged in."""
        return cls(stack, httpx2.AsyncClient(timeout=20, trust_env=False))

    def next_household(self) -> Household:
        """A household of Taraju that no test has touched, registered as it is believed."""
        place = next(place for place in self.places if deviation_at(place) is None)
        return self.stack.world.households[TARAJU][place]

    async def log_in(self, *names: str) -> None:
        """Get a token for each, while the database is there."""
        for name in names:
            form = {"username": name, "password": PASSWORD}
            answer = await self.client.post(f"{self.stack.api_url}/v1/auth/token", data=form)
            self.tokens[name] = answer.raise_for_status().json()["access_token"]

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        by: str,
        key: str,
        url: str | None = None,
    ) -> httpx2.Response:
        """One request, once. Raises httpx2.RequestError when nobody answers."""
        headers = {"Authorization": f"Bearer {self.tokens[by]}", "Idempotency-Key": key}
        return await self.client.post(f"{url or self.stack.api_url}{path}", json=dict(body), headers=headers)

    async def insist(self, send: Callable[[], Awaitable[httpx2.Response]]) -> tuple[httpx2.Response, list[int]]:
        """Repeat a request, as clients are told to, until it has its answer; beside it what was answered before.

        0 stands for an API that was not there. A request to come again has to say when.
        """
        before: list[int] = []
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    answer = await send()
                except httpx2.RequestError:
                    before.append(0)
                else:
                    if answer.status_code not in {202, 503}:
                        return answer, before
                    assert "Retry-After" in answer.headers, answer.text
                    before.append(answer.status_code)
                await asyncio.sleep(_LOOK)

    async def submit(
        self,
        household: Household | None = None,
        *,
        key: str | None = None,
        url: str | None = None,
    ) -> httpx2.Response:
        """The operator submits a change of the living conditions of a household."""
        chosen = household or self.next_household()
        body = {
            "area_code": chosen.area_code,
            "household_id": str(chosen.id),
            "change": {"kind": "circumstances", "circumstances": {"floor_area_m2": 41}},
            "evidence": [{"type": "house_photo", "reference": "photo-1"}],
        }
        return await self.post("/v1/updates", body, by="operator.taraju", key=key or str(uuid4()), url=url)

    async def submitted(self) -> UUID:
        """Submit and answer with the id of the case."""
        answer = await self.submit()
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["id"])

    async def decide(
        self,
        task: RowMapping,
        *,
        outcome: str = "forward",
        key: str | None = None,
        by: str | None = None,
        url: str | None = None,
    ) -> httpx2.Response:
        """Whoever has the task decides it."""
        stage = Stage(task["stage"])
        body: dict[str, Any] = {"outcome": outcome}
        if outcome != "forward":
            body["reason"] = "incomplete_documents"
        if stage is Stage.DELIBERATION:
            body["minutes"] = _MINUTES
        path = f"/v1/tasks/{task['id']}/decision"
        return await self.post(path, body, by=by or DECIDER[stage], key=key or str(uuid4()), url=url)

    async def forward(self, update_id: UUID, *stages: Stage) -> None:
        """Have these stages forwarded, one after the other."""
        for stage in stages:
            answer = await self.decide(await self.open_task(update_id, stage))
            assert answer.status_code == 200, answer.text

    async def withdraw(self, update_id: UUID, *, key: str | None = None) -> httpx2.Response:
        """The applicant takes the case back."""
        path, body = f"/v1/updates/{update_id}/withdrawal", {"note": "Pemohon mencabut usulannya."}
        return await self.post(path, body, by="operator.taraju", key=key or str(uuid4()))

    async def case(self, update_id: UUID, holds: Holds, *, within: float = _PATIENCE) -> RowMapping:
        """The row of a case once it is as wanted. Raises AssertionError with what it is instead."""
        return await self._row(
            lambda: self._read(select(Update.__table__).where(Update.id == update_id)), holds, within
        )

    async def open_task(self, update_id: UUID, stage: Stage, *, within: float = _PATIENCE) -> RowMapping:
        """The open task of a case once it is in `stage`."""
        wanted = select(Task.__table__).where(Task.update_id == update_id, Task.status == "open")
        return await self._row(lambda: self._read(wanted), lambda row: row["stage"] == stage, within)

    async def reaches(self, update_id: UUID, status: str, *, within: float = _PATIENCE) -> RowMapping:
        """The row of a case once it has this status."""
        return await self.case(update_id, lambda row: row["status"] == status, within=within)

    async def decisions(self, update_id: UUID) -> list[RowMapping]:
        """All decisions of a case in their order."""
        return await self._read(
            select(Decision.__table__)
            .where(Decision.update_id == update_id)
            .order_by(Decision.decided_at, Decision.id),
        )

    async def escalations(self, update_id: UUID) -> list[RowMapping]:
        """All rungs that fired on a case."""
        return await self._read(
            select(Escalation.__table__).where(Escalation.update_id == update_id).order_by(Escalation.due_at),
        )

    async def proposals(self, update_id: UUID) -> list[dict[str, Any]]:
        """What the Ministry has received of a case, asked at the Ministry."""
        answer = await self.partner("GET", self.stack.ministry_url, f"/admin/proposals?update_id={update_id}")
        return answer.json()["proposals"]

    async def partner(self, method: str, url: str, path: str, body: Any = None) -> httpx2.Response:
        """Call the back door of a partner."""
        headers = {"Authorization": f"Bearer {self.stack.environment['KAWAL_PARTNER_ADMIN_TOKEN']}"}
        answer = await self.client.request(method, f"{url}{path}", json=body, headers=headers)
        return answer.raise_for_status()

    async def settled(self) -> None:
        """Return when nothing waits for the engine any more. Raises AssertionError."""
        pending = select(OutboxMessage.__table__).where(OutboxMessage.done_at.is_(None))
        rows: list[RowMapping] = []
        try:
            async with asyncio.timeout(_PATIENCE):
                while rows := await self._read(pending):  # noqa: ASYNC110  another process sends them
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise AssertionError(f"never reached the engine: {[dict(row) for row in rows]}") from None

    async def _read(self, wanted: Any) -> list[RowMapping]:
        async with self.stack.database.transaction() as connection:
            return list((await connection.execute(wanted)).mappings())

    async def _row(
        self,
        read: Callable[[], Awaitable[list[RowMapping]]],
        holds: Holds,
        within: float,
    ) -> RowMapping:
        rows: list[RowMapping] = []
        try:
            async with asyncio.timeout(within):
                while True:
                    rows = await read()
                    if rows and holds(rows[0]):
                        return rows[0]
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            found = dict(rows[0]) if rows else "no row"
            raise AssertionError(f"not as wanted within {within:.0f} s: {found}") from None


def now() -> datetime:
    """The moment, by which invariants are judged."""
    return datetime.now(UTC)
