"""An evaluation on a real engine: observed in pieces, summed up once, and the same numbers again by the same bound."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle, WorkflowHistory

import activities.evaluations
from domain.contracts import EVALUATION_WORKFLOW, StartEvaluation
from domain.evaluations import SETTLES_AFTER
from domain.ids import evaluation_workflow_id
from domain.vocabulary import Outcome, ReasonCode, Stage
from tests.evaluations import asked
from tests.scene import household_of
from tests.workflows.stack import DECIDERS, Stack, floor_area, until
from tests.workflows.test_interrupted import CutOff
from tests.workflows.test_replay import HISTORIES, replayer
from workflows.evaluation import Evaluation

HOUR = timedelta(hours=1)
RECORDED = HISTORIES / "evaluations" / "measured.json"
DISTRICT = "32.06.13"


@workflow.defn(name=EVALUATION_WORKFLOW, sandboxed=False)
class ForgetfulEvaluation:
    """A change that breaks every evaluation under way: nothing is measured."""

    @workflow.run
    async def run(self, start: StartEvaluation) -> None:
        """At once."""


async def _asked(stack: Stack, *, known_until: datetime | None = None) -> UUID:
    evaluation_id = await asked(stack.scene, known_until=known_until or datetime.now(UTC), area_code=DISTRICT)
    await stack.engine.measure(evaluation_id)
    return evaluation_id


def _handle(stack: Stack, evaluation_id: UUID) -> WorkflowHandle[Any, Any]:
    return stack.skipper.client.get_workflow_handle(evaluation_workflow_id(stack.prefix, evaluation_id))


async def _measured(stack: Stack, evaluation_id: UUID) -> dict[tuple[str, str, str], Any]:
    await stack.skipper.fast_forward(_handle(stack, evaluation_id), SETTLES_AFTER + HOUR)
    async with asyncio.timeout(60):
        await _handle(stack, evaluation_id).result()
    rows = await stack.scene.rows("SELECT * FROM evaluation_measures WHERE evaluation_id = :id", id=evaluation_id)
    return {(row.indicator, row.part, row.area_code): row for row in rows}


async def _some_cases(stack: Stack) -> tuple[UUID, UUID]:
    """One that the regency returns and its operator repairs and withdraws, and one that the village rejects."""
    returned = await stack.submit(floor_area(30), household=household_of(0))
    await stack.forward_to(returned, "approval")
    await stack.decide(returned, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    await stack.at(returned, "returned")
    await stack.resubmit(returned, floor_area(32))
    await until(lambda: stack.scene.case(returned), lambda case: case.stage == "verification")
    await stack.withdraw(returned)
    rejected = await stack.submit(floor_area(31), household=household_of(1))
    await stack.forward_to(rejected, "verification")
    await stack.decide(rejected, DECIDERS[Stage.VERIFICATION], Outcome.REJECT, reason=ReasonCode.NOT_ELIGIBLE_MEANS)
    await stack.at(rejected, "rejected")
    return returned, rejected


async def _replayed(stack: Stack, evaluation_id: UUID) -> None:
    """What was played today replays; with `KAWAL_RECORD_HISTORIES=1` it is recorded anew."""
    history = await _handle(stack, evaluation_id).fetch_history()
    await replayer(Evaluation).replay_workflow(history)
    if os.environ.get("KAWAL_RECORD_HISTORIES"):
        RECORDED.write_text(history.to_json() + "\n")


async def test_a_recorded_evaluation_replays_with_the_code_of_today() -> None:
    history = WorkflowHistory.from_json("recorded/evaluation", RECORDED.read_text())
    result = await replayer(Evaluation).replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None
    forgetful = await replayer(ForgetfulEvaluation).replay_workflow(history, raise_on_replay_failure=False)
    assert isinstance(forgetful.replay_failure, workflow.NondeterminismError)


async def test_cases_are_measured_and_custody_adds_up_to_their_age(stack: Stack) -> None:
    async with stack.working():
        returned, _ = await _some_cases(stack)
        evaluation_id = await _asked(stack)
        found = await _measured(stack, evaluation_id)
    await _replayed(stack, evaluation_id)
    assert found["case_age", "", DISTRICT].n == 2
    assert found["returns", "", DISTRICT].value == 0.5
    above = found["overridden_above", "", DISTRICT]
    assert (above.numerator, above.denominator) == (0, 1)
    first_pass = found["first_pass", "", DISTRICT]
    assert (first_pass.numerator, first_pass.denominator) == (0, 1)
    on_time = found["within_deadline", "", DISTRICT]
    assert on_time.numerator == on_time.denominator == 5
    village = (await stack.scene.case(returned)).area_code
    assert found["case_age", "", village].n == 2
    held = await stack.scene.rows(
        "SELECT update_id, sum(value + paused) AS held, max(u.closed_at - u.submitted_at) AS age "
        "FROM evaluation_observations o JOIN updates u ON u.id = o.update_id WHERE indicator = 'custody' GROUP BY 1"
    )
    assert len(held) == 2
    assert all(row.held == pytest.approx(row.age.total_seconds(), abs=1e-5) for row in held)
    households = await stack.scene.rows(
        "SELECT 1 FROM households WHERE area_code LIKE '32.06.13.%' AND status = 'active'"
    )
    assert found["data_age", "", DISTRICT].n == len(households)


@pytest.mark.parametrize("cache_size", [1000, 0], ids=["cached", "replayed"])
async def test_pieces_that_are_lost_are_observed_once_and_the_same_bound_gives_the_same_numbers(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, cache_size: int
) -> None:
    async with stack.working():
        await _some_cases(stack)
        first = await _asked(stack)
        bound = (await stack.scene.one("SELECT known_until FROM evaluations WHERE id = :id", id=first)).known_until
        await _measured(stack, first)
        later = await stack.submit(floor_area(33), household=household_of(2))
        await until(lambda: stack.scene.case(later), lambda case: case.stage == "verification")
        await stack.withdraw(later)
        await stack.scene.change_meanwhile(household_of(3), desil=2)
    monkeypatch.setattr(activities.evaluations, "CHUNK", 2)
    monkeypatch.setattr(activities.evaluations, "VILLAGES", 3)
    cut_off = CutOff()
    async with stack.working(interceptors=[cut_off], cache_size=cache_size):
        again = await _asked(stack, known_until=bound)
        await _measured(stack, again)
    rows = await stack.scene.rows("SELECT digest FROM evaluations WHERE digest IS NOT NULL")
    assert len(rows) == 2
    assert len({row.digest for row in rows}) == 1
    assert cut_off.lost["measure"] > 0
    told = await stack.scene.rows("SELECT 1 FROM audit_events WHERE type = 'evaluation.measured'")
    assert len(told) == 2
