"""Each rung once, at its time or at once when nobody may decide, and never past the holder's right to decide."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Row, text

from domain.contracts import AwaitDecision, AwaitRepair, Closed, PassMilestone
from domain.deadlines import Deadline
from domain.errors import Forbidden, TaskAlreadyDecided
from domain.ladder import rung_times
from domain.policy import default_policy
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.scene import SYSTEM, household_of, user
from tests.workflows.stack import floor_area

DEUDEUL = "32.06.13.2003"


async def escalations(play: Play, update_id: UUID) -> list[Row[Any]]:
    return await play.scene.rows(
        "SELECT * FROM escalations WHERE update_id = :id ORDER BY fired_at, rung", id=update_id
    )


async def rungs(play: Play, update_id: UUID) -> list[tuple[int, str, str, int]]:
    return [(row.rung, row.to_role, row.cause, row.level) for row in await escalations(play, update_id)]


async def told(play: Play, subject: str) -> set[str]:
    rows = await play.scene.rows(
        "SELECT to_role FROM notifications WHERE subject = :s AND to_role IS NOT NULL", s=subject
    )
    return {row.to_role for row in rows}


@pytest.fixture
async def verifying(play: Play) -> UUID:
    """A case in verification, whose deciders are there."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    return update_id


async def test_silence_climbs_the_whole_ladder_and_then_digests_repeat(play: Play, verifying: UUID) -> None:
    case = await play.case(verifying)
    async with play.scene.worker.transaction(SYSTEM) as connection:
        calendar = await play.scene.rules.calendar(connection, case.area_code)
    ladder = default_policy().stage(Stage.VERIFICATION).ladder
    expected = rung_times(ladder, Deadline.model_validate(case.deadline), calendar=calendar)
    for _ in range(7):
        step = await play.milestone(verifying)
        assert isinstance(step, AwaitDecision)
    fired = await escalations(play, verifying)
    assert [row.due_at for row in fired] == list(expected)
    assert [(row.action, row.to_role, row.level) for row in fired] == [
        ("remind", "holder", 0),
        ("escalate", "district_supervisor", 1),
        ("escalate", "regency_head", 2),
        ("escalate", "regency_assistant", 3),
    ]
    after = await play.case(verifying)
    assert (after.level, after.cause, after.digests_sent) == (3, "deadline", 3)
    assert await told(play, "reminder") == {"puskesos_officer"}
    assert {"district_supervisor", "regency_head", "regency_assistant", "evaluator"} <= await told(play, "escalation")
    assert await told(play, "digest") == {"regency_secretary", "regent"}


async def test_milestone_passed_twice_fires_its_rung_once(play: Play, verifying: UUID) -> None:
    await play.milestone(verifying)
    once = await play.case(verifying)
    again = await play.milestone(verifying, at=play.now)
    assert again.wake_at is not None
    assert again.wake_at > play.now
    assert await play.case(verifying) == once
    assert len(await escalations(play, verifying)) == 1


async def test_digest_asked_for_twice_is_sent_once(play: Play, verifying: UUID) -> None:
    for _ in range(5):
        await play.milestone(verifying)
    await play.milestone(verifying, at=play.now)
    rows = await play.scene.rows("SELECT count(*) AS n FROM notifications WHERE subject = 'digest'")
    assert rows[0].n == 2, "one to the secretary and one to the regent"


async def test_digests_that_are_told_a_little_late_lose_no_day(play: Play, verifying: UUID) -> None:
    """A digest due at closing time is told within the minute after it, which counts as the next morning."""
    while (await play.case(verifying)).level < 3:
        await play.milestone(verifying)
    async with play.scene.worker.transaction(SYSTEM) as connection:
        calendar = await play.scene.rules.calendar(connection, "32.06.13.2001")
    days = [calendar.local_day((await play.case(verifying)).next_milestone_at)]
    for _ in range(5):
        due = (await play.case(verifying)).next_milestone_at
        await play.milestone(verifying, at=due + timedelta(seconds=40))
        days.append(calendar.local_day((await play.case(verifying)).next_milestone_at))
    assert days == [calendar.add_working_days(days[0], n) for n in range(6)]


