"""Stages that several decide, and stages that silence settles, on a real database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.contracts import AwaitDecision
from domain.errors import NotPossibleNow
from domain.policy import AtLeast, Policy, default_policy, without_draws
from domain.policy.stages import Quorum
from domain.vocabulary import Outcome, ReasonCode, Role, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.scene import user
from tests.workflows.stack import floor_area

BOTH = {"deciders": (Role.REGENCY_VERIFIER, Role.REGENCY_SUPERVISOR)}


def policy_of(stage: Stage, **changes: Any) -> Policy:
    policy = without_draws(default_policy(area_code="32.06"))
    stages = tuple(rule.model_copy(update=changes) if rule.stage is stage else rule for rule in policy.stages)
    return policy.model_copy(update={"stages": stages})


async def begun(play: Play, stage: Stage, **changes: Any) -> UUID:
    version = await play.scene.publish(policy_of(stage, **changes))
    update_id = await play.begin(floor_area(30), policy_version_id=version)
    await play.forward_to(update_id, stage)
    return update_id


async def silence(play: Play, update_id: UUID) -> object:
    """Nobody does anything, until the case has left its stage."""
    stage = (await play.case(update_id)).stage
    for _ in range(12):
        step = await play.milestone(update_id)
        if (await play.case(update_id)).stage != stage:
            return step
    raise AssertionError("the stage holds")


async def test_all_wait_for_each_role_and_the_last_one_settles(play: Play) -> None:
    update_id = await begun(play, Stage.APPROVAL, quorum="all", **BOTH)
    first = await play.decide(update_id, "verifikator")
    assert isinstance(first.next, AwaitDecision)
    assert (first.next.stage, first.result and first.result.stage) == (Stage.APPROVAL, Stage.APPROVAL)
    again = await play.decide(update_id, "verifikator2")
    assert isinstance(again.next, AwaitDecision)
    assert again.next.stage is Stage.APPROVAL
    last = await play.decide(update_id, "kabid")
    assert isinstance(last.next, AwaitDecision)
    assert last.next.stage is Stage.ENDORSEMENT
    types = [event.type for event in await play.scene.events(update_id)]
    assert (types.count("task.agreed"), types[-2:]) == (2, ["task.decided", "task.opened"])


async def test_who_has_agreed_is_not_asked_again(play: Play) -> None:
    update_id = await begun(play, Stage.APPROVAL, quorum=AtLeast(at_least=2), **BOTH)
    await play.decide(update_id, "verifikator")
    with refused(NotPossibleNow):
        await play.decide(update_id, "verifikator")
    with refused(NotPossibleNow):
        await play.decide(update_id, "verifikator", Outcome.REJECT, reason=ReasonCode.QUOTA)
    assert isinstance((await play.decide(update_id, "verifikator2")).next, AwaitDecision)
    assert (await play.case(update_id)).stage == Stage.ENDORSEMENT


async def test_one_return_ends_the_vote(play: Play) -> None:
    update_id = await begun(play, Stage.APPROVAL, quorum="all", **BOTH)
    await play.decide(update_id, "verifikator")
    await play.decide(update_id, "kabid", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    assert (await play.case(update_id)).status == Status.RETURNED
    await play.resubmit(update_id, floor_area(31))
    assert (await play.case(update_id)).stage == Stage.VERIFICATION


async def test_all_completes_after_one_of_them_has_left(play: Play) -> None:
    """The last who could agree in a role leaves: the case climbs, and who is above settles it alone."""
    update_id = await begun(play, Stage.APPROVAL, quorum="all", **BOTH)
    await play.decide(update_id, "verifikator")
    await play.scene.rows("UPDATE users SET disabled = true WHERE id = :id RETURNING 1", id=user("kabid"))
    await play.milestone(update_id)
    case = await play.case(update_id)
    assert (case.stage, case.cause) == (Stage.APPROVAL, "no_eligible_decider")
    assert case.level >= 1


@pytest.mark.parametrize("quorum", ["any", "all", AtLeast(at_least=2)], ids=["any", "all", "two"])
async def test_a_deemed_forward_really_forwards_whatever_the_quorum(play: Play, quorum: Quorum) -> None:
    update_id = await begun(play, Stage.APPROVAL, quorum=quorum, on_exhausted="deemed_forward", **BOTH)
    if quorum != "any":
        await play.decide(update_id, "verifikator")
    step = await silence(play, update_id)
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.ENDORSEMENT
    (deemed,) = await play.scene.rows(
        "SELECT stage, outcome, actor_id FROM decisions WHERE update_id = :id AND decided_by = 'timeout'",
        id=update_id,
    )
    assert (deemed.stage, deemed.outcome, deemed.actor_id) == ("approval", "forward", None)
    told = await play.scene.rows("SELECT to_role FROM notifications WHERE subject = 'deemed'")
    assert {row.to_role for row in told} >= {"regency_verifier", "regency_head", "evaluator"}
    decided = [event for event in await play.scene.events(update_id) if event.type == "task.decided"]
    assert decided[-1].data["decided_by"] == "timeout"


async def test_a_case_decided_as_its_time_runs_out_has_one_outcome(play: Play) -> None:
    update_id = await begun(play, Stage.APPROVAL, on_exhausted="deemed_forward", **BOTH)
    task = (await play.case(update_id)).task
    while (await play.case(update_id)).level < 3:
        await play.milestone(update_id)
    at = (await play.case(update_id)).next_milestone_at
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=ReasonCode.QUOTA)
    await play.pass_task(update_id, task, at=at)
    assert (await play.case(update_id)).status == Status.REJECTED
    rows = await play.scene.rows("SELECT decided_by FROM decisions WHERE task_id = :id", id=task)
    assert [row.decided_by for row in rows] == ["officer"]


async def test_without_the_policys_word_silence_decides_nothing(play: Play) -> None:
    update_id = await begun(play, Stage.APPROVAL)
    for _ in range(9):
        await play.milestone(update_id)
    assert (await play.case(update_id)).stage == Stage.APPROVAL
