"""Recorded histories replay with the code of today: what was promised to open cases is kept.

`KAWAL_RECORD_HISTORIES=1 pytest tests/workflows/test_replay.py` records them anew, after a change that is gated by
`workflow.patched` or that no case has met yet. Their people are invented and their codec key stands in `stack.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.contracts import UPDATE_WORKFLOW, Closed, StartUpdate
from domain.ids import workflow_id
from domain.vocabulary import Status
from runtime.codec import data_converter
from tests.workflows.shapes import SHAPES
from tests.workflows.stack import Stack, codec_keys
from worker import workflow_runner
from workflows.household_update import HouseholdUpdate

HISTORIES = Path(__file__).parent.parent / "histories"
RECORDED = sorted(path.stem for path in HISTORIES.glob("*.json"))


@workflow.defn(name=UPDATE_WORKFLOW, sandboxed=False)
class ForgetfulUpdate:
    """A change that breaks every open case: nothing is opened, nobody is waited for."""

    @workflow.run
    async def run(self, start: StartUpdate) -> Closed:  # noqa: ARG002  the argument that histories carry
        return Closed(status=Status.APPLIED)


def replayer(of: type[object] = HouseholdUpdate) -> Replayer:
    return Replayer(
        workflows=[of],
        data_converter=data_converter(codec_keys()),
        workflow_runner=workflow_runner(sandboxed=True),
    )


def recorded(shape: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"recorded/{shape}", (HISTORIES / f"{shape}.json").read_text())


@pytest.mark.parametrize("shape", SHAPES)
async def test_case_played_today_replays_from_its_history(kawal: Stack, shape: str) -> None:
    update_id = await SHAPES[shape](kawal)
    await kawal.handle(update_id).result()
    history = await kawal.handle(update_id).fetch_history()
    assert history.workflow_id == workflow_id(update_id)
    await replayer().replay_workflow(history)
    if os.environ.get("KAWAL_RECORD_HISTORIES"):
        (HISTORIES / f"{shape}.json").write_text(history.to_json() + "\n")


@pytest.mark.parametrize("shape", RECORDED)
async def test_recorded_history_replays_with_the_code_of_today(shape: str) -> None:
    result = await replayer().replay_workflow(recorded(shape), raise_on_replay_failure=False)
    assert result.replay_failure is None


@pytest.mark.parametrize("shape", RECORDED)
async def test_a_change_that_breaks_open_cases_is_found(shape: str) -> None:
    result = await replayer(ForgetfulUpdate).replay_workflow(recorded(shape), raise_on_replay_failure=False)
    assert isinstance(result.replay_failure, workflow.NondeterminismError)


def test_every_shape_has_been_recorded() -> None:
    assert set(SHAPES) <= set(RECORDED)
