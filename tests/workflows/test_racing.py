"""Many at once on one case: one wins, everybody is told who, and nothing happens twice."""

from __future__ import annotations

import asyncio
from uuid import UUID

from domain.contracts import ActKind, ActResult
from domain.decisions import DecisionInput
from domain.errors import ActPending, CaseClosed, DomainError, EngineUnavailable, TaskAlreadyDecided
from domain.requests import DecisionRequest
from domain.vocabulary import Outcome, Stage
from tests.scene import user
from tests.workflows.stack import Stack, until

FORWARD = DecisionRequest(body=DecisionInput(outcome=Outcome.FORWARD))


async def insistently(stack: Stack, update_id: UUID, by: str, task_id: UUID) -> ActResult | DomainError:
    """What comes of one act of one person, who asks under the same key until it is known."""
    act_id = await stack.scene.ask(update_id, by, FORWARD)
    while True:
        try:
            return await stack.act(update_id, act_id, ActKind.DECIDE, task_id)
        except (ActPending, EngineUnavailable):
            await asyncio.sleep(0.05)
        except DomainError as refusal:
            return refusal


async def test_of_two_decisions_at_once_one_wins_and_the_other_is_told_who(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.APPROVAL)
    answers = await asyncio.gather(
        insistently(kawal, update_id, "verifikator", case.task),
        insistently(kawal, update_id, "verifikator2", case.task),
    )
    (won,) = [answer for answer in answers if isinstance(answer, ActResult)]
    (lost,) = [answer for answer in answers if isinstance(answer, TaskAlreadyDecided)]
    decision = await kawal.scene.one("SELECT * FROM decisions WHERE stage = 'approval'")
    assert won.stage is Stage.ENDORSEMENT
    assert lost.data["decided_by"] == str(decision.actor_id)
    assert decision.actor_id in {user("verifikator"), user("verifikator2")}


async def test_thirty_racing_decisions_of_three_officers_are_one_decision(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.APPROVAL)
    await kawal.pass_time_until(update_id, case.due_at)
    await until(lambda: kawal.scene.case(update_id), lambda case: case.level == 1)
    officers = ("verifikator", "verifikator2", "kabid")
    answers = await asyncio.gather(
        *(insistently(kawal, update_id, officers[i % 3], case.task) for i in range(30)),
    )
    decision = await kawal.scene.one("SELECT * FROM decisions WHERE stage = 'approval'")
    won = [answer for answer in answers if isinstance(answer, ActResult)]
    lost = [answer for answer in answers if isinstance(answer, TaskAlreadyDecided)]
    assert (len(won), len(lost)) == (1, 29)
    assert {refusal.data["decided_by"] for refusal in lost} == {str(decision.actor_id)}
    assert [event.actor_id for event in await kawal.scene.events(update_id) if event.data.get("stage") == "approval"][
        1:
    ] == [decision.actor_id]


async def test_act_asked_again_has_the_same_result_also_after_the_case_has_ended(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    act_id = await kawal.scene.ask(update_id, "puskesos.taraju", FORWARD)
    first = await kawal.act(update_id, act_id, ActKind.DECIDE, case.task)
    again = await asyncio.gather(*(kawal.act(update_id, act_id, ActKind.DECIDE, case.task) for _ in range(5)))
    assert again == [first] * 5
    await kawal.withdraw(update_id)
    await kawal.handle(update_id).result()
    assert await kawal.act(update_id, act_id, ActKind.DECIDE, case.task) == first


async def test_withdrawal_and_decision_at_once_leave_one_end(kawal: Stack) -> None:
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    decided, withdrawn = await asyncio.gather(
        insistently(kawal, update_id, "puskesos.taraju", case.task),
        kawal.withdraw(update_id),
    )
    assert withdrawn.status == "withdrawn"
    assert isinstance(decided, ActResult | CaseClosed)
    assert (await kawal.at(update_id, "withdrawn")).closed_at is not None
