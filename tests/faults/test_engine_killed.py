"""The engine is down, or dies in the middle of things; what was accepted stays accepted and is done once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

from activities.outbox import Dispatcher
from db.session import Database
from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch, now


async def test_what_is_submitted_while_the_engine_is_down_is_started_once(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    household, key = offices.next_household(), str(uuid4())
    await asyncio.gather(stack.second_worker.start(), stack.second_api.start())
    await stack.temporal.stop()
    answer = await offices.submit(household, key=key)
    assert (answer.status_code, answer.json()["engine"]) == (201, "pending"), answer.text
    update_id = UUID(answer.json()["id"])
    await stack.temporal.start()
    # Two dispatchers and two APIs, which are asked again, all start it in the same moment.
    again = await asyncio.gather(
        *(offices.submit(household, key=key, url=url) for url in (stack.api_url, stack.second_api_url)),
    )
    assert {UUID(repeat.json()["id"]) for repeat in again} == {update_id}
    await watch.reaches(update_id, "in_verification")
    await watch.nothing_waits_for_the_engine()
    assert await watch.times_started(update_id) == 1


async def test_decision_waits_for_the_engine_and_claim_does_not(stack: Stack, offices: Offices, watch: Watch) -> None:
    update_id, key = await offices.submitted(), str(uuid4())
    task = await watch.open_task(update_id, Stage.VERIFICATION)
    await stack.temporal.stop()
    refused, claimed = await asyncio.gather(offices.decide(task, key=key), offices.claim(task))
    assert claimed.status_code == 200, claimed.text
    assert (refused.status_code, refused.json()["code"]) == (503, "engine_unavailable"), refused.text
    assert int(refused.headers["Retry-After"]) > 0
    await stack.temporal.start()
    decided, _ = await offices.insist(lambda: offices.decide(task, key=key))
    assert decided.status_code == 200, decided.text


async def test_killed_engine_loses_no_decision_and_takes_none_twice(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    cases = await asyncio.gather(*(offices.submitted() for _ in range(6)))
    tasks = [await watch.open_task(update_id, Stage.VERIFICATION) for update_id in cases]
    deciding = [asyncio.create_task(offices.decide_at_last(task)) for task in tasks]
    await asyncio.wait(deciding, return_when=asyncio.FIRST_COMPLETED)
    stack.temporal.kill()
    await stack.temporal.ended()
    await stack.temporal.start()
    for decision, _ in await asyncio.gather(*deciding):
        assert decision.status_code == 200, decision.text
    for update_id in cases:
        await watch.reaches(update_id, "in_deliberation")


async def test_decision_that_the_engine_forgot_is_still_carried_on(
    stack: Stack, offices: Offices, watch: Watch
) -> None:
    """Engine and API die between the commit of a decision and the engine's note of it, and nobody asks again."""
    update_id = await offices.submitted()
    await offices.forward(update_id, Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL)
    task = await watch.open_task(update_id, Stage.ENDORSEMENT)
    async with watch.locked(update_id) as somebody_waits:
        deciding = asyncio.create_task(offices.decide(task))
        await somebody_waits()
        stack.temporal.kill()
        stack.api.kill()
        await stack.temporal.ended()
    await asyncio.wait([deciding])
    assert deciding.exception() is not None
    await watch.open_task(update_id, Stage.DELIVERY)
    await stack.start()

    database = Database(stack.environment["KAWAL_DATABASE_WORKER_URL"], application="test")
    try:
        assert await watch.proposals(update_id) == []
        await Dispatcher(database, watch.engine).wake_forgotten(now() + timedelta(minutes=3))
    finally:
        await database.close()
    await watch.reaches(update_id, "applied")
