"""Decisions, repairs and withdrawals: once, by the right person, and refused with a code otherwise."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from domain.changes import CircumstancesChange
from domain.circumstances import Address, Circumstances
from domain.contracts import Act, ActKind, AwaitDecision, AwaitRepair, Closed
from domain.decisions import DecisionInput
from domain.errors import (
    CaseClosed,
    Forbidden,
    ForeignRun,
    InvalidInput,
    NotFound,
    NotPossibleNow,
    SeparationOfDuties,
    TaskAlreadyDecided,
)
from domain.requests import DecisionRequest
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.scene import household_of, user
from tests.workflows.stack import floor_area

FORWARD = DecisionRequest(body=DecisionInput(outcome=Outcome.FORWARD))
HUMAN = ("in_verification", "in_deliberation", "in_approval", "in_endorsement")


@pytest.fixture
async def verifying(play: Play) -> UUID:
    """A case in verification."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    return update_id


async def test_second_decision_is_refused_and_told_who_was_first(play: Play, verifying: UUID) -> None:
    task_id = (await play.case(verifying)).task
    await play.decide(verifying, "puskesos.taraju")
    with refused(TaskAlreadyDecided) as refusal:
        await play.decide(verifying, "slrt.taraju", task_id=task_id)
    assert refusal.data["decided_by"] == str(user("puskesos.taraju"))
    assert refusal.data["outcome"] == "forward"
    assert refusal.data["task_id"] == str(task_id)


async def test_two_attempts_of_one_act_at_the_same_time_are_one_decision_with_one_answer(
    play: Play,
    verifying: UUID,
) -> None:
    act = Act(
        act_id=await play.scene.ask(verifying, "puskesos.taraju", FORWARD),
        kind=ActKind.DECIDE,
        task_id=(await play.case(verifying)).task,
    )
    answers = await asyncio.gather(*(play.record(verifying, act) for _ in range(5)))
    assert len({answer.model_dump_json() for answer in answers}) == 1
    assert len(await play.scene.rows("SELECT 1 FROM decisions WHERE stage = 'verification'")) == 1


async def test_act_repeated_later_has_its_first_result_and_the_case_stands_where_it_stands_now(
    play: Play,
    verifying: UUID,
) -> None:
    act = Act(
        act_id=await play.scene.ask(verifying, "puskesos.taraju", FORWARD),
        kind=ActKind.DECIDE,
        task_id=(await play.case(verifying)).task,
    )
    first = await play.record(verifying, act)
    await play.forward_to(verifying, Stage.ENDORSEMENT)
    again = await play.record(verifying, act)
    assert again.result == first.result
    assert isinstance(again.next, AwaitDecision)
    assert again.next.stage is Stage.ENDORSEMENT
    await play.through(verifying)
    closed = await play.record(verifying, act)
    assert closed.result == first.result
    assert isinstance(closed.next, Closed)


async def test_act_that_nobody_recorded_is_refused_and_holds_nobody_up(play: Play, verifying: UUID) -> None:
    with refused(NotFound):
        await play.record(verifying, Act(act_id=uuid4(), kind=ActKind.DECIDE, task_id=uuid4()))


async def test_task_of_another_case_is_not_found(play: Play, verifying: UUID) -> None:
    other = await play.begin(floor_area(31), place=1)
    await play.forward_to(other, Stage.VERIFICATION)
    task_id = (await play.case(other)).task
    await play.decide(other, "puskesos.taraju")
    with refused(NotFound):
        await play.decide(verifying, "puskesos.taraju", task_id=task_id)


async def test_refused_decision_leaves_nothing_behind(play: Play, verifying: UUID) -> None:
    before = [await play.case(verifying), len(await play.scene.events(verifying))]
    with refused(InvalidInput) as refusal:
        await play.decide(verifying, "puskesos.taraju", Outcome.REJECT)
    assert [violation["code"] for violation in refusal.violations] == ["reason_unfit"]
    with refused(Forbidden):
        await play.decide(verifying, "kades.taraju")
    with refused(NotFound):
        await play.decide(verifying, "puskesos.cikubang")
    assert [await play.case(verifying), len(await play.scene.events(verifying))] == before
    assert await play.scene.rows("SELECT 1 FROM decisions WHERE decided_by = 'officer'") == []


async def test_submitter_who_is_also_the_verifier_cannot_verify(play: Play) -> None:
    update_id = await play.begin(floor_area(30), by="puskesos.taraju")
    await play.forward_to(update_id, Stage.VERIFICATION)
    with refused(SeparationOfDuties):
        await play.decide(update_id, "puskesos.taraju")


async def test_note_of_a_decision_is_sealed(play: Play, verifying: UUID) -> None:
    secret = "Rumah sudah direnovasi oleh anaknya."
    reason = ReasonCode.INCOMPLETE_DOCUMENTS
    await play.decide(verifying, "puskesos.taraju", Outcome.RETURN, reason=reason, note=secret)
    row = await play.scene.one("SELECT note FROM decisions WHERE note IS NOT NULL")
    assert secret.encode() not in bytes(row.note)
    assert not [event for event in await play.scene.events(verifying) if secret in str(event.data)]


