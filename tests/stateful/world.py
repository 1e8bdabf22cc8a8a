"""One run's Kawal in this process: services over a database of its own, and workers that can be restarted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text

from activities.casework import Desk
from db.owner import OwnerDatabase
from db.repositories.people import read_actor
from db.session import Viewer
from devstack.demo_people import TARAJU
from domain.changes import CircumstancesChange
from domain.circumstances import Circumstances
from domain.contracts import ActResult
from domain.decisions import DecisionInput
from domain.errors import DomainError
from domain.evidence import EvidenceRef, EvidenceType
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.requests import ResubmissionInput, SubmissionInput, WithdrawalInput
from domain.vocabulary import Outcome, ReasonCode, Stage
from duties.clock_jobs import ClockJobs
from services import acts, claims
from services.kawal import Kawal
from services.keyed import Call
from services.submit import submit
from tests.faults.invariants import check_invariants
from tests.scene import MINUTES, VAULT, household_of, no_room, user
from tests.stateful.tables import OPERATOR
from tests.workflows.stack import Stack, until

DOWN: Final = {"error_rate": 1, "retry_after": 1}
_REASONS: Final = {
    Outcome.RETURN: ReasonCode.UNCLEAR_PHOTO,
    Outcome.REJECT: ReasonCode.QUOTA,
    Outcome.UPHOLD: ReasonCode.NOT_ELIGIBLE_MEANS,
}
_SUBSTANTIVE: Final = {Outcome.RETURN: ReasonCode.INCOMPLETE_DOCUMENTS, Outcome.REJECT: ReasonCode.NOT_ELIGIBLE_MEANS}
"""Reasons about the household itself, which open a conflict."""
_PHOTO: Final = (EvidenceRef(type=EvidenceType.HOUSE_PHOTO, reference="photo-1"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an act: its result, or the code of its refusal."""

    code: str
    result: ActResult | None = None
    replayed: bool = False


@dataclass(slots=True)
class World:
    """What the machine plays on."""

    stack: Stack
    kawal: Kawal = field(init=False)
    owner: OwnerDatabase = field(init=False)
    _workers: asyncio.Task[None] | None = None
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        scene = self.stack.scene
        self.owner = OwnerDatabase(scene.urls.migrator)
        self.kawal = Kawal(scene.app, VAULT, scene.rules, self.stack.engine, no_room())

    async def start_workers(self) -> None:
        """Have workers; those that were there before have stopped."""
        started = asyncio.Event()
        self._enough = asyncio.Event()

        async def work() -> None:
            async with self.stack.working():
                started.set()
                await self._enough.wait()

        self._workers = asyncio.create_task(work())
        await started.wait()

    async def stop_workers(self) -> None:
        """Let the workers finish what they have in hand, and go."""
        if self._workers is not None:
            self._enough.set()
            await self._workers
            self._workers = None

    async def submit(self, place: int, floor_area: int, *, key: str) -> UUID:
        """The operator submits a floor area for a household."""
        request = SubmissionInput(
            area_code=TARAJU,
            household_id=household_of(place).id,
            change=_change(floor_area),
            evidence=_PHOTO,
        )
        return (await submit(self.kawal, await self.call(OPERATOR, key), request)).receipt.update_id

    async def decide(
        self,
        update_id: UUID,
        who: str,
        outcome: Outcome,
        *,
        key: str,
        task: Row[Any] | None = None,
        substantive: bool = False,
    ) -> Answer:
        """Somebody decides a task: the one given, or the one that the case had last."""
        task = task or await self.last_task(update_id)
        decision = DecisionInput(
            outcome=outcome,
            reason=(_SUBSTANTIVE if substantive else _REASONS).get(outcome),
            minutes=MINUTES if task.stage == Stage.DELIBERATION and outcome is not Outcome.RETURN else None,
        )
        return await answer_of(acts.decide(self.kawal, await self.call(who, key), task.id, decision))

    async def resubmit(self, update_id: UUID, floor_area: int, *, key: str) -> Answer:
        """The operator sends the case in again."""
        repair = ResubmissionInput(change=_change(floor_area), evidence=_PHOTO)
        return await answer_of(acts.resubmit(self.kawal, await self.call(OPERATOR, key), update_id, repair))

    async def withdraw(self, update_id: UUID, *, key: str) -> Answer:
        """The applicant takes the case back."""
        withdrawal = WithdrawalInput(note="Pemohon mencabut usulannya.")
        return await answer_of(acts.withdraw(self.kawal, await self.call(OPERATOR, key), update_id, withdrawal))

    async def claim_and_release(self, update_id: UUID, who: str, *, key: str) -> None:
        """Somebody takes the open task, sees that it is not for them, and gives it back."""
        task, call = await self.last_task(update_id), await self.call(who, key)
        held = await claims.claim(self.kawal, call, task.id)
        assert held.holder == user(who)
        released = await claims.release(self.kawal, call, task.id)
        assert released.holder is None

    async def last_task(self, update_id: UUID) -> Row[Any]:
        """The task of the case that was opened last."""
        return await self.stack.scene.one(
            "SELECT * FROM tasks WHERE update_id = :id ORDER BY id DESC LIMIT 1",
            id=update_id,
        )

    async def settles(self, update_id: UUID, status: str, level: int) -> None:
        """Return when the case has this status and level, as the database and the engine see it."""
        row = await until(
            lambda: self.stack.scene.case(update_id),
            lambda case: (case.status, case.level) == (status, level),
        )
        if row.closed_at is None:
            await until(lambda: self.stack.engine.live(update_id), lambda live: live.task_id == row.task)

    async def carry_orders(self) -> None:
        """Return when orders over the area have come to every open task, as a worker's duty brings them there."""
        jobs = ClockJobs(desk=Desk(self.stack.scene.worker, VAULT, self.stack.scene.rules))
        with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
            while await jobs.carry_on(datetime.now(UTC)):
                pass
        await self.everything_told()

    async def everything_told(self) -> None:
        """Return when no message waits for the engine; the dispatcher's clock skips no time, so none is held back."""
        async with self.stack.scene.as_owner() as connection:
            await connection.execute(text("UPDATE outbox SET available_at = now() WHERE available_at > now()"))
        pending = "SELECT count(*) AS messages FROM outbox WHERE done_at IS NULL"
        await until(lambda: self.stack.scene.one(pending), lambda row: row.messages == 0)

    async def check(self, *, finished: bool = False) -> None:
        """Raise AssertionError when an invariant does not hold; trails and outbox are looked at when all is over."""
        await check_invariants(self.owner, at=datetime.now(UTC), drained=finished, trails=finished)

    async def close(self) -> None:
        """Stop the workers, and let go of the database."""
        with suppress(asyncio.CancelledError):
            await self.stop_workers()
        await self.stack.scene.close()

    async def call(self, who: str, key: str, *, at: datetime | None = None) -> Call:
        """What somebody asks at this moment, or at the time that a case has."""
        at = at or datetime.now(UTC)
        async with self.kawal.database.transaction(Viewer.nobody()) as connection:
            return Call(actor=await read_actor(connection, user(who), at=at), key=key, at=at)


async def answer_of(act: Awaitable[acts.Acted]) -> Answer:
    """What came of an act."""
    try:
        acted = await act
    except DomainError as refusal:
        return Answer(refusal.code)
    return Answer("ok", acted.result, acted.replayed)


def _change(floor_area: int) -> CircumstancesChange:
    return CircumstancesChange(circumstances=Circumstances(floor_area_m2=floor_area))
