"""The sandbox loads what a workflow imports anew for every case, unless it is passed through on purpose."""

from __future__ import annotations

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.workflows.careless import Careless
from worker import workflow_runner
from workflows.household_update import HouseholdUpdate


async def test_worker_refuses_a_workflow_that_imports_something_by_carelessness(engine_client: Client) -> None:
    with pytest.raises(RuntimeError, match=r"[Cc]areless|standardwebhooks|passthrough|passed through"):
        Worker(
            engine_client,
            task_queue="careless",
            workflows=[Careless],
            workflow_runner=workflow_runner(sandboxed=True),
        )


async def test_worker_takes_the_household_update_without_a_warning(engine_client: Client) -> None:
    Worker(
        engine_client,
        task_queue="careful",
        workflows=[HouseholdUpdate],
        workflow_runner=workflow_runner(sandboxed=True),
    )
