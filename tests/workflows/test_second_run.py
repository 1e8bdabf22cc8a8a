"""A closed case has had its run: a second start changes nothing, even when the engine has forgotten the first."""

from __future__ import annotations

from uuid import UUID

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from domain.contracts import UPDATE_WORKFLOW, ActKind, Queue, StartUpdate, queue_name
from domain.ids import new_id, workflow_id
from domain.vocabulary import Kind, Stage
from runtime.engine import EngineHasNoCaseError, NewCase
from tests.workflows.stack import Stack


def as_new(stack: Stack, update_id: UUID) -> NewCase:
    return NewCase(
        update_id=update_id,
        policy_version_id=stack.scene.policy_version_id,
        area_code="32.06.13.2001",
        kind=Kind.CIRCUMSTANCES,
    )


async def test_starting_a_case_again_is_no_second_run_while_it_lives_nor_after_its_end(kawal: Stack) -> None:
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    run_id = (await kawal.handle(update_id).describe()).run_id
    await kawal.engine.start(as_new(kawal, update_id))
    assert (await kawal.handle(update_id).describe()).run_id == run_id
    await kawal.withdraw(update_id)
    await kawal.handle(update_id).result()
    await kawal.engine.start(as_new(kawal, update_id))
    assert (await kawal.handle(update_id).describe()).run_id == run_id


async def test_run_of_a_case_whose_first_run_the_engine_has_forgotten_ends_as_foreign_and_changes_nothing(
    kawal: Stack,
) -> None:
    """Past its retention an engine starts a closed id anew, as it does here where a duplicate is allowed."""
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.withdraw(update_id)
    await kawal.handle(update_id).result()
    before = [await kawal.scene.case(update_id), len(await kawal.scene.events(update_id))]

    await kawal.plain_client.start_workflow(
        UPDATE_WORKFLOW,
        StartUpdate(update_id=update_id, policy_version_id=kawal.scene.policy_version_id),
        id=workflow_id(update_id),
        task_queue=queue_name(kawal.prefix, Queue.CASES),
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    with pytest.raises(WorkflowFailureError) as ended:
        await kawal.handle(update_id).result()
    assert isinstance(ended.value.cause, ApplicationError)
    assert ended.value.cause.type == "foreign_run"
    with pytest.raises(EngineHasNoCaseError):
        await kawal.act(update_id, new_id(), ActKind.WITHDRAW, None)
    assert [await kawal.scene.case(update_id), len(await kawal.scene.events(update_id))] == before


async def test_second_run_of_a_case_that_is_alive_elsewhere_leaves_it_alone(kawal: Stack) -> None:
    """As after a restore of the engine alone: the case belongs to the run that opened it."""
    update_id = await kawal.submit()
    case = await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.handle(update_id).terminate()
    await kawal.plain_client.start_workflow(
        UPDATE_WORKFLOW,
        StartUpdate(update_id=update_id, policy_version_id=kawal.scene.policy_version_id),
        id=workflow_id(update_id),
        task_queue=queue_name(kawal.prefix, Queue.CASES),
    )
    with pytest.raises(WorkflowFailureError):
        await kawal.handle(update_id).result()
    assert await kawal.scene.case(update_id) == case


async def test_engine_that_knows_nothing_of_a_case_says_so(kawal: Stack) -> None:
    with pytest.raises(EngineHasNoCaseError):
        await kawal.act(new_id(), new_id(), ActKind.WITHDRAW, None)
