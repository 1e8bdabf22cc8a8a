"""kill -9 of the worker, in every stage of a case."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack


async def test_case_goes_on_after_the_worker_is_killed_in_every_stage(stack: Stack, offices: Offices) -> None:
    update_id = await offices.submitted()
    for stage in (Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT):
        task = await offices.open_task(update_id, stage)
        stack.worker.kill()
        key = str(uuid4())
        deciding = asyncio.create_task(offices.insist(lambda task=task, key=key: offices.decide(task, key=key)))
        await stack.worker.start()
        answer, _ = await deciding
        assert answer.status_code == 200, answer.text
    await offices.reaches(update_id, "applied")
    assert len(await offices.proposals(update_id)) == 1