async def test_rung_is_fired_once_by_many_at_the_same_moment(play: Play, verifying: UUID) -> None:
    due_at = (await play.case(verifying)).due_at
    await asyncio.gather(*(play.milestone(verifying, at=due_at) for _ in range(6)))
    assert [row.rung for row in await escalations(play, verifying)] == [0, 1]


async def test_rungs_that_were_slept_through_fire_together_in_order_with_their_own_due_times(
    play: Play,
    verifying: UUID,
) -> None:
    due_at = (await play.case(verifying)).due_at
    await play.milestone(verifying, at=due_at + timedelta(days=30))
    fired = await escalations(play, verifying)
    assert [row.rung for row in fired] == [0, 1, 2, 3]
    assert [row.due_at for row in fired] == sorted(row.due_at for row in fired)
    assert len({row.fired_at for row in fired}) == 1
    assert (await play.case(verifying)).next_milestone_at > play.now


async def test_milestone_of_a_task_that_is_closed_changes_nothing(play: Play, verifying: UUID) -> None:
    case = await play.case(verifying)
    await play.decide(verifying, "puskesos.taraju")
    now = await play.case(verifying)
    step = await play.casework.pass_milestone(
        PassMilestone(update_id=verifying, task_id=case.task, at=case.due_at + timedelta(days=9)),
    )
    assert isinstance(step.next, AwaitDecision)
    assert step.next.stage is Stage.DELIBERATION
    assert await play.case(verifying) == now


async def test_supervisor_may_decide_from_the_deadline_on_and_not_before(play: Play, verifying: UUID) -> None:
    with refused(Forbidden):
        await play.decide(verifying, "slrt.taraju")
    await play.milestone(verifying, at=(await play.case(verifying)).due_at)
    await play.decide(verifying, "slrt.taraju")
    decision = await play.scene.one("SELECT * FROM decisions WHERE stage = 'verification'")
    assert (decision.actor_id, decision.actor_role) == (user("slrt.taraju"), "district_supervisor")


async def test_former_holder_can_still_decide_after_everybody_above_has_been_told(play: Play, verifying: UUID) -> None:
    await play.milestone(verifying, at=(await play.case(verifying)).due_at + timedelta(days=30))
    taken = await play.decide(verifying, "puskesos.taraju")
    assert taken.next.status is Status.IN_DELIBERATION
    assert taken.next.level == 0, "the next task begins at the foot of its own ladder"


async def test_decision_at_the_instant_of_the_deadline_has_one_outcome(play: Play, verifying: UUID) -> None:
    case = await play.case(verifying)
    play.now = case.due_at - timedelta(hours=1)

    async def first() -> str:
        try:
            await play.decide(verifying, "puskesos.taraju", task_id=case.task)
        except Exception as error:  # noqa: BLE001 - whichever it is, it is looked at below
            return str(getattr(error, "type", error))
        return "decided"

    holder, supervisor_told = await asyncio.gather(first(), play.milestone(verifying, at=case.due_at))
    assert holder == "decided"
    assert supervisor_told.status in {Status.IN_VERIFICATION, Status.IN_DELIBERATION}
    assert len(await play.scene.rows("SELECT 1 FROM decisions WHERE stage = 'verification'")) == 1
    with refused(TaskAlreadyDecided):
        await play.decide(verifying, "slrt.taraju", task_id=case.task)


