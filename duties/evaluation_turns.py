"""After a round was closed it is evaluated: whoever closed it need not ask, and cannot leave it out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.casework.work import Desk
from db.models import Evaluation, RoundTerms, UpdateRound
from db.repositories import trail
from db.repositories.evaluations import add_evaluation, stream_of_evaluations
from db.repositories.outbox import START_EVALUATION, add_message
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.evaluations import EvaluationCause, EvaluationSpan
from domain.ids import new_id
from domain.indicators import METHOD
from runtime.periodic import repeat

_EVERY: Final = timedelta(seconds=30)
_WORKER: Final = Viewer.system("worker")
_CLOSED: Final = (
    select(UpdateRound.id, UpdateRound.area_code, UpdateRound.closed_at, RoundTerms.opens_at)
    .join(RoundTerms, (RoundTerms.round_id == UpdateRound.id) & (RoundTerms.version == UpdateRound.version))
    .where(
        UpdateRound.closed_at.is_not(None),
        ~exists().where(Evaluation.round_id == UpdateRound.id, Evaluation.cause == EvaluationCause.ROUND_CLOSED.value),
    )
    .order_by(UpdateRound.closed_at)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationTurns:
    """Has every closed round evaluated, once. Any number may run at the same time."""

    desk: Desk
    every: timedelta = _EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await repeat(self._turn, stop, name="evaluation_turns", every=self.every)

    async def _turn(self, at: datetime) -> bool:
        await self.begin_due(at)
        return False

    async def begin_due(self, at: datetime) -> int:
        """Begin the evaluation of every closed round that has none; how many were begun."""
        async with self.desk.database.transaction(_WORKER) as connection:
            rounds = (await connection.execute(_CLOSED)).all()
            return sum([await self._begin(connection, each, at) for each in rounds])

    async def _begin(self, connection: AsyncConnection, closed: Any, at: datetime) -> bool:
        evaluation_id = new_id()
        span = EvaluationSpan(begins_at=closed.opens_at, ends_at=closed.closed_at, known_until=closed.closed_at)
        policy = await self.desk.rules.policy_in_force(connection, closed.area_code, at=at)
        added = await add_evaluation(
            connection,
            {
                "id": evaluation_id,
                "area_code": closed.area_code,
                "round_id": closed.id,
                "cause": EvaluationCause.ROUND_CLOSED.value,
                **span.model_dump(),
                "method": METHOD,
                "policy_version_id": policy.id,
                "requested_at": at,
            },
        )
        if not added:
            return False
        await add_message(connection, START_EVALUATION, subject_id=evaluation_id, payload={}, at=at)
        data = {"evaluation": str(evaluation_id), "round": str(closed.id), **span.model_dump(mode="json")}
        entry = Entry(type=AuditType.EVALUATION_REQUESTED, data=data)
        stream = stream_of_evaluations(closed.area_code)
        await trail.record(connection, stream, [entry], at=at, area_code=closed.area_code)
        return True
