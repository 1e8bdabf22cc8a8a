"""kill -9 and SIGTERM of the API."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import httpx2
import pytest

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch


async def test_api_killed_between_commit_and_start_leaves_a_case_that_is_started(
    stack: Stack,
    offices: Offices,
    watch: Watch,
) -> None:
    household, key = offices.next_household(), str(uuid4())
    await stack.temporal.stop()
    submitting = asyncio.create_task(offices.submit(household, key=key))
    update_id = await watch.case_of(household.id)
    stack.api.kill()
    with pytest.raises(httpx2.RequestError):
        await submitting
    await stack.temporal.start()
    await watch.reaches(update_id, "in_verification")
    await stack.api.start()
    repeat = await offices.submit(household, key=key)
    assert (repeat.status_code, UUID(repeat.json()["id"])) == (201, update_id), repeat.text
    assert await watch.times_started(update_id) == 1


async def test_terminated_api_finishes_its_requests(stack: Stack, offices: Offices, watch: Watch) -> None:
    update_id = await offices.submitted()
    task = await watch.open_task(update_id, Stage.VERIFICATION)
    async with watch.locked(update_id) as somebody_waits:
        deciding = asyncio.create_task(offices.decide(task))
        await somebody_waits()
        stopping = asyncio.create_task(stack.api.stop())
        await watch.closes(stack.api_url)
    answer = await deciding
    assert answer.status_code == 200, answer.text
    await stopping
    assert await stack.api.ended() in {"exit code 0", "signal SIGTERM"}  # uvicorn raises the signal again when done


async def test_answer_of_the_ministry_waits_for_the_api_and_lands_once(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    await watch.partner("PUT", stack.ministry_url, "/admin/faults", {"duplicate_callback_rate": 1})
    await watch.partner("PUT", stack.ministry_url, "/admin/rules/default", {"answer": None})
    update_id = await offices.submitted()
    await offices.forward(update_id, *(Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT))
    await watch.reaches(update_id, "approved_local")
    (proposal,) = await watch.proposals(update_id)
    stack.api.kill()
    await stack.api.ended()
    answer = f"/admin/proposals/{proposal['receipt_no']}/answer"
    await watch.partner("POST", stack.ministry_url, answer, {"answer": "accepted"})
    await watch.callback_attempted(update_id)
    await stack.api.start()
    await watch.reaches(update_id, "applied")
    assert await watch.ministry_answers(update_id) == 1
