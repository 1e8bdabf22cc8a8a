"""Two of everything that there may be two of: what one does the other does not do again."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.policy import RUNGS
from tests.faults.stack import Stack
from tests.faults.watch import Watch


async def test_second_replica_neither_escalates_nor_decides_twice(
    stack: Stack,
    offices: Offices,
    watch: Watch,
) -> None:
    await asyncio.gather(stack.second_worker.start(), stack.second_api.start())
    urls = (stack.api_url, stack.second_api_url)
    async with stack.brisk():
        silent = await asyncio.gather(*(offices.submitted(url=url) for url in urls * 3))
    decided, key = await offices.submitted(), str(uuid4())
    task = await watch.open_task(decided, Stage.VERIFICATION)
    answers = await asyncio.gather(*(offices.decide(task, key=key, url=url) for url in urls * 3))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.json()["next_task_id"] for answer in answers}) == 1
    for update_id in silent:
        assert await watch.fired(update_id, rungs=RUNGS) == list(range(RUNGS))
        await offices.withdraw(update_id)
