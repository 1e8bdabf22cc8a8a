"""Steps that are cut off after they were taken, and a database that is away for a while: everything once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from domain.contracts import ActivityName, ActKind, ActResult
from domain.errors import ActPending
from domain.ids import new_id
from domain.vocabulary import Outcome, ReasonCode, Stage
from tests.scene import user
from tests.workflows.line import Line, line_to
from tests.workflows.stack import Stack, floor_area, until


class CutOff(ClientInterceptor, WorkerInterceptor):
    """The first attempt of every activity is taken to its end, and then lost."""

    def __init__(self) -> None:
        self.lost: Counter[str] = Counter()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's
        return _LosesTheAnswer(next, self.lost)


class _LosesTheAnswer(ActivityInboundInterceptor):
    def __init__(self, after: ActivityInboundInterceptor, lost: Counter[str]) -> None:
        super().__init__(after)
        self._lost = lost

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's
        answer = await super().execute_activity(input)
        if activity.info().attempt == 1:
            self._lost[activity.info().activity_type] += 1
            raise ConnectionError("the worker was cut off after its work was done")
        return answer


async def test_every_step_that_is_lost_after_it_was_taken_is_taken_once(stack: Stack) -> None:
    cut_off = CutOff()
    async with stack.working(interceptors=[cut_off]):
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await stack.next_milestone(update_id)
        await stack.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
        await stack.resubmit(update_id, floor_area(31))
        await stack.pushed(update_id)
        await stack.ministry_answers(update_id, "accepted")
        await stack.at(update_id, "applied")
        await stack.handle(update_id).result()
    # Minutes are cut off in tests/faults/test_minutes.py, rounds and evaluations in their own tests beside this one.
    in_bulk = {
        *(ActivityName.DECIDE_LISTED, ActivityName.LOOK_AT_ROUND, ActivityName.TAKE_BASELINE),
        *(ActivityName.CARRY_ROUND_ON, ActivityName.LOOK_AT_EVALUATION, ActivityName.MEASURE),
        ActivityName.PUBLISH_EVALUATION,
    }
    assert set(cut_off.lost) == {name.value for name in set(ActivityName) - in_bulk}
    assert len(await stack.servers.proposals(update_id)) == 1
    decisions = await stack.scene.rows("SELECT stage FROM decisions ORDER BY decided_at")
    assert [row.stage for row in decisions] == [
        *("identity_check", "verification", "verification", "deliberation", "approval", "endorsement", "delivery"),
    ]
    assert [row.rung for row in await stack.scene.rows("SELECT rung FROM escalations")] == [0]
    told = await stack.scene.rows("SELECT subject, count(*) AS n FROM notifications GROUP BY 1")
    assert {row.subject: row.n for row in told} == {"reminder": 1, "returned": 1, "closed": 1}
    versions = await stack.scene.rows("SELECT 1 FROM household_versions WHERE update_id = :id", id=update_id)
    assert len(versions) == 1


@pytest.mark.parametrize("fault", [Line.hold, Line.cut], ids=["silent", "away"])
async def test_decision_while_the_database_does_not_answer_is_taken_once_when_it_does(
    stack: Stack,
    fault: Callable[[Line], None],
) -> None:
    async with line_to(stack.scene) as (line, database), stack.working(database=database):
        update_id = await stack.submit()
        case = await stack.forward_to(update_id, Stage.VERIFICATION)
        act_id = new_id()
        fault(line)
        deciding = asyncio.create_task(
            stack.decide(update_id, "puskesos.taraju", task_id=case.task, act_id=act_id),
        )
        await until(lambda: _scheduled(stack, update_id), lambda names: ActivityName.RECORD_ACT in names)
        line.release()
        with contextlib.suppress(ActPending):
            await deciding
        result = await insistently(stack, update_id, act_id, task_id=case.task)
        assert result.stage is Stage.DELIBERATION
    decisions = await stack.scene.rows("SELECT actor_id FROM decisions WHERE stage = 'verification'")
    assert [row.actor_id for row in decisions] == [user("puskesos.taraju")]


async def _scheduled(stack: Stack, update_id: UUID) -> set[str]:
    """Which steps have been asked for as ordinary activities."""
    history = await stack.handle(update_id).fetch_history()
    return {
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }


async def insistently(stack: Stack, update_id: UUID, act_id: UUID, *, task_id: UUID) -> ActResult:
    """The result of an act, asked for until it is known."""
    while True:
        try:
            return await stack.act(update_id, act_id, ActKind.DECIDE, task_id)
        except ActPending:
            continue
