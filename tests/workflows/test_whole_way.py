"""The way of a case from submission to its end, through the real engine and the real partners."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from domain.changes import Death
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.scene import household_of
from tests.workflows.stack import Stack, floor_area, until


async def test_standard_case_is_applied_when_the_ministry_accepts(kawal: Stack) -> None:
    update_id = await kawal.submit()
    await kawal.pushed(update_id)
    (listed,) = await kawal.servers.proposals(update_id)
    received = await kawal.servers.ministry("GET", f"/admin/proposals/{listed['receipt_no']}")
    assert [step["stage"] for step in received["proposal"]["decided"]] == [
        *("verification", "deliberation", "approval", "endorsement"),
    ]
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
    assert (await kawal.scene.household(household_of(0).id)).circumstances.floor_area_m2 == 30
    assert (await kawal.handle(update_id).result())["status"] == "applied"


async def test_death_takes_the_express_route(kawal: Stack) -> None:
    household = household_of(0)
    gone = household.members[-1]
    await kawal.servers.died(gone.nik)
    update_id = await kawal.submit(Death(member_id=gone.id, died_on=date(2026, 1, 5)), household=household)
    await kawal.forward_to(update_id, Stage.APPROVAL)
    stages = await kawal.scene.rows("SELECT stage FROM tasks ORDER BY opened_at")
    assert [row.stage for row in stages] == ["identity_check", "verification", "approval"]
    await kawal.pushed(update_id)
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")


async def test_whole_way_replays_from_its_history_at_every_step(stack: Stack) -> None:
    async with stack.working(cache_size=0):
        update_id = await stack.submit()
        await stack.forward_to(update_id, Stage.APPROVAL)
        await stack.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
        await stack.resubmit(update_id, floor_area(31))
        await stack.pushed(update_id)
        await stack.ministry_answers(update_id, "accepted")
        await stack.at(update_id, "applied")
    stages = await stack.scene.rows("SELECT stage FROM tasks ORDER BY opened_at")
    assert [row.stage for row in stages] == [
        "identity_check",
        "verification",
        "deliberation",
        "approval",
        "repair",  # with another floor area, which nobody has verified or deliberated
        "verification",
        "deliberation",
        "approval",
        "endorsement",
        "delivery",
    ]


async def test_member_whom_the_registry_knows_otherwise_returns_the_case_and_a_repair_mends_it(kawal: Stack) -> None:
    head = household_of(0).head
    assert head is not None
    await kawal.servers.correct(head.nik, name="Orang Lain")
    update_id = await kawal.submit()
    case = await kawal.at(update_id, "returned")
    assert case.reason == ReasonCode.IDENTITY_MISMATCH
    answer = await kawal.scene.one("SELECT * FROM identity_results WHERE result = 'mismatched'")
    assert (answer.person_key, answer.fields) == (str(head.id), ["name"])
    await kawal.servers.correct(head.nik, name=head.name)
    await kawal.resubmit(update_id, floor_area(30))
    assert (await kawal.forward_to(update_id, Stage.VERIFICATION)).revision == 2


@pytest.mark.parametrize(
    ("outcome", "reason", "status"),
    [
        (Outcome.REJECT, ReasonCode.NOT_ELIGIBLE_MEANS, Status.REJECTED),
        (Outcome.RETURN, ReasonCode.INCOMPLETE_DOCUMENTS, Status.WITHDRAWN),
    ],
)
async def test_case_that_ends_early_ends_its_workflow(
    kawal: Stack,
    outcome: Outcome,
    reason: ReasonCode,
    status: Status,
) -> None:
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.decide(update_id, "puskesos.taraju", outcome, reason=reason)
    if outcome is Outcome.RETURN:
        await kawal.withdraw(update_id)
    await kawal.at(update_id, status)
    assert (await kawal.handle(update_id).result())["status"] == status


async def test_ministry_that_was_away_gets_the_change_once_when_it_is_back(kawal: Stack) -> None:
    await kawal.servers.ministry_fails(lose_answer_rate=1)
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.DELIVERY)
    await until(lambda: kawal.servers.proposals(update_id), bool)
    await kawal.servers.ministry("DELETE", "/admin/faults")
    await kawal.at(update_id, "approved_local")
    assert len(await kawal.servers.proposals(update_id)) == 1


async def test_answer_of_the_ministry_that_comes_while_the_push_is_still_tried_is_carried_out(kawal: Stack) -> None:
    await kawal.servers.ministry_fails(lose_answer_rate=1)
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.DELIVERY)
    (proposal,) = await until(lambda: kawal.servers.proposals(update_id), bool)
    await kawal.scene.ministry_answers(update_id, "accepted", receipt_no=proposal["receipt_no"])
    await kawal.at(update_id, "applied")
    description = await until(
        kawal.handle(update_id).describe,
        lambda d: d.status is not WorkflowExecutionStatus.RUNNING,
    )
    assert description.status is WorkflowExecutionStatus.COMPLETED


async def test_ministry_return_is_approved_and_pushed_again_under_another_receipt(kawal: Stack) -> None:
    update_id = await kawal.submit()
    first = (await kawal.pushed(update_id)).receipt_no
    returned = await kawal.ministry_answers(update_id, "returned", reason="unclear_photo")
    await kawal.at(update_id, "in_approval")
    second = (await kawal.pushed(update_id)).receipt_no
    assert second != first
    async with kawal.scene.as_owner() as connection:
        again = "UPDATE outbox SET done_at = NULL, available_at = '2026-01-01' WHERE payload->>'answer_id' = :answer"
        await connection.execute(text(again), {"answer": str(returned)})
    await until(
        lambda: kawal.scene.rows("SELECT 1 FROM outbox WHERE done_at IS NULL"),
        lambda rows: not rows,
    )
    assert (await kawal.engine.live(update_id)).status is Status.APPROVED_LOCAL, "told twice, answered once"
    await kawal.ministry_answers(update_id, "accepted")
    await kawal.at(update_id, "applied")
