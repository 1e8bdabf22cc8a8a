"""A ground check that the engine carries: whatever is cut off or killed in between, it is asked for and filed once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from domain.contracts import ActKind, ActResult
from domain.ground_checks import GroundCheckOrder
from domain.requests import CaseRequest, GroundCheckRequest, GroundReportRequest
from domain.vocabulary import GroundCheckReason, Stage
from tests.ground import LOOKER
from tests.ground import found as found_in
from tests.workflows.stack import Stack
from tests.workflows.test_interrupted import CutOff

ORDER = GroundCheckRequest(body=GroundCheckOrder(reason=GroundCheckReason.ADDRESS_DOUBTED))


async def act(stack: Stack, update_id: UUID, by: str, request: CaseRequest) -> ActResult:
    task_id = (await stack.scene.case(update_id)).task
    act_id = await stack.scene.ask(update_id, by, request)
    return await stack.act(update_id, act_id, ActKind.DECIDE, task_id)


async def found(stack: Stack) -> GroundReportRequest:
    return GroundReportRequest(body=await found_in(stack.scene, at=datetime.now(UTC)))


async def counted(stack: Stack, table: str, update_id: UUID) -> int:
    rows = await stack.scene.rows(f"SELECT 1 FROM {table} WHERE update_id = :id", id=update_id)  # noqa: S608
    return len(rows)


async def test_steps_lost_after_they_were_taken_ask_once_file_once_and_climb_once(stack: Stack) -> None:
    async with stack.working(interceptors=[CutOff()]):
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        asked = await act(stack, update_id, "puskesos.taraju", ORDER)
        assert (asked.stage, asked.status) == (Stage.GROUND_CHECK, "in_verification")
        await stack.next_milestone(update_id)
        filed = await act(stack, update_id, LOOKER, await found(stack))
        assert filed.stage is Stage.VERIFICATION
    for table in ("ground_checks", "ground_reports", "escalations"):
        assert await counted(stack, table, update_id) == 1, table
    told = await stack.scene.rows(
        "SELECT subject, count(*) AS n FROM notifications WHERE update_id = :id GROUP BY 1", id=update_id
    )
    assert {row.subject: row.n for row in told} == {"ground_check": 1, "reminder": 1, "ground_checked": 2}


async def test_worker_that_stops_between_leaves_the_check_to_the_next_one(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await act(stack, update_id, "puskesos.taraju", ORDER)
    request = await found(stack)
    waiting = asyncio.create_task(act(stack, update_id, LOOKER, request))
    async with stack.working():
        filed = await waiting
        assert filed.stage is Stage.VERIFICATION
        decided = await stack.decide(update_id, "puskesos.taraju")
    assert decided.stage is Stage.DELIBERATION
    assert await counted(stack, "ground_reports", update_id) == 1


async def test_of_two_reports_that_race_one_is_filed(stack: Stack) -> None:
    async with stack.working():
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.VERIFICATION)
        await act(stack, update_id, "puskesos.taraju", ORDER)
        requests = [await found(stack) for _ in range(4)]
        answers = await asyncio.gather(
            *(act(stack, update_id, LOOKER, request) for request in requests), return_exceptions=True
        )
        assert sum(isinstance(answer, ActResult) for answer in answers) == 1
    assert await counted(stack, "ground_reports", update_id) == 1
