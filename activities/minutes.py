"""Deciding the cases that minutes list, each by the ordinary way of a decision, each with one result.

Nothing here decides anything: the acts were written down with the minutes, and whoever records one asks for authority
and separation of duties under the lock of its case. An act carried out twice is carried out once, so a piece of work
that was cut off is simply done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from activities.casework.work import Desk
from activities.clock import EngineClock
from activities.heartbeat import beating_heart
from db.repositories import trail
from db.repositories.idempotency import read_act
from db.repositories.minutes import (
    CaseToDecide,
    Deliberation,
    count_results,
    decided_by_earlier,
    find_deliberation,
    finish_minutes,
    keep_task,
    read_cases_to_decide,
    read_minutes_row,
    settle_case,
)
from db.repositories.trail import Entry, stream_of_minutes
from db.session import Viewer
from domain.audit import AuditType
from domain.contracts import Act, ActivityName, ActKind, DecideListed, ListedDecided
from domain.errors import ActPending, CaseClosed, DomainError, EngineUnavailable, NotPossibleNow, TaskAlreadyDecided
from domain.minutes import CaseResult
from domain.origins import ActOrigin, Means, acting_from, no_ring
from runtime.engine import Engine, EngineHasNoCaseError

PIECE: Final = 20
"""How many cases one piece of the work takes."""
_AT_ONCE: Final = 4
_WORKER: Final = Viewer.system("worker")

Outcome = tuple[CaseResult, dict[str, Any] | None]
"""What came of a case, and what is told beside it."""


class MinutesAtWork:
    """The activity that carries minutes out."""

    def __init__(self, desk: Desk, engine: Engine) -> None:
        self._desk = desk
        self._engine = engine

    @activity.defn(name=ActivityName.DECIDE_LISTED)
    async def decide_listed(self, command: DecideListed) -> ListedDecided:
        """Decide the next cases without a result; when none is left, say that the minutes have been carried out."""
        async with self._transaction() as connection:
            cases = await read_cases_to_decide(connection, command.minutes_id, after=command.after, at_most=PIECE)
        async with beating_heart():
            gate = asyncio.Semaphore(_AT_ONCE)
            settled = await asyncio.gather(*(self._decide(gate, command.minutes_id, case) for case in cases))
        if len(cases) == PIECE:
            return ListedDecided(last=cases[-1].place, open=settled.count(False))
        await self._finish(command.minutes_id)
        return ListedDecided(last=None, open=settled.count(False))

    async def _decide(self, gate: asyncio.Semaphore, minutes_id: UUID, case: CaseToDecide) -> bool:
        """Whether the case has its result now; it has none yet while something is away."""
        async with gate:
            try:
                result, detail = await self._ask(minutes_id, case)
            except (ActPending, EngineUnavailable):
                return False
            async with self._transaction() as connection:
                at = EngineClock().now()
                await settle_case(connection, minutes_id, case.update_id, result=result, detail=detail, at=at)
            return True

    async def _ask(self, minutes_id: UUID, case: CaseToDecide) -> Outcome:
        task_id = case.task_id
        if task_id is None:
            found = await self._look(minutes_id, case)
            if found.open_task is None:
                return await self._too_late(minutes_id, case, found)
            task_id = found.open_task
        act = Act(act_id=case.act_id, kind=ActKind.DECIDE, task_id=task_id)
        try:
            await self._engine.act(case.update_id, act)
        except EngineHasNoCaseError:
            return await self._without_engine(minutes_id, case)
        except (ActPending, EngineUnavailable):
            raise
        except DomainError as refusal:
            return await self._refused(minutes_id, case, refusal)
        return CaseResult.DECIDED, None

    async def _look(self, minutes_id: UUID, case: CaseToDecide) -> Deliberation:
        """Where the case stands; its open task is noted before it is asked about."""
        async with self._transaction() as connection:
            found = await find_deliberation(connection, case.update_id)
            if found.open_task is not None:
                await keep_task(connection, minutes_id, case.update_id, found.open_task)
        return found

    async def _too_late(self, minutes_id: UUID, case: CaseToDecide, found: Deliberation) -> Outcome:
        """Why there is nothing to decide, and who decided where somebody did."""
        if found.decided is not None:
            return await self._decided_before(minutes_id, case, {"code": TaskAlreadyDecided.code, **found.decided})
        return (CaseResult.CASE_CLOSED if found.closed else CaseResult.NOT_IN_DELIBERATION), None

    async def _decided_before(self, minutes_id: UUID, case: CaseToDecide, detail: dict[str, Any]) -> Outcome:
        async with self._transaction() as connection:
            stands = await decided_by_earlier(connection, minutes_id, case)
        return (CaseResult.STANDS if stands else CaseResult.ALREADY_DECIDED), detail

    async def _without_engine(self, minutes_id: UUID, case: CaseToDecide) -> Outcome:
        """The engine carries no such case: it has ended, perhaps by this very act, or it has not begun."""
        async with self._transaction() as connection:
            keyed = await read_act(connection, case.act_id)
            found = await find_deliberation(connection, case.update_id)
        if keyed.response is not None:
            return CaseResult.DECIDED, None
        if found.closed:
            return await self._too_late(minutes_id, case, found)
        raise EngineUnavailable("The workflow engine has not taken this case up yet.")

    async def _refused(self, minutes_id: UUID, case: CaseToDecide, refusal: DomainError) -> Outcome:
        detail: dict[str, Any] = {"code": refusal.code, "detail": refusal.detail, **refusal.data}
        match refusal:
            case TaskAlreadyDecided():
                return await self._decided_before(minutes_id, case, detail)
            case CaseClosed():
                return CaseResult.CASE_CLOSED, detail
            case NotPossibleNow():
                return CaseResult.NOT_IN_DELIBERATION, detail
            case _:
                return CaseResult.REFUSED, detail

    async def _finish(self, minutes_id: UUID) -> None:
        at = EngineClock().now()
        origin = ActOrigin(means=Means.ENGINE, part=ActivityName.DECIDE_LISTED.value)
        with acting_from(origin, no_ring):
            async with self._transaction() as connection:
                if not await finish_minutes(connection, minutes_id, at=at):
                    return
                row = await read_minutes_row(connection, minutes_id)
                told: dict[str, JsonValue] = {**await count_results(connection, minutes_id)}
                entry = Entry(type=AuditType.MINUTES_CARRIED_OUT, data=told)
                stream = stream_of_minutes(minutes_id)
                await trail.record(connection, stream, [entry], at=at, area_code=row.area_code)

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncConnection]:
        async with self._desk.database.transaction(_WORKER) as connection:
            yield connection
