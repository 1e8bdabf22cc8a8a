"""A no against which another office has said yes: both are heard, and somebody outside both decides."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.contracts import Act, ActKind, AwaitDecision, Closed
from domain.decisions import DecisionInput
from domain.errors import Forbidden, NotPossibleNow, TaskAlreadyDecided
from domain.requests import CorrectionRequest, DecisionRequest
from domain.supervision import CorrectionInput, CorrectionReason
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.workflows.stack import floor_area

MEANS = ReasonCode.NOT_ELIGIBLE_MEANS
PHOTO = ReasonCode.UNCLEAR_PHOTO


async def in_conflict(play: Play) -> UUID:
    """The village has agreed, and the Dinas says no."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    step = (await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)).next
    assert isinstance(step, AwaitDecision)
    assert (step.stage, step.status, step.level) == (Stage.OPINION, Status.IN_CONFLICT, 1)
    return update_id


async def heard(play: Play) -> UUID:
    """Both have said what they hold to be right."""
    update_id = await in_conflict(play)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD, note="Warga miskin.")
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS, note="Dua mobil.")
    return update_id


async def escalated_to(play: Play, update_id: UUID) -> set[str]:
    """To whom the conflict has taken the case."""
    of_conflict = "SELECT to_role FROM escalations WHERE update_id = :id AND cause = 'authority_conflict'"
    return {row.to_role for row in await play.scene.rows(of_conflict, id=update_id)}


async def test_a_rejection_of_what_the_village_forwarded_is_not_the_end(play: Play) -> None:
    update_id = await in_conflict(play)
    case = await play.case(update_id)
    assert (case.status, case.level, case.cause, case.reason) == ("in_conflict", 1, "authority_conflict", None)
    assert await escalated_to(play, update_id) == {"regency_assistant"}
    assert "update.conflict_opened" in [event.type for event in await play.scene.events(update_id)]
    told = "SELECT to_role FROM notifications WHERE update_id = :id AND subject = 'conflict'"
    roles = {row.to_role for row in await play.scene.rows(told, id=update_id)}
    assert {"village_head", "regency_verifier", "regency_assistant"} <= roles


async def test_both_speak_for_what_they_decided_and_the_assistant_lets_it_go_on(play: Play) -> None:
    update_id = await heard(play)
    assert (await play.case(update_id)).stage == "conflict"
    step = (await play.decide(update_id, "asisten", Outcome.FORWARD, minutes=None)).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.ENDORSEMENT
    assert (await play.case(update_id)).level == 0


async def test_what_is_decided_outside_both_offices_binds(play: Play) -> None:
    update_id = await heard(play)
    ended = (await play.decide(update_id, "asisten", Outcome.REJECT, reason=MEANS, minutes=None)).next
    assert isinstance(ended, Closed)
    assert ended.status is Status.REJECTED


async def test_after_a_return_out_of_a_conflict_the_stage_that_said_no_decides_for_good(play: Play) -> None:
    update_id = await heard(play)
    reason = ReasonCode.INCOMPLETE_DOCUMENTS
    await play.decide(update_id, "asisten", Outcome.RETURN, reason=reason, minutes=None)
    await play.resubmit(update_id, floor_area(30))
    assert (await play.case(update_id)).stage == "approval"
    ended = (await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)).next
    assert isinstance(ended, Closed)


async def test_nobody_of_the_two_offices_decides_and_nobody_speaks_twice(play: Play) -> None:
    update_id = await in_conflict(play)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD)
    with refused(NotPossibleNow):
        await play.decide(update_id, "kades.taraju", Outcome.FORWARD)
    with refused(Forbidden):
        await play.decide(update_id, "asisten", Outcome.FORWARD)
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    with refused(Forbidden):
        await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    with refused(Forbidden):
        await play.decide(update_id, "kades.taraju", Outcome.FORWARD)


async def test_silence_goes_on_at_the_deadline_and_is_noted_as_no_opinion(play: Play) -> None:
    update_id = await in_conflict(play)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD)
    due = (await play.case(update_id)).due_at
    early = await play.milestone(update_id, at=due - timedelta(seconds=1))
    assert isinstance(early, AwaitDecision)
    assert early.stage is Stage.OPINION
    late = await play.milestone(update_id, at=due)
    assert isinstance(late, AwaitDecision)
    assert late.stage is Stage.CONFLICT
    (data,) = [e.data for e in await play.scene.events(update_id) if e.type == "update.opinions_heard"]
    assert (data["given"], data["none_given"]) == (["village_head"], ["regency_verifier"])


async def test_an_opinion_in_the_second_of_the_deadline_has_one_outcome(play: Play) -> None:
    update_id = await in_conflict(play)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD)
    case = await play.case(update_id)
    await play.milestone(update_id, at=case.due_at)
    decision = DecisionInput(outcome=Outcome.REJECT, reason=MEANS)
    act_id = await play.scene.ask(update_id, "verifikator", DecisionRequest(body=decision))
    act = Act(act_id=act_id, kind=ActKind.DECIDE, task_id=case.task)
    with refused(TaskAlreadyDecided):
        await play.record(update_id, act)
    assert (await play.case(update_id)).stage == "conflict"


@pytest.mark.parametrize(("reason", "opens"), [(ReasonCode.DUPLICATE, True), (PHOTO, False)])
async def test_the_second_substantive_return_opens_a_conflict(play: Play, reason: ReasonCode, *, opens: bool) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    for _ in range(2):
        assert (await play.case(update_id)).stage == "verification"
        await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=reason)
        if (await play.case(update_id)).status == "returned":
            await play.resubmit(update_id, floor_area(30))
    case = await play.case(update_id)
    assert case.stage == ("opinion" if opens else "verification")
    if opens:
        assert await escalated_to(play, update_id) == {"subdistrict_head"}


async def test_a_case_in_conflict_is_sent_back_by_hand_and_withdrawn_like_any_other(play: Play) -> None:
    update_id = await in_conflict(play)
    order = CorrectionInput(to=Stage.APPROVAL, reason=CorrectionReason.STUCK)
    act_id = await play.scene.ask(update_id, "admin", CorrectionRequest(body=order))
    await play.record(update_id, Act(act_id=act_id, kind=ActKind.CORRECT))
    assert (await play.case(update_id)).stage == "approval"
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    assert isinstance((await play.withdraw(update_id)).next, Closed)
