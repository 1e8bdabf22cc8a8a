"""Carrying a change of clocks to every open task of its area: an order entered, corrected or lifted, a new calendar.

A job is known by its number. Each task says up to which job it has been reckoned (`tasks.clock_job`), and is reckoned
under the lock of its case in a transaction of its own: so a job that is cut off goes on where it stood, any number of
workers may carry it, and none does to a task what another has done. Nothing waits for it: a case whose milestone comes
first is reckoned by the same orders there and then. A deadline that has become later needs no message; of one that
is to be looked at earlier than the engine was told it is told through the outbox.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row

from activities.casework.clocks import keep_orders, reckon
from activities.casework.information import next_question_at
from activities.casework.ladder import rule_of, save_clock
from activities.casework.rounds import look_at_opening
from activities.casework.work import Desk, Work, work_on
from db.repositories import trail
from db.repositories.clocks import (
    SETTLES_AFTER,
    AreaClocks,
    open_jobs,
    settle_job,
    stream_of_jobs,
    tasks_behind,
)
from db.repositories.outbox import tell_deadline_moved
from db.repositories.tasks import TaskRecord, find_open_task, fired_rungs
from db.repositories.trail import Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.ladder import next_look_at, next_rung_at
from domain.origins import ActOrigin, Means
from runtime.periodic import repeat

CHUNK: Final = 200
"""Tasks that are looked up at a time."""
_AT_ONCE: Final = 4
"""Cases that are reckoned at the same time: their locks are held for moments, but people decide meanwhile."""
_EVERY: Final = timedelta(seconds=2)
_WORKER: Final = Viewer.system("worker")
_ORIGIN: Final = ActOrigin(means=Means.DUTY, part="clock_jobs")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockJobs:
    """Carries them for as long as a process runs. Any number may at the same time."""

    desk: Desk
    every: timedelta = _EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        await repeat(self._turn, stop, name="clock_jobs", every=self.every)

    async def _turn(self, at: datetime) -> bool:
        return await self.carry_on(at) > 0

    async def carry_on(self, at: datetime) -> int:
        """Reckon the next chunk of tasks of every job that is not settled; how many there were.

        A job is settled once nothing is behind it and nobody can still open a task without knowing of it.
        """
        async with self.desk.database.transaction(_WORKER) as connection:
            jobs = await open_jobs(connection)
        reckoned = 0
        for job in jobs:
            async with self.desk.database.transaction(_WORKER) as connection:
                behind = await tasks_behind(connection, job.id, job.area_code, at_most=CHUNK)
            reckoned += await self._reckon(behind, at)
            if not behind and job.entered_at + SETTLES_AFTER <= at:
                await self._settle(job, at)
        return reckoned

    async def _reckon(self, behind: list[Any], at: datetime) -> int:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(update_id: UUID) -> bool:
            async with gate:
                return await self.reckon_case(update_id, at)

        async with asyncio.TaskGroup() as group:
            cases = [group.create_task(one(row.update_id)) for row in behind]
        return sum(case.result() for case in cases)

    async def reckon_case(self, update_id: UUID, at: datetime) -> bool:
        """Bring the open task of a case in line with the orders and the calendar of now; whether it was behind them."""
        async with work_on(self.desk, update_id, at=at, origin=_ORIGIN) as work:
            task = await find_open_task(work.connection, update_id)
            if task is None:
                return False
            clocks = await self.desk.rules.clocks_now(work.connection, task.area_code, at=at)
            if task.clock_job >= clocks.job:
                return False
            await _bring_up(work, task, clocks)
            return True

    async def _settle(self, job: Row[*tuple[Any, ...]], at: datetime) -> None:
        async with self.desk.database.transaction(_WORKER) as connection:
            if await settle_job(connection, job.id, at=at):
                entry = Entry(type=AuditType.CLOCK_JOB_SETTLED, data={"job": job.id})
                await trail.record(connection, stream_of_jobs(job.area_code), [entry], at=at, area_code=job.area_code)
                _log.info("clock_jobs.settled", job=job.id, area=job.area_code)


async def _bring_up(work: Work, task: TaskRecord, clocks: AreaClocks) -> None:
    """No rung fires here: what has become due is left to the engine, which is told."""
    rule = rule_of(work, task.stage)
    fired = await fired_rungs(work.connection, task.id)
    reckoned = await reckon(work, task, rule, clocks, fired=fired)
    await keep_orders(work, task, reckoned)
    upcoming = next_rung_at(reckoned.times, fired=fired)
    look = task.next_milestone_at if upcoming is None else next_look_at(upcoming, reckoned.pauses, at=work.at)
    look = await look_at_opening(work, look)
    asked = await next_question_at(work, reckoned.task)
    look = look if asked is None else min(asked, look or asked)
    await save_clock(work, task, replace(reckoned.task, next_milestone_at=look))
    if look is not None and (task.next_milestone_at is None or look < task.next_milestone_at):
        await tell_deadline_moved(work.connection, task.update_id, task_id=task.id, at=work.at)
