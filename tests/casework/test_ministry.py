"""The Ministry's answers: early, late, twice, and each outcome."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.contracts import AwaitDecision, AwaitMinistry, Closed, Deliver
from domain.vocabulary import ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.workflows.stack import floor_area


@pytest.fixture
async def delivering(play: Play) -> UUID:
    """A case that is about to be pushed."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIVERY)
    return update_id


async def test_push_makes_the_change_a_pending_version_and_starts_the_clock_of_the_answer(
    play: Play,
    delivering: UUID,
) -> None:
    before = await play.case(delivering)
    assert isinstance(await play.push(delivering), AwaitMinistry)
    after = await play.case(delivering)
    assert (after.status, after.receipt_no, after.task) == (Status.APPROVED_LOCAL, "SIKS-1", before.task)
    assert after.due_at > before.due_at
    assert await play.push(delivering) == await play.open(delivering), "noted once"
    assert (await play.case(delivering)).due_at == after.due_at


async def test_answer_that_overtakes_the_note_of_its_push_counts(play: Play, delivering: UUID) -> None:
    task_id = (await play.case(delivering)).task
    assert isinstance(await play.ministry_says(delivering), Closed)
    assert (await play.case(delivering)).status == Status.APPLIED
    assert isinstance(await play.push(delivering, task_id=task_id), Closed)
    assert (await play.scene.one("SELECT receipt_no FROM tasks WHERE stage = 'delivery'")).receipt_no == "SIKS-1"


async def test_answer_told_twice_counts_once(play: Play, delivering: UUID) -> None:
    await play.push(delivering)
    answer_id = await play.scene.ministry_answers(delivering, "accepted", receipt_no="SIKS-1")
    assert isinstance(await play.carry_out(delivering, answer_id), Closed)
    assert isinstance(await play.carry_out(delivering, answer_id), Closed)
    assert isinstance(await play.ministry_says(delivering, "rejected", reason=ReasonCode.QUOTA), Closed)
    assert (await play.case(delivering)).status == Status.APPLIED
    assert len(await play.scene.rows("SELECT 1 FROM household_versions WHERE update_id IS NOT NULL")) == 1


async def test_return_goes_back_to_approval_where_the_same_verifier_may_decide_again(
    play: Play,
    delivering: UUID,
) -> None:
    await play.push(delivering)
    step = await play.ministry_says(delivering, "returned", reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.APPROVAL
    assert (await play.case(delivering)).reason == ReasonCode.INCOMPLETE_DOCUMENTS
    step = (await play.decide(delivering, "verifikator")).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.ENDORSEMENT
    step = (await play.decide(delivering, "kadis")).next
    assert isinstance(step, Deliver)
    await play.push(delivering, receipt_no="SIKS-2")
    assert isinstance(await play.ministry_says(delivering, receipt_no="SIKS-2"), Closed)
    assert (await play.case(delivering)).status == Status.APPLIED


@pytest.mark.parametrize("pushed_again", [False, True])
async def test_answer_to_an_earlier_push_does_not_answer_a_later_one(
    play: Play,
    delivering: UUID,
    pushed_again: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await play.push(delivering)
    returned = await play.scene.ministry_answers(
        delivering,
        "returned",
        receipt_no="SIKS-1",
        reason=ReasonCode.UNCLEAR_PHOTO,
    )
    await play.carry_out(delivering, returned)
    await play.forward_to(delivering, Stage.DELIVERY)
    if pushed_again:
        await play.push(delivering, receipt_no="SIKS-2")
    step = await play.carry_out(delivering, returned)
    assert isinstance(step, AwaitMinistry if pushed_again else Deliver)
    assert (await play.case(delivering)).stage == Stage.DELIVERY


async def test_rejection_closes_the_case_and_leaves_the_registry_as_it_was(play: Play, delivering: UUID) -> None:
    await play.push(delivering)
    assert isinstance(await play.ministry_says(delivering, "rejected", reason=ReasonCode.ALREADY_RECEIVING), Closed)
    case = await play.case(delivering)
    assert (case.status, case.reason) == (Status.REJECTED, ReasonCode.ALREADY_RECEIVING)
    assert (await play.scene.household(case.household_id)).version == 1


async def test_answer_after_the_end_changes_nothing(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.withdraw(update_id)
    before = await play.case(update_id)
    assert isinstance(await play.ministry_says(update_id), Closed)
    assert await play.case(update_id) == before
