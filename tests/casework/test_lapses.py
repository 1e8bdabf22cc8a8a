"""A repair that nobody sends in: told once, lapsed once, never before its time, and never while its clock stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.contracts import AwaitRepair, Closed, NextStep
from domain.errors import CaseClosed
from domain.policy import default_policy
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.workflows.stack import floor_area

SECOND = timedelta(seconds=1)
PHOTO = ReasonCode.UNCLEAR_PHOTO


async def returned(play: Play, **what: Any) -> UUID:
    update_id = await play.begin(floor_area(30), **what)
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=PHOTO)
    return update_id


async def told(play: Play, update_id: UUID) -> datetime:
    """Nobody does anything until the applicant was told; when the case lapses."""
    for _ in range(100):
        await play.milestone(update_id)
        if notices := await play.scene.rows("SELECT lapses_at FROM lapse_notices WHERE update_id = :id", id=update_id):
            return notices[0].lapses_at
    raise AssertionError("nobody was told")


async def lapsed(play: Play, update_id: UUID) -> NextStep:
    """Nobody does anything until the case has ended."""
    for _ in range(100):
        step = await play.milestone(update_id)
        if isinstance(step, Closed):
            return step
    raise AssertionError("it has not lapsed")


async def test_a_case_lapses_past_its_whole_ladder_and_only_after_the_applicant_was_told(play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    case = await play.case(update_id)
    assert (case.level, case.status) == (3, "returned")
    assert lapses_at - play.now >= timedelta(days=12), "ten working days"
    roles = {
        row.to_role
        for row in await play.scene.rows(
            "SELECT to_role FROM notifications WHERE update_id = :id AND subject = 'lapse_told'", id=update_id
        )
    }
    assert {"village_operator", "district_supervisor", "regency_head", "regency_assistant"} <= roles
    assert isinstance(await play.milestone(update_id, at=lapses_at - SECOND), AwaitRepair)
    ended = await play.milestone(update_id, at=lapses_at)
    assert isinstance(ended, Closed)
    assert ended.status is Status.LAPSED
    case = await play.case(update_id)
    assert (case.status, case.reason, case.stage, case.level) == ("lapsed", PHOTO, None, 0)
    types = [event.type for event in await play.scene.events(update_id)]
    assert types.count("update.lapse_told") == types.count("update.lapsed") == types.count("update.closed") == 1
    (data,) = [event.data for event in await play.scene.events(update_id) if event.type == "update.lapsed"]
    assert data["decided_by"] == "timeout"


async def test_the_same_moment_again_tells_nobody_twice_and_ends_nothing_twice(play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    task = (await play.case(update_id)).task
    for _ in range(3):
        await play.pass_task(update_id, task, at=play.now)
    for _ in range(3):
        assert isinstance(await play.pass_task(update_id, task, at=lapses_at), Closed)
    count = "SELECT count(*) AS n FROM notifications WHERE update_id = :id AND subject = :what AND to_role = :role"
    for what, role in (("lapse_told", "village_operator"), ("lapsed", "evaluator")):
        assert (await play.scene.one(count, id=update_id, what=what, role=role)).n == 1


async def test_a_repair_in_the_last_second_is_a_repair_and_one_after_it_finds_the_case_closed(play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    play.now = lapses_at - timedelta(hours=1)
    step = (await play.resubmit(update_id, floor_area(31))).next
    assert step.status is Status.IN_VERIFICATION
    other = await play.begin(floor_area(32), place=1)
    await play.forward_to(other, Stage.VERIFICATION)
    await play.decide(other, "puskesos.taraju", Outcome.RETURN, reason=PHOTO)
    await lapsed(play, other)
    with refused(CaseClosed):
        await play.resubmit(other, floor_area(33))


async def test_an_extension_after_the_notice_keeps_the_case_from_lapsing_until_it_is_used_up(play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    async with play.scene.as_owner() as connection:
        await connection.exec_driver_sql(
            "UPDATE tasks SET deadline = jsonb_set(deadline, '{credits}',"
            ' \'[{"working_days": 60, "cause": "extension"}]\') WHERE status = \'open\''
        )
    assert isinstance(await play.milestone(update_id, at=lapses_at), AwaitRepair)
    moved = await play.scene.one("SELECT lapses_at FROM lapse_notices WHERE update_id = :id", id=update_id)
    assert moved.lapses_at > lapses_at + timedelta(days=30)
    assert isinstance(await play.milestone(update_id, at=moved.lapses_at - SECOND), AwaitRepair)
    assert isinstance(await play.milestone(update_id, at=moved.lapses_at), Closed)


async def test_each_return_has_a_notice_of_its_own(play: Play) -> None:
    update_id = await returned(play)
    first = await told(play, update_id)
    await play.resubmit(update_id, floor_area(31))
    await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=PHOTO)
    assert isinstance(await play.milestone(update_id, at=first), AwaitRepair)
    await lapsed(play, update_id)
    notices = await play.scene.rows("SELECT lapsed_at FROM lapse_notices WHERE update_id = :id", id=update_id)
    assert sorted(notice.lapsed_at is None for notice in notices) == [False, True]


@pytest.mark.parametrize("stage", [Stage.VERIFICATION])
async def test_nothing_lapses_that_officers_have_nor_by_a_policy_without_a_rule(play: Play, stage: Stage) -> None:
    held = await play.begin(floor_area(30))
    await play.forward_to(held, stage)
    without = await play.scene.publish(default_policy().model_copy(update={"lapse": None}))
    update_id = await returned(play, policy_version_id=without)
    for each in (held, update_id):
        for _ in range(60):
            await play.milestone(each)
        assert (await play.case(each)).status in {"in_verification", "returned"}
    assert await play.scene.rows("SELECT 1 FROM lapse_notices") == []
