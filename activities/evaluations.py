"""Measuring an evaluation: some villages at a time are observed, then all of it is summed up in one transaction.

A village is some transactions: of its households by the hundred, then of its cases. What was observed stays as it is,
so a piece that was cut off is simply taken again.
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
from db.repositories import trail
from db.repositories.evaluations import (
    ToMeasure,
    keep_measures,
    read_evaluation,
    stream_of_evaluations,
    villages_after,
)
from db.repositories.measures import sum_up
from db.repositories.observed_cases import observe_cases
from db.repositories.observed_households import HouseholdsOf, observe_households
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.contracts import (
    ActivityName,
    EvaluationLook,
    LookAtEvaluation,
    Measured,
    MeasurePiece,
    PublishEvaluation,
)
from domain.evaluations import SETTLES_AFTER
from domain.origins import ActOrigin, Means, acting_from, no_ring

CHUNK: Final = 200
"""How many households one transaction takes."""
VILLAGES: Final = 10
"""How many villages one piece takes: a regency of 351 is 36 pieces in the history of its evaluation."""
_WORKER: Final = Viewer.system("worker")


class EvaluationsAtWork:
    """The activities that measure."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name=ActivityName.LOOK_AT_EVALUATION)
    async def look_at_evaluation(self, command: LookAtEvaluation) -> EvaluationLook:
        """From when on the facts may be read, and whether it is measured."""
        found = await self._read(command)
        return EvaluationLook(readable_at=found.span.known_until + SETTLES_AFTER, measured=found.measured)

    @activity.defn(name=ActivityName.MEASURE)
    async def measure(self, command: MeasurePiece) -> Measured:
        """Observe the next villages; a village that nobody is known in has its observations of nothing."""
        measured = await self._read(command)
        async with beating_heart():
            async with self._transaction() as connection:
                villages = await villages_after(connection, measured.area_code, command.after, at_most=VILLAGES)
            for village in villages:
                await self._observe(measured, village)
        return Measured(after=villages[-1] if len(villages) == VILLAGES else None)

    @activity.defn(name=ActivityName.PUBLISH_EVALUATION)
    async def publish_evaluation(self, command: PublishEvaluation) -> None:
        """Sum up and publish, once: everybody is told the same numbers in the same moment."""
        measured = await self._read(command)
        if measured.measured:
            return
        at = EngineClock().now()
        origin = ActOrigin(means=Means.ENGINE, part=ActivityName.PUBLISH_EVALUATION.value)
        with acting_from(origin, no_ring):
            async with beating_heart(), self._transaction() as connection:
                measures = await sum_up(connection, measured)
                digest = await keep_measures(connection, measured.id, measures, at=at)
                if digest is None:
                    return
                told = Entry(
                    type=AuditType.EVALUATION_MEASURED,
                    data={"evaluation": str(measured.id), "numbers": len(measures), "digest": digest.hex()},
                )
                stream = stream_of_evaluations(measured.area_code)
                await trail.record(connection, stream, [told], at=at, area_code=measured.area_code)

    async def _read(self, command: LookAtEvaluation | MeasurePiece | PublishEvaluation) -> ToMeasure:
        async with self._transaction() as connection:
            return await read_evaluation(connection, command.evaluation_id)

    async def _observe(self, measured: ToMeasure, village: str) -> None:
        """Households first: which groups they are of is noted with what is observed of their cases."""
        async with self._transaction() as connection:
            calendar = await self._desk.rules.calendar(connection, village)
        of = HouseholdsOf(
            evaluation_id=measured.id,
            village=village,
            known_until=measured.span.known_until,
            calendar=calendar,
            vault=self._desk.vault,
        )
        after = None
        while True:
            async with self._transaction() as connection:
                after = await observe_households(connection, of, after=after, at_most=CHUNK)
            if after is None:
                break
        async with self._transaction() as connection:
            await observe_cases(connection, measured.id, measured.span, village=village, round_id=measured.round_id)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        async with self._desk.database.transaction(_WORKER) as connection:
            yield connection
