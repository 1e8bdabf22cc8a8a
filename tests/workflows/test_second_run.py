"""A closed case has had its run: a second start changes nothing, even when the engine has forgotten the first."""

from __future__ import annotations

from uuid import UUID

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.contracts import ActKind
from domain.ids import new_id, workflow_id
from domain.vocabulary import Kind, Stage
from runtime.engine import EngineHasNoCaseError, NewCase
from tests.workflows.stack import Stack, until


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
    update_id = await kawal.submit()
    await kawal.forward_to(update_id, Stage.VERIFICATION)
    await kawal.withdraw(update_id)
    await kawal.handle(update_id).result()
    await _forget(kawal, workflow_id(update_id))
    before = [await kawal.scene.case(update_id), len(await kawal.scene.events(update_id))]

    with pytest.raises(EngineHasNoCaseError):
        await kawal.act(update_id, new_id(), ActKind.WITHDRAW, None)
    await kawal.engine.start(as_new(kawal, update_id))
    with pytest.raises(WorkflowFailureError) as ended:
        await kawal.handle(update_id).result()
    assert isinstance(ended.value.cause, ApplicationError)
    assert ended.value.cause.type == "foreign_run"
    with pytest.raises(EngineHasNoCaseError):
        await kawal.act(update_id, new_id(), ActKind.WITHDRAW, None)
    assert [await kawal.scene.case(update_id), len(await kawal.scene.events(update_id))] == before


async def _forget(stack: Stack, name: str) -> None:
    """What retention does, at once."""
    client = stack.plain_client
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=name),
        ),
    )

    async def known() -> bool:
        try:
            await client.get_workflow_handle(name).describe()
        except RPCError as error:
            return error.status is not RPCStatusCode.NOT_FOUND
        return True

    await until(known, lambda is_known: not is_known)