async def test_operator_who_is_the_only_verifier_sends_the_case_to_the_supervisor_at_once_and_it_goes_on(
    play: Play,
) -> None:
    update_id = await play.begin(
        floor_area(30),
        place=None,
        household=household_of(0, village=DEUDEUL),
        area_code=DEUDEUL,
        by="serba.deudeul",
    )
    await play.forward_to(update_id, Stage.VERIFICATION)
    case = await play.case(update_id)
    assert (case.level, case.cause) == (1, "no_eligible_decider")
    assert await rungs(play, update_id) == [(1, "district_supervisor", "no_eligible_decider", 1)]
    assert (await escalations(play, update_id))[0].fired_at == case.opened_at

    await play.milestone(update_id)
    assert [rung for rung, *_ in await rungs(play, update_id)] == [1, 0], "its reminder still comes half-way"
    step = (await play.decide(update_id, "slrt.taraju")).next
    assert isinstance(step, AwaitDecision)
    assert (step.stage, step.level) == (Stage.DELIBERATION, 0)
    assert (await play.case(update_id)).cause is None


async def remove_from_office(play: Play, *usernames: str) -> None:
    async with play.scene.as_owner() as connection:
        for username in usernames:
            await connection.execute(text("DELETE FROM memberships WHERE user_id = :id"), {"id": user(username)})


async def test_task_that_nobody_in_the_whole_ladder_may_decide_holds_and_is_told_of_again_and_again(play: Play) -> None:
    await remove_from_office(play, "puskesos.taraju", "slrt.taraju")
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    case = await play.case(update_id)
    assert (case.level, case.cause) == (3, "no_eligible_decider")
    assert [rung for rung, *_ in await rungs(play, update_id)] == [1, 2, 3]
    await play.milestone(update_id)
    for _ in range(3):
        step = await play.milestone(update_id)
        assert isinstance(step, AwaitDecision)
    after = await play.case(update_id)
    assert after.digests_sent == 3
    assert after.status == Status.IN_VERIFICATION


async def test_officer_whose_account_is_disabled_is_nobody_to_wait_for(play: Play) -> None:
    async with play.scene.as_owner() as connection:
        statement = text("UPDATE users SET disabled = true WHERE id = :id")
        await connection.execute(statement, {"id": user("puskesos.taraju")})
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    assert (await play.case(update_id)).cause == "no_eligible_decider"


async def test_overdue_repair_escalates_and_can_still_be_sent_in(play: Play, verifying: UUID) -> None:
    await play.decide(verifying, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    before = await play.case(verifying)
    for _ in range(4):
        step = await play.milestone(verifying)
        assert isinstance(step, AwaitRepair)
    assert [role for _, role, *_ in await rungs(play, verifying)] == [
        "holder",
        "district_supervisor",
        "regency_head",
        "regency_assistant",
    ]
    assert (await play.case(verifying)).level == 3
    assert before.level == 0
    step = (await play.resubmit(verifying, floor_area(31))).next
    assert isinstance(step, AwaitDecision)
    assert step.level == 0


async def test_silent_ministry_is_told_of_to_those_who_can_ask_and_nobody_decides_in_its_place(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIVERY)
    await play.push(update_id)
    for _ in range(5):
        await play.milestone(update_id)
    assert (await play.case(update_id)).status == Status.APPROVED_LOCAL
    with refused(Forbidden):
        await play.decide(update_id, "kabid")
    assert isinstance(await play.ministry_says(update_id), Closed)


async def test_deadline_of_a_remote_village_is_later(play: Play) -> None:
    near = await play.begin(floor_area(30))
    await play.forward_to(near, Stage.VERIFICATION)
    async with play.scene.as_owner() as connection:
        await connection.execute(text("UPDATE areas SET remoteness = 2 WHERE code = '32.06.13.2001'"))
    remote = Play(play.scene)
    far = await remote.begin(floor_area(31), place=1)
    await remote.forward_to(far, Stage.VERIFICATION)
    assert (await play.case(far)).due_at > (await play.case(near)).due_at
    given = Deadline.model_validate((await play.case(far)).deadline).credits
    assert [(credit.working_days, credit.cause) for credit in given] == [(5, "remote_area")]
