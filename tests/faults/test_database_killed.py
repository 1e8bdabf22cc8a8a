"""kill -9 of PostgreSQL for seconds: people are told to come again, and then everything is as if it had not been."""

from __future__ import annotations

import asyncio

from domain.vocabulary import Stage
from tests.faults.offices import Offices
from tests.faults.policy import RUNGS
from tests.faults.stack import Stack
from tests.faults.watch import Watch


async def test_database_dies_amid_decisions_and_escalations(stack: Stack, offices: Offices, watch: Watch) -> None:
    cases = await asyncio.gather(*(offices.submitted() for _ in range(4)))
    tasks = [await watch.open_task(update_id, Stage.VERIFICATION) for update_id in cases]
    async with stack.brisk():
        silent = await offices.submitted()
    await watch.open_task(silent, Stage.VERIFICATION)

    stack.postgres.kill()
    await stack.postgres.ended()
    deciding = [asyncio.create_task(offices.decide_at_last(task)) for task in tasks]
    problem = await offices.decide(tasks[0])
    assert (problem.status_code, problem.json()["code"]) == (503, "database_unavailable"), problem.text
    assert int(problem.headers["Retry-After"]) > 0
    await asyncio.sleep(3)  # the rungs of the silent case come due meanwhile
    await stack.postgres.start()

    answered = await asyncio.gather(*deciding)
    for decision, before in answered:
        assert decision.status_code == 200, decision.text
        assert 503 in before
    assert await watch.fired(silent, rungs=RUNGS) == list(range(RUNGS))
    await offices.withdraw(silent)


async def test_what_waits_for_the_engine_survives_the_database(stack: Stack, offices: Offices, watch: Watch) -> None:
    await stack.temporal.stop()
    answers = await asyncio.gather(*(offices.submit() for _ in range(3)))
    assert {answer.json()["engine"] for answer in answers} == {"pending"}
    stack.postgres.kill()
    await stack.postgres.ended()
    await stack.temporal.start()
    await stack.postgres.start()
    for answer in answers:
        await watch.reaches(answer.json()["id"], "in_verification")