async def test_resubmission_without_any_change_goes_back_to_the_stage_that_returned_it(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    step = (await play.resubmit(update_id, floor_area(30))).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.APPROVAL
    assert (await play.case(update_id)).revision == 2


async def test_repair_of_a_field_asks_again_whoever_judged_it(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    elsewhere = CircumstancesChange(
        circumstances=Circumstances(floor_area_m2=30),
        address=Address(rt="9"),
    )
    step = (await play.resubmit(update_id, elsewhere)).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.VERIFICATION
    step = (await play.decide(update_id, "puskesos.taraju")).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.APPROVAL, "the village did not judge the address"


async def test_second_return_goes_to_the_same_operator_and_back_to_the_same_officer(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    for area in (31, 32):
        await play.forward_to(update_id, Stage.APPROVAL)
        step = (await play.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)).next
        assert isinstance(step, AwaitRepair)
        await play.resubmit(update_id, floor_area(area))
    assert (await play.case(update_id)).revision == 3
    assert isinstance(await play.through(update_id), Closed)
    assert (await play.scene.rows("SELECT count(*) AS n FROM decisions WHERE outcome = 'return'"))[0].n == 2


async def test_repair_is_the_operators_and_not_decided(play: Play, verifying: UUID) -> None:
    await play.decide(verifying, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    with refused(Forbidden):
        await play.resubmit(verifying, floor_area(31), by="puskesos.taraju")
    with refused(SeparationOfDuties):
        await play.decide(verifying, "operator.taraju")


async def test_case_that_was_not_returned_is_not_resubmitted(play: Play, verifying: UUID) -> None:
    with refused(NotPossibleNow):
        await play.resubmit(verifying, floor_area(31))


@pytest.mark.parametrize("status", ["checking", *HUMAN, "returned"])
async def test_case_is_withdrawn_in_every_status_before_delivery(play: Play, status: str) -> None:
    update_id = await play.begin(floor_area(30))
    if status == "returned":
        await play.forward_to(update_id, Stage.VERIFICATION)
        await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    elif status != "checking":
        await play.forward_to(update_id, Stage(status.removeprefix("in_")))
    case = await play.case(update_id)
    assert case.status == status
    taken = await play.withdraw(update_id)
    assert isinstance(taken.next, Closed)
    assert (await play.case(update_id)).status == Status.WITHDRAWN
    with refused(CaseClosed):
        await play.decide(update_id, "puskesos.taraju", task_id=case.task)
    with refused(CaseClosed):
        await play.withdraw(update_id)


@pytest.mark.parametrize("pushed", [False, True])
async def test_case_is_not_withdrawn_once_it_is_being_delivered(
    play: Play,
    pushed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIVERY)
    if pushed:
        await play.push(update_id)
    with refused(NotPossibleNow):
        await play.withdraw(update_id)


async def test_only_the_village_operator_withdraws(play: Play, verifying: UUID) -> None:
    with refused(Forbidden):
        await play.withdraw(verifying, by="puskesos.taraju")
    with refused(NotFound):
        await play.withdraw(verifying, by="operator.cikubang")


async def test_rejection_ends_the_case_with_its_reason(play: Play, verifying: UUID) -> None:
    await play.decide(verifying, "puskesos.taraju", Outcome.REJECT, reason=ReasonCode.NOT_ELIGIBLE_MEANS)
    case = await play.case(verifying)
    assert (case.status, case.reason, case.level) == (Status.REJECTED, ReasonCode.NOT_ELIGIBLE_MEANS, 0)


async def test_foreign_run_is_refused_and_changes_nothing(play: Play, verifying: UUID) -> None:
    before = await play.case(verifying)
    with refused(ForeignRun):
        await play.open(verifying, run="run-2")
    await play.through(verifying)
    with refused(ForeignRun):
        await play.open(verifying, run="run-2")
    assert isinstance(await play.open(verifying), Closed)
    assert before.run_id == (await play.case(verifying)).run_id


async def test_missing_calendar_is_a_fault_of_a_step_and_not_the_end_of_the_case(play: Play) -> None:
    """A refusal would end the workflow for good; a fault is tried again until somebody has loaded the calendar."""
    update_id = await play.scene.submit(floor_area(30), household=household_of(0))
    play.later()
    async with play.scene.as_owner() as connection:
        await connection.execute(text("ALTER TABLE calendars DISABLE TRIGGER calendars_append_only"))
        await connection.execute(text("CREATE TABLE kept AS SELECT * FROM calendars"))
        await connection.execute(text("DELETE FROM calendars"))
    with pytest.raises(NotFound):
        await play.open(update_id)
    async with play.scene.as_owner() as connection:
        await connection.execute(text("INSERT INTO calendars SELECT * FROM kept"))
    assert (await play.case(update_id)).status == Status.RECEIVED
    await play.open(update_id)
