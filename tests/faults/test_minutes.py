"""kill -9 of the worker in the middle of minutes: every case is decided, and none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import PATIENCE, Watch

CASES = 8


async def test_worker_killed_in_the_middle_of_minutes_decides_every_case_once(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    cases = [await offices.towards(Stage.DELIBERATION) for _ in range(CASES)]
    recorded = await offices.record_minutes(cases)
    assert recorded.status_code == 201, recorded.text
    minutes_id = recorded.json()["id"]
    await _until(offices, minutes_id, lambda minutes: minutes["progress"]["open"] < CASES)
    stack.worker.kill()
    await stack.worker.start()

    minutes = await _until(offices, minutes_id, lambda minutes: minutes["finished_at"] is not None)
    assert {UUID(case["update_id"]): case["result"] for case in minutes["cases"]} == dict.fromkeys(cases, "decided")
    for update_id in cases:
        assert (await watch.decided(update_id)).count("deliberation") == 1
        await watch.open_task(update_id, Stage.APPROVAL)


async def _until(offices: Offices, minutes_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while not holds(minutes := await offices.read_minutes(minutes_id)):  # noqa: ASYNC110  it is in another process
            await asyncio.sleep(0.02)
    return minutes
