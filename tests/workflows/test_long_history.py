"""A case whose history grows long goes on in a new run, and nobody who comes meanwhile is left without an answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from temporalio import workflow

from domain.contracts import ActKind, ActResult, LiveCase
from domain.decisions import DecisionInput
from domain.errors import ActPending, DomainError, EngineUnavailable
from domain.requests import DecisionRequest
from domain.vocabulary import Outcome, Stage
from runtime.engine import EngineHasNoCaseError
from tests.scene import MINUTES
from tests.workflows.stack import Stack

FEW_EVENTS = 15


@pytest.fixture
def short_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine suggests a new run after a few events, as it does in production after thousands."""

    def is_long(info: workflow.Info) -> bool:
        return info.get_current_history_length() > FEW_EVENTS

    monkeypatch.setattr(workflow.Info, "is_continue_as_new_suggested", is_long)


async def live(stack: Stack, update_id: UUID) -> LiveCase:
    """The workflow's own answer; a run that is only just beginning has none yet."""
    while True:
        try:
            return await stack.engine.live(update_id)
        except EngineUnavailable:
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("short_histories")
async def test_case_goes_on_over_several_runs_and_repeats_keep_their_result(stack: Stack) -> None:
    async with stack.working(sandboxed=False):
        update_id = await stack.submit()
        case = await stack.forward_to(update_id, Stage.VERIFICATION)
        body = DecisionInput(outcome=Outcome.FORWARD)
        act_id = await stack.scene.ask(update_id, "puskesos.taraju", DecisionRequest(body=body))
        first = await stack.act(update_id, act_id, ActKind.DECIDE, case.task)
        await stack.pushed(update_id)
        again = await stack.act(update_id, act_id, ActKind.DECIDE, case.task)
        assert again == first, "a later run has the act's result from the database"
        assert (await live(stack, update_id)).status == "approved_local", "and stands where the case stands"
        await stack.ministry_answers(update_id, "accepted")
        await stack.at(update_id, "applied")
        runs = [run async for run in stack.plain_client.list_workflows(f'WorkflowId="{stack.handle(update_id).id}"')]
        assert len(runs) > 1


@pytest.mark.usefixtures("short_histories")
async def test_acts_that_come_while_a_new_run_begins_are_all_answered(stack: Stack) -> None:
    async with stack.working(sandboxed=False):
        update_id = await stack.submit()
        case = await stack.forward_to(update_id, Stage.DELIBERATION)

        async def ask(number: int) -> ActResult | DomainError:
            """Officers of other offices ask for what they may not, and are told so; the village head decides."""
            by = "kades.taraju" if number == 15 else "kadis"
            body = DecisionInput(outcome=Outcome.FORWARD, minutes=MINUTES)
            act_id = await stack.scene.ask(update_id, by, DecisionRequest(body=body))
            while True:
                try:
                    return await stack.act(update_id, act_id, ActKind.DECIDE, case.task)
                except (ActPending, EngineUnavailable, EngineHasNoCaseError):
                    await asyncio.sleep(0.05)
                except DomainError as refusal:
                    return refusal

        async with asyncio.timeout(60):
            answers = await asyncio.gather(*(ask(number) for number in range(24)))
        assert sum(isinstance(answer, ActResult) for answer in answers) == 1
        assert (await stack.scene.case(update_id)).stage == Stage.APPROVAL
