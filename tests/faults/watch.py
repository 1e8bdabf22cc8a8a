"""Looking from outside at what became of a case: in the database, at the partners, at the doors of processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
from sqlalchemy import RowMapping, select

from db.models import (
    AuditRecord,
    ClockInterval,
    Decision,
    Escalation,
    IdentityResult,
    MinistryAnswer,
    OutboxMessage,
    Task,
    Update,
)
from db.models.base import Base
from db.repositories.trail import stream_of_update
from devstack.ports import accepts
from domain.audit import AuditType
from domain.vocabulary import Stage
from runtime.engine import Engine
from tests.faults.stack import Stack

PATIENCE: Final = 45.0
"""Seconds within which everything that a test waits for has to come about, kills and busy machines included."""
_LOOK: Final = 0.05

_T = TypeVar("_T")


def now() -> datetime:
    """The moment, by which milestones are judged."""
    return datetime.now(UTC)


async def moment(when: datetime) -> None:
    """Return when this moment has come."""
    await asyncio.sleep((when - now()).total_seconds())


@dataclass(frozen=True, slots=True)
class Watch:
    """Sees everything, as the owner of the database and through the partners' back doors."""

    stack: Stack
    client: httpx2.AsyncClient
    engine: Engine

    async def reaches(self, update_id: UUID, status: str) -> None:
        """Return when the case has this status."""
        await _until(lambda: self._of(Update, Update.id == update_id), lambda rows: rows[0]["status"] == status)

    async def open_task(self, update_id: UUID, stage: Stage) -> RowMapping:
        """The open task of a case once it is in this stage."""
        which = (Task.update_id == update_id, Task.status == "open")
        rows = await _until(lambda: self._of(Task, *which), lambda rows: [row["stage"] for row in rows] == [stage])
        return rows[0]

    async def case_of(self, household_id: UUID) -> UUID:
        """The case about this household as soon as it is committed."""
        rows = await _until(lambda: self._of(Update, Update.household_id == household_id), bool)
        return rows[0]["id"]

    async def fired(self, update_id: UUID, *, rungs: int) -> list[int]:
        """Which rungs have fired on a case, in their order, once there are so many."""
        of_case = Escalation.update_id == update_id
        rows = await _until(lambda: self._of(Escalation, of_case), lambda rows: len(rows) >= rungs)
        return [row["rung"] for row in sorted(rows, key=lambda row: row["fired_at"])]

    async def decided(self, update_id: UUID) -> list[str]:
        """The stages that were decided, one entry a decision."""
        rows = await self._of(Decision, Decision.update_id == update_id)
        return sorted(row["stage"] for row in rows)

    async def identity_results(self, update_id: UUID) -> int:
        """How many answers of the civil registry a case has."""
        return len(await self._of(IdentityResult, IdentityResult.update_id == update_id))

    async def ministry_answers(self, update_id: UUID) -> int:
        """How many answers of the Ministry were taken in for a case."""
        return len(await self._of(MinistryAnswer, MinistryAnswer.update_id == update_id))

    async def clock_stands(self, update_id: UUID) -> None:
        """Return when the clock of a case stands, because a partner does not answer."""
        open_pause = (ClockInterval.update_id == update_id, ClockInterval.to_at.is_(None))
        await _until(lambda: self._of(ClockInterval, *open_pause), bool)

    async def times_started(self, update_id: UUID) -> int:
        """How many runs of the engine have taken the case up."""
        started = AuditRecord.type == AuditType.UPDATE_ENGINE_STARTED
        return len(await self._of(AuditRecord, AuditRecord.stream == stream_of_update(update_id), started))

    async def nothing_waits_for_the_engine(self) -> None:
        """Return when every message of the outbox has been delivered."""
        await _until(lambda: self._of(OutboxMessage, OutboxMessage.done_at.is_(None)), lambda rows: not rows)

    async def engine_and_rows_agree(self) -> None:
        """Return when every open case waits in the engine for the very task that is open in the database."""
        for task in await self._of(Task, Task.status == "open"):

            async def ask(update_id: UUID = task["update_id"]) -> UUID | None:
                return (await self.engine.live(update_id)).task_id

            await _until(ask, lambda waits_for, task=task: waits_for == task["id"])

    @asynccontextmanager
    async def locked(self, update_id: UUID) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
        """Hold the lock of a case, so that whatever is done to it stands still in the middle.

        Yields what returns once somebody waits for the lock.
        """
        superuser = await self.stack.postgres.connect_as_superuser("kawal")
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'kawal_worker'"

        async def somebody_waits() -> None:
            await _until(lambda: superuser.fetchval(waits), bool)

        try:
            async with self.stack.database.transaction() as connection:
                await connection.execute(select(Update.id).where(Update.id == update_id).with_for_update())
                yield somebody_waits
        finally:
            await superuser.close()

    async def proposals(self, update_id: UUID) -> list[dict[str, Any]]:
        """What the Ministry has received of a case, as the Ministry tells it."""
        answer = await self.partner("GET", self.stack.ministry_url, f"/admin/proposals?update_id={update_id}")
        return answer.json()["proposals"]

    async def pushed(self, update_id: UUID) -> None:
        """Return when the Ministry has received a case, whether or not its sender has been told."""
        await _until(lambda: self.proposals(update_id), bool)

    async def callback_attempted(self, update_id: UUID) -> None:
        """Return when the Ministry has tried in vain to call back about a case."""
        await _until(
            lambda: self.proposals(update_id),
            lambda proposals: proposals[0]["callback"]["attempts"] > 0,
        )

    async def registry_requests(self, *, at_least: int = 0) -> int:
        """How often the civil registry was asked since its faults were set, once that is often enough."""

        async def ask() -> int:
            return (await self.partner("GET", self.stack.registry_url, "/admin/faults")).json()["requests"]

        return await _until(ask, lambda requests: requests >= at_least)

    async def partner(self, method: str, url: str, path: str, body: Any = None) -> httpx2.Response:
        """Call the back door of a partner."""
        headers = {"Authorization": f"Bearer {self.stack.environment['KAWAL_PARTNER_ADMIN_TOKEN']}"}
        answer = await self.client.request(method, f"{url}{path}", json=body, headers=headers)
        return answer.raise_for_status()

    async def serves(self, url: str) -> None:
        """Return when the API at this address reaches its database and the engine."""

        async def ask() -> str:
            try:
                return (await self.client.get(f"{url}/readyz")).json()["status"]
            except httpx2.RequestError as fault:
                return type(fault).__name__

        await _until(ask, lambda status: status == "ready")

    async def closes(self, url: str) -> None:
        """Return when nobody listens at this address any more."""
        port = urlsplit(url).port or 80
        await _until(lambda: accepts(port), lambda accepted: not accepted)

    async def _of(self, model: type[Base], *which: Any) -> list[RowMapping]:
        async with self.stack.database.transaction() as connection:
            return list((await connection.execute(select(model.__table__).where(*which))).mappings())


async def _until(look: Callable[[], Awaitable[_T]], holds: Callable[[_T], bool]) -> _T:
    """What is seen once it is as wanted. Raises AssertionError with what is there instead."""
    seen: _T | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds(seen := await look()):  # noqa: ASYNC110  other processes tell nobody
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise AssertionError(f"not as wanted within {PATIENCE:.0f} s: {seen}") from None
    return seen
