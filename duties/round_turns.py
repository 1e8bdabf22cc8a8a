"""Rolling over: after the cut-off of a round every case that was not approved by then counts for the next one.

A case is rolled under its lock in a transaction of its own, once for each round: so work that is cut off goes on where
it stood, and any number of workers may do it. Nothing waits for it: for which round a case counts follows from the
moment of its approval, and what is done here is to write it into the trail of the case and to tell it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from activities.casework.work import Desk, work_on
from db.repositories import trail
from db.repositories.clocks import SETTLES_AFTER
from db.repositories.rounds import (
    cases_to_roll,
    finish_rolling,
    read_rounds,
    roll_case,
    rounds_to_roll,
    stream_of_rounds,
)
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.origins import ActOrigin, Means
from domain.rounds import Round, round_for
from domain.vocabulary import ReasonCode
from runtime.periodic import repeat

CHUNK: Final = 200
"""Cases that are looked up at a time."""
_AT_ONCE: Final = 4
_EVERY: Final = timedelta(seconds=10)
_WORKER: Final = Viewer.system("worker")
_ORIGIN: Final = ActOrigin(means=Means.DUTY, part="round_turns")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTurns:
    """Rolls cases over for as long as a process runs. Any number may at the same time."""

    desk: Desk
    every: timedelta = _EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await repeat(self._turn, stop, name="round_turns", every=self.every)

    async def _turn(self, at: datetime) -> bool:
        return await self.carry_on(at) > 0

    async def carry_on(self, at: datetime) -> int:
        """Roll the next chunk of cases of every round that is past its cut-off; how many rolled over.

        Not within the seconds in which a step may still be recorded that was taken before the cut-off.
        """
        async with self.desk.database.transaction(_WORKER) as connection:
            due = await rounds_to_roll(connection, cut_off_before=at - SETTLES_AFTER)
        rolled = 0
        for cut_off in due:
            async with self.desk.database.transaction(_WORKER) as connection:
                missed = await cases_to_roll(connection, cut_off, at_most=CHUNK)
                following = round_for(await read_rounds(connection, [cut_off.area_code]), at)
            rolled += await self._roll(missed, cut_off, following, at)
            if not missed:
                await self._finish(cut_off, at)
        return rolled

    async def _roll(self, missed: Sequence[UUID], cut_off: Round, following: Round | None, at: datetime) -> int:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(update_id: UUID) -> bool:
            async with gate:
                return await self.roll(update_id, cut_off, following, at)

        async with asyncio.TaskGroup() as group:
            cases = [group.create_task(one(update_id)) for update_id in missed]
        return sum(case.result() for case in cases)

    async def roll(self, update_id: UUID, cut_off: Round, following: Round | None, at: datetime) -> bool:
        """Roll one case over; whether nobody had before."""
        async with work_on(self.desk, update_id, at=at, origin=_ORIGIN) as work:
            to_round = following and following.id
            if not await roll_case(
                work.connection,
                update_id,
                area_code=work.case.area_code,
                from_round=cut_off.id,
                to_round=to_round,
                at=at,
            ):
                return False
            work.note(
                AuditType.UPDATE_ROLLED_OVER,
                reason=ReasonCode.AFTER_CUTOFF,
                from_round=cut_off.period,
                to_round=following and following.period,
                cutoff_at=cut_off.cutoff_at.isoformat(),
            )
            await work.tell("rolled_over", user_ids=[work.case.submitted_by])
            return True

    async def _finish(self, cut_off: Round, at: datetime) -> None:
        async with self.desk.database.transaction(_WORKER) as connection:
            rolled = await finish_rolling(connection, cut_off.id, at=at)
            if rolled is None:
                return
            entry = Entry(type=AuditType.ROUND_ROLLED_OVER, data={"round": cut_off.period, "cases": rolled})
            stream = stream_of_rounds(cut_off.area_code)
            await trail.record(connection, stream, [entry], at=at, area_code=cut_off.area_code)
            _log.info("round_turns.rolled_over", round=cut_off.period, area=cut_off.area_code, cases=rolled)
