"""Deadlines of seconds while workers die at the very moment: each rung fires, and fires once."""

from __future__ import annotations

import asyncio

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.policy import RUNGS
from tests.faults.stack import Stack
from tests.faults.watch import Watch, moment


async def test_rungs_fire_once_although_the_worker_dies_when_they_are_due(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    async with stack.brisk():
        cases = await asyncio.gather(*(offices.submitted() for _ in range(3)))
    tasks = [await watch.open_task(update_id, Stage.VERIFICATION) for update_id in cases]
    await moment(max(task["next_milestone_at"] for task in tasks))
    stack.worker.kill()
    await moment(max(task["due_at"] for task in tasks))
    await stack.worker.start()
    for update_id in cases:
        assert await watch.fired(update_id, rungs=RUNGS) == list(range(RUNGS))
        await offices.withdraw(update_id)
