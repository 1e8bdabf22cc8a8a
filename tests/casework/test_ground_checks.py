"""Somebody who has not touched the case looks in the field before the stage that waits for it decides."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.changes import Objection
from domain.changes.objection import Ground
from domain.circumstances import Circumstances
from domain.contracts import Act, ActKind, AwaitDecision
from domain.errors import (
    Forbidden,
    GroundCheckAwaited,
    InvalidInput,
    NotPossibleNow,
    SeparationOfDuties,
    TaskAlreadyDecided,
)
from domain.ground_checks import Observed
from domain.places import Standpoint
from domain.policy import Policy, default_policy
from domain.policy.ground_checks import DrawTrigger
from domain.requests import GroundReportRequest
from domain.vocabulary import EscalationCause, GroundOutcome, Outcome, ReasonCode, Stage, Strength
from tests.casework.field import Field
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.ground import LOOKER, located
from tests.scene import user
from tests.workflows.stack import floor_area

OBJECTION = Objection(ground=Ground.BETTER_OFF, statement="Punya dua mobil.")


@pytest.fixture
def field(play: Play) -> Field:
    """The field around the cases that are played."""
    return Field(play)


async def objected(play: Play, **what: Any) -> UUID:
    """An objection, about which the civil registry has nothing to say against."""
    update_id = await play.begin(OBJECTION, **what)
    await play.registry_says(update_id)
    assert (await play.case(update_id)).stage == "ground_check"
    return update_id


async def checks(play: Play, update_id: UUID) -> list[Any]:
    return await play.scene.rows("SELECT * FROM ground_checks WHERE update_id = :id ORDER BY id", id=update_id)


async def test_an_objection_is_looked_at_before_it_is_verified(play: Play, field: Field) -> None:
    update_id = await objected(play)
    case = await play.case(update_id)
    assert (case.status, case.level) == ("in_verification", 0)
    (check,) = await checks(play, update_id)
    assert (check.gates, check.triggers, check.requested_by) == ("verification", ["kind"], None)
    step = (await field.report(update_id)).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.VERIFICATION
    (filed,) = await play.scene.rows("SELECT * FROM ground_reports WHERE update_id = :id", id=update_id)
    assert (filed.outcome, filed.far, filed.filed_by) == ("found_as_reported", None, user(LOOKER))
    assert "update.ground_checked" in [event.type for event in await play.scene.events(update_id)]
    told = "SELECT to_role FROM notifications WHERE update_id = :id AND subject = :subject"
    assert {r.to_role for r in await play.scene.rows(told, id=update_id, subject="ground_check")} == {"ground_checker"}
    assert {r.to_role for r in await play.scene.rows(told, id=update_id, subject="ground_checked")} == {
        "puskesos_officer"
    }
    await play.decide(update_id, "puskesos.taraju")
    assert (await play.case(update_id)).stage == "approval"


async def test_nobody_decides_before_the_report_has_come(play: Play) -> None:
    update_id = await objected(play)
    for somebody in ("puskesos.taraju", LOOKER, "verifikator"):
        with refused(GroundCheckAwaited):
            await play.decide(update_id, somebody)


@pytest.mark.parametrize(("proposed", "looked_at"), [(0, False), (1, True)])
async def test_a_value_from_the_threshold_on_is_looked_at(play: Play, proposed: int, *, looked_at: bool) -> None:
    change = floor_area(30)
    facts = change.circumstances
    assert facts is not None
    with_cars = change.model_copy(update={"circumstances": facts.model_copy(update={"cars": proposed})})
    update_id = await play.begin(with_cars)
    await play.registry_says(update_id)
    assert (await play.case(update_id)).stage == ("ground_check" if looked_at else "verification")
    assert [check.triggers for check in await checks(play, update_id)] == ([["value:cars"]] if looked_at else [])


async def test_the_draw_is_written_down_and_is_the_same_whoever_draws(play: Play, field: Field) -> None:
    version = await play.scene.publish(drawing(share=0.5))
    drawn: dict[bool, int] = {True: 0, False: 0}
    for place in range(6):
        update_id = await play.begin(floor_area(30), place=place, policy_version_id=version)
        await play.registry_says(update_id)
        (told,) = [e.data for e in await play.scene.events(update_id) if e.type == "update.ground_check_drawn"]
        assert told["drawn"] is (told["number"] < told["share"])
        assert (await play.case(update_id)).stage == ("ground_check" if told["drawn"] else "verification")
        drawn[bool(told["drawn"])] += 1
        if told["drawn"]:
            await field.report(update_id)
        await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
        await play.resubmit(update_id, floor_area(30))
        again = [e.data for e in await play.scene.events(update_id) if e.type == "update.ground_check_drawn"]
        assert again == [told]
        assert (await play.case(update_id)).stage == "verification"


def drawing(*, share: float) -> Policy:
    policy = default_policy(area_code="32.06")
    rule = policy.ground_checks
    assert rule is not None
    draw = DrawTrigger(gates=Stage.VERIFICATION, share=share, source="Uji", strength=Strength.PROPOSAL)
    return policy.model_copy(update={"ground_checks": rule.model_copy(update={"at_random": (draw,)})})


@pytest.mark.parametrize(
    ("reason", "looked_at"), [(ReasonCode.SOURCE_CONFLICT, True), (ReasonCode.INCOMPLETE_DOCUMENTS, False)]
)
async def test_what_the_regency_returned_because_it_doubts_the_facts_is_looked_at(
    play: Play, reason: ReasonCode, *, looked_at: bool
) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.RETURN, reason=reason)
    await play.resubmit(update_id, floor_area(30))
    case = await play.case(update_id)
    assert (case.status, case.stage) == ("in_approval", "ground_check" if looked_at else "approval")
    if looked_at:
        await play.look(update_id)
        assert (await play.case(update_id)).stage == "approval"


async def test_an_officer_asks_once_for_each_revision_and_goes_on_with_what_was_left(play: Play, field: Field) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    before = await play.case(update_id)
    result = await field.ask(update_id, "puskesos.taraju")
    assert isinstance(result.next, AwaitDecision)
    assert result.next.stage is Stage.GROUND_CHECK
    with refused(GroundCheckAwaited):
        await play.decide(update_id, "puskesos.taraju", task_id=before.task)
    (check,) = await checks(play, update_id)
    assert (check.triggers, check.reason, check.requested_by) == (["by_hand"], "facts_doubted", user("puskesos.taraju"))
    await field.report(update_id)
    after = await play.case(update_id)
    assert (after.stage, after.task, after.opened_at) == ("verification", before.task, before.opened_at)
    with refused(NotPossibleNow):
        await field.ask(update_id, "puskesos.taraju")
    told = "SELECT to_user_id FROM notifications WHERE update_id = :id AND subject = 'ground_checked'"
    people = {row.to_user_id for row in await play.scene.rows(told, id=update_id)}
    assert user("puskesos.taraju") in people


async def test_who_supervises_asks_too_and_who_has_nothing_to_do_with_it_does_not(play: Play, field: Field) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    with refused(Forbidden):
        await field.ask(update_id, "verifikator")
    with refused(Forbidden):
        await field.ask(update_id, "operator.taraju")
    await field.ask(update_id, "slrt.taraju")
    assert (await play.case(update_id)).stage == "ground_check"


async def test_the_stage_that_the_policy_does_not_name_asks_for_nobody(play: Play, field: Field) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIBERATION)
    with refused(NotPossibleNow):
        await field.ask(update_id, "kades.taraju")


async def test_who_asked_does_not_look_and_who_looked_does_not_decide(play: Play, field: Field) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    await field.ask(update_id, "slrt.taraju")
    await play.milestone(update_id)
    await play.milestone(update_id)
    assert (await play.case(update_id)).level == 1
    with refused(SeparationOfDuties):
        await field.report(update_id, "slrt.taraju")
    await field.report(update_id)
    with refused(Forbidden):
        await play.decide(update_id, LOOKER)


async def test_whoever_only_said_something_about_the_case_before_does_not_look(play: Play, field: Field) -> None:
    update_id = await play.begin(OBJECTION)
    await field.comment(update_id, LOOKER)
    await play.registry_says(update_id)
    case = await play.case(update_id)
    assert (case.stage, case.level, case.cause) == ("ground_check", 1, EscalationCause.NO_ELIGIBLE_DECIDER)
    with refused(SeparationOfDuties):
        await field.report(update_id)
    await field.report(update_id, "slrt.taraju")
    assert (await play.case(update_id)).stage == "verification"


async def test_who_stands_in_for_somebody_who_touched_the_case_does_not_look(play: Play, field: Field) -> None:
    update_id = await play.begin(OBJECTION)
    await field.comment(update_id, LOOKER)
    await field.lend(LOOKER, to="bpd.taraju")
    await play.registry_says(update_id)
    assert (await play.case(update_id)).cause == EscalationCause.NO_ELIGIBLE_DECIDER
    with refused(SeparationOfDuties):
        await field.report(update_id, "bpd.taraju")


async def test_each_rung_of_a_late_check_fires_once(play: Play) -> None:
    update_id = await objected(play)
    for _ in range(3):
        case = await play.case(update_id)
        for _ in range(2):
            await play.pass_task(update_id, case.task, at=case.next_milestone_at)
    rungs = "SELECT rung, to_role FROM escalations WHERE update_id = :id ORDER BY rung"
    fired = [(row.rung, row.to_role) for row in await play.scene.rows(rungs, id=update_id)]
    assert fired == [(0, "holder"), (1, "district_supervisor"), (2, "regency_head")]


async def test_of_two_reports_one_is_taken_and_the_other_hears_who_was_first(play: Play, field: Field) -> None:
    update_id = await objected(play)
    task_id = (await play.case(update_id)).task
    await field.report(update_id)
    with refused(TaskAlreadyDecided) as refusal:
        await field.report(update_id, task_id=task_id)
    assert refusal.data["decided_by"] == str(user(LOOKER))
    assert len(await play.scene.rows("SELECT 1 FROM ground_reports WHERE update_id = :id", id=update_id)) == 1


async def test_a_report_that_comes_twice_is_filed_once(play: Play, field: Field) -> None:
    update_id = await objected(play)
    body = await field.found()
    act_id = await play.scene.ask(update_id, LOOKER, GroundReportRequest(body=body))
    act = Act(act_id=act_id, kind=ActKind.DECIDE, task_id=(await play.case(update_id)).task)
    first, second = await play.record(update_id, act), await play.record(update_id, act)
    assert first.result == second.result
    assert len(await play.scene.rows("SELECT 1 FROM ground_reports WHERE update_id = :id", id=update_id)) == 1


async def test_one_from_far_away_is_taken_with_a_warning(play: Play, field: Field) -> None:
    await located(play.scene)
    update_id = await objected(play)
    bandung = Standpoint(latitude=-6.9175, longitude=107.6191, accuracy_m=20)
    await field.report(update_id, coordinates=bandung)
    (finding,) = [f for f in (await play.scene.case(update_id)).findings if f["code"] == "ground_check_far"]
    (filed,) = await play.scene.rows("SELECT id, far FROM ground_reports WHERE update_id = :id", id=update_id)
    assert (filed.far, finding["report"]) == (True, str(filed.id))


async def test_what_is_missing_from_a_report_is_named_at_its_place(play: Play, field: Field) -> None:
    update_id = await objected(play)
    with refused(InvalidInput) as refusal:
        await field.report(
            update_id,
            photos=(uuid4(),),
            outcome=GroundOutcome.DIFFERS,
            coordinates=Standpoint(latitude=52.5, longitude=13.4, accuracy_m=5),
        )
    assert {(each["pointer"], each["code"]) for each in refusal.violations} == {
        ("/coordinates", "outside_indonesia"),
        ("/observed", "difference_missing"),
        ("/photos/0", "evidence_unknown"),
    }


async def test_what_differs_is_kept_by_its_fields_and_sealed_by_its_values(play: Play, field: Field) -> None:
    update_id = await objected(play)
    seen = Observed(circumstances=Circumstances(cars=2))
    await field.report(update_id, outcome=GroundOutcome.DIFFERS, observed=seen)
    (filed,) = await play.scene.rows("SELECT differs, content FROM ground_reports WHERE update_id = :id", id=update_id)
    assert filed.differs == ["/circumstances/cars"]
    assert b"107.99" not in bytes(filed.content)


async def test_a_check_that_is_withdrawn_or_sent_back_leaves_no_report_behind(play: Play) -> None:
    update_id = await objected(play)
    await play.withdraw(update_id)
    assert (await play.case(update_id)).status == "withdrawn"
    assert not await play.scene.rows("SELECT 1 FROM ground_reports WHERE update_id = :id", id=update_id)
