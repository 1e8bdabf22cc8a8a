"""Deadlines that pass: reminders and rungs on skipped time, and once in seconds that a person can watch."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row
from temporalio.common import SearchAttributeKey

from domain.durations import Elapsed
from domain.policy import Policy, demo_policy
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.scene import household_of
from tests.workflows.stack import SPREAD, Stack, floor_area, until

LADDER = [
    ("remind", "holder"),
    ("escalate", "district_supervisor"),
    ("escalate", "regency_head"),
    ("escalate", "regency_assistant"),
]


async def fired(stack: Stack, update_id: UUID) -> list[Row[Any]]:
    return await stack.scene.rows("SELECT * FROM escalations WHERE update_id = :id ORDER BY rung", id=update_id)


async def climb(stack: Stack, update_id: UUID, *, digests: int) -> None:
    """Nobody does anything until so many digests have been sent."""
    while (await stack.scene.case(update_id)).digests_sent < digests:
        await stack.next_milestone(update_id)


@pytest.mark.parametrize("cache_size", [1000, 0], ids=["cached", "replayed"])
async def test_silence_climbs_the_default_ladder_each_rung_once_and_digests_repeat(
    stack: Stack,
    cache_size: int,
) -> None:
    async with stack.working(cache_size=cache_size):
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await climb(stack, update_id, digests=2)
        rungs = await fired(stack, update_id)
        assert [(row.action, row.to_role) for row in rungs] == LADDER
        assert all(timedelta(0) <= row.fired_at - row.due_at < SPREAD for row in rungs)
        live = await stack.engine.live(update_id)
        assert (live.level, live.status) == (3, Status.IN_VERIFICATION)
        await stack.decide(update_id, "puskesos.taraju")
        assert (await stack.scene.case(update_id)).stage == Stage.DELIBERATION


async def test_second_worker_does_not_escalate_twice(stack: Stack) -> None:
    other = await stack.beside()
    async with stack.working(), other.working():
        cases = [await stack.submit(floor_area(30), household=household_of(place)) for place in range(3)]
        for update_id in cases:
            await stack.forward_to(update_id, Stage.VERIFICATION)
        await asyncio.gather(*(climb(stack, update_id, digests=1) for update_id in cases))
        for update_id in cases:
            assert [(row.action, row.to_role) for row in await fired(stack, update_id)] == LADDER


async def test_supervisor_decides_after_the_deadline_and_the_case_goes_on(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.pass_time_until(update_id, case.due_at)
    await until(lambda: kawal.scene.case(update_id), lambda case: case.level == 1)
    result = await kawal.decide(update_id, "slrt.taraju")
    assert (result.stage, result.level) == (Stage.DELIBERATION, 0)


async def test_engine_lists_a_case_by_stage_and_level_while_it_is_escalated_and_only_then(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    assert await marks(kawal, update_id) == (None, None)
    await kawal.pass_time_until(update_id, case.due_at)
    await until(lambda: kawal.scene.case(update_id), lambda case: case.level == 1)
    assert await until(lambda: marks(kawal, update_id), all) == ("in_verification", 1)
    await kawal.decide(update_id, "slrt.taraju")
    await until(lambda: marks(kawal, update_id), lambda found: not any(found))


async def marks(stack: Stack, update_id: UUID) -> tuple[str | None, int | None]:
    """By which stage and level the engine's own list finds the case."""
    carried = (await stack.handle(update_id).describe()).typed_search_attributes
    stage, level = SearchAttributeKey.for_keyword("KawalStage"), SearchAttributeKey.for_int("KawalLevel")
    return carried.get(stage), carried.get(level)


async def test_overdue_repair_escalates_and_is_still_sent_in(kawal: Stack) -> None:
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    while (await kawal.next_milestone(update_id)).level < 3:
        pass
    result = await kawal.resubmit(update_id, floor_area(30))
    assert (result.stage, result.level) == (Stage.VERIFICATION, 0)


async def test_worker_that_slept_through_the_ladder_fires_it_in_order_when_it_wakes(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        case = await stack.forward_to(update_id, Stage.VERIFICATION)
    skipping = asyncio.create_task(stack.pass_time_until(update_id, case.due_at + timedelta(days=20)))
    async with stack.working():
        await until(lambda: stack.scene.case(update_id), lambda case: case.level == 3)
        assert [(row.action, row.to_role) for row in await fired(stack, update_id)] == LADDER
    skipping.cancel()


def seconds(count: int) -> Elapsed:
    return Elapsed(elapsed=timedelta(seconds=count))


def in_moments() -> Policy:
    """The demonstration policy with a verification of two seconds, and rungs one second apart."""
    policy = demo_policy()
    verification = policy.stage(Stage.VERIFICATION)
    reminder, supervisor, head, assistant = verification.ladder
    hurried = verification.model_copy(
        update={
            "deadline": seconds(2),
            "ladder": (
                reminder,
                supervisor,
                head.model_copy(update={"after": seconds(1)}),
                assistant.model_copy(update={"after": seconds(2)}),
            ),
        },
    )
    others = tuple(rule for rule in policy.stages if rule.stage is not Stage.VERIFICATION)
    return policy.model_copy(update={"stages": (hurried, *others)})


async def test_policy_in_seconds_escalates_while_a_person_watches(kawal: Stack) -> None:
    version_id = await kawal.scene.publish(in_moments())
    update_id = await kawal.submit(policy_version_id=version_id)
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    rungs = await until(lambda: fired(kawal, update_id), lambda rows: len(rows) == 4)
    assert [(row.action, row.to_role) for row in rungs] == LADDER
    assert rungs[-1].fired_at - rungs[0].fired_at < timedelta(seconds=10)


async def test_nobody_who_may_decide_is_not_waited_for(kawal: Stack) -> None:
    deudeul = "32.06.13.2003"
    update_id = await kawal.submit(
        floor_area(30),
        household=household_of(0, village=deudeul),
        area_code=deudeul,
        by="serba.deudeul",
    )
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    assert (case.level, case.cause) == (1, "no_eligible_decider")
    assert (await kawal.engine.live(update_id)).level == 1
    await kawal.decide(update_id, "slrt.taraju")
    assert (await kawal.scene.case(update_id)).stage == Stage.DELIBERATION
