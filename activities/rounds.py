"""A round at work: what the database says of it, the baseline of its registry, taken in pieces, and what follows.

A piece is some transactions, each of some hundred households. A household that is kept already stays as it is, so a
piece that was cut off is simply taken again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.casework.work import Desk
from activities.clock import EngineClock
from activities.heartbeat import beating_heart
from activities.round_lists import list_work, reverification_of
from activities.round_signoffs import see_to_signoffs
from db.repositories import trail
from db.repositories.baselines import baseline_is_taken, baseline_moment, finish_baseline, keep_piece, read_piece
from db.repositories.rounds import read_round, stream_of_rounds
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.baseline import facts_of
from domain.contracts import (
    ActivityName,
    BaselinePlace,
    BaselineTaken,
    CarryRoundOn,
    LookAtRound,
    RoundCarried,
    RoundLook,
    TakeBaseline,
)
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.rounds import Round

CHUNK: Final = 200
"""How many households one transaction takes."""
CHUNKS: Final = 25
"""How many of these one piece takes: a regency of 372,941 families is 75 pieces in the history of its round."""
_WORKER: Final = Viewer.system("worker")


class RoundsAtWork:
    """The activities that carry a round."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=ActivityName.LOOK_AT_ROUND)
    async def look_at_round(self, command: LookAtRound) -> RoundLook:
        """When the round opens by its latest terms, and whether its baseline is taken."""
        async with self._transaction() as connection:
            found = await read_round(connection, command.round_id)
            taken = await baseline_is_taken(connection, command.round_id)
        return RoundLook(opens_at=found.opens_at, baseline_taken=taken)

    @activity.defn(name=ActivityName.TAKE_BASELINE)
    async def take_baseline(self, command: TakeBaseline) -> BaselineTaken:
        """Take the next piece; when it was the last one, say that the baseline is complete."""
        async with self._transaction() as connection:
            taken = await read_round(connection, command.round_id)
            rule = await reverification_of(self._desk, connection, taken, at=EngineClock().now())
        after = command.after
        async with beating_heart():
            for _ in range(CHUNKS):
                after = await self._take(taken, after, old_after=rule.old_after_months)
                if after is None:
                    await self._finish(taken)
                    break
        return BaselineTaken(after=after)

    @activity.defn(name=ActivityName.CARRY_ROUND_ON)
    async def carry_round_on(self, command: CarryRoundOn) -> RoundCarried:
        """Do the next piece of what is due once the baseline is taken: the work lists, then the plans from below."""
        at = EngineClock().now()
        async with self._transaction() as connection:
            carried = await read_round(connection, command.round_id)
        with acting_from(ActOrigin(means=Means.ENGINE, part=ActivityName.CARRY_ROUND_ON.value), no_ring):
            async with beating_heart():
                if not await list_work(self._desk, carried, at=at):
                    return RoundCarried()
                return await see_to_signoffs(self._desk, carried, at=at)

    async def _take(self, taken: Round, after: BaselinePlace | None, *, old_after: int) -> BaselinePlace | None:
        async with self._transaction() as connection:
            calendar = await self._desk.rules.calendar(connection, taken.area_code)
            as_of = await baseline_moment(connection, taken)
            piece = await read_piece(
                connection,
                taken,
                after,
                as_of=as_of,
                at_most=CHUNK,
                old_after=old_after,
                vault=self._desk.vault,
            )
            opened = calendar.local_day(taken.opens_at)
            rows = [
                (each, facts_of(each.household, applied_at=each.applied_at, opened=opened, calendar=calendar))
                for each in piece.households
            ]
            await keep_piece(connection, taken.id, rows)
        return piece.after

    async def _finish(self, taken: Round) -> None:
        at = EngineClock().now()
        origin = ActOrigin(means=Means.ENGINE, part=ActivityName.TAKE_BASELINE.value)
        with acting_from(origin, no_ring):
            async with self._transaction() as connection:
                households = await finish_baseline(connection, taken.id, at=at)
                if households is None:
                    return
                told = Entry(
                    type=AuditType.ROUND_BASELINE_TAKEN, data={"round": taken.period, "households": households}
                )
                stream = stream_of_rounds(taken.area_code)
                await trail.record(connection, stream, [told], at=at, area_code=taken.area_code)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        async with self._desk.database.transaction(_WORKER) as connection:
            yield connection
