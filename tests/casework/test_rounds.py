"""Cases and the rounds of their regency: for which one each counts, what waits for its opening, what rolls over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from activities.casework import Desk
from activities.forgotten import remind_engine
from db.repositories.clocks import SETTLES_AFTER
from domain.contracts import AwaitMinistry, Deliver
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.vocabulary import Stage
from duties.clock_jobs import ClockJobs
from duties.round_turns import RoundTurns
from tests.casework.play import Play
from tests.rounds import dates, moved, planned, today
from tests.scene import SYSTEM, VAULT, Scene, user
from tests.workflows.stack import floor_area

DAY = timedelta(days=1)


async def _two_rounds(play: Play, *, apart: int = 10) -> tuple[UUID, UUID, datetime]:
    """The round that is open, cut off in five days, the next one, and the moment of the cut-off."""
    day = today(play.now)
    first = await planned(play.scene, dates(day, day + 5 * DAY), at=play.now, period="2031-01")
    opens = day + (5 + apart) * DAY
    second = await planned(play.scene, dates(opens, opens + 20 * DAY), at=play.now, period="2031-02")
    return first, second, await _cut_off(play.scene, first)


async def _cut_off(scene: Scene, round_id: UUID) -> datetime:
    return (await scene.one("SELECT cutoff_at FROM round_terms WHERE round_id = :id", id=round_id)).cutoff_at


async def _opening(scene: Scene, round_id: UUID) -> datetime:
    return (await scene.one("SELECT opens_at FROM round_terms WHERE round_id = :id", id=round_id)).opens_at


async def _round_of(scene: Scene, update_id: UUID) -> UUID | None:
    return (await scene.one("SELECT round_id FROM updates WHERE id = :id", id=update_id)).round_id


async def _turn(scene: Scene, at: datetime) -> int:
    """One turn of a worker's duty."""
    with acting_from(ActOrigin(means=Means.DUTY, part="round_turns"), no_ring):
        return await RoundTurns(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(at)


async def _carry_clocks(scene: Scene, at: datetime) -> None:
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        await ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(at)


async def _rolls(scene: Scene, update_id: UUID) -> list[Any]:
    return await scene.rows("SELECT * FROM round_rolls WHERE update_id = :id", id=update_id)


async def test_what_is_approved_in_time_counts_for_the_open_round_and_is_delivered_at_once(play: Play) -> None:
    first, _, _ = await _two_rounds(play)
    update_id = await play.begin(floor_area(30))
    assert await _round_of(play.scene, update_id) is None
    assert isinstance(await play.forward_to(update_id, Stage.DELIVERY), Deliver)
    assert await _round_of(play.scene, update_id) == first
    await play.push(update_id)
    await play.ministry_says(update_id)
    assert await _round_of(play.scene, update_id) == first, "the Ministry's answer makes it no later round's"


async def test_what_is_approved_after_the_cut_off_counts_for_the_next_round_and_waits_for_its_opening(
    play: Play,
) -> None:
    scene = play.scene
    _, second, cutoff_at = await _two_rounds(play)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.ENDORSEMENT)
    play.now = cutoff_at
    step = await play.forward_to(update_id, Stage.DELIVERY)
    opens_at = await _opening(scene, second)
    assert await _round_of(scene, update_id) == second
    assert isinstance(step, AwaitMinistry), "nothing is pushed"
    assert step.wake_at is not None
    assert opens_at <= step.wake_at <= opens_at + timedelta(minutes=1)
    task = (await scene.rows("SELECT * FROM tasks WHERE update_id = :id AND status = 'open'", id=update_id))[0]
    assert task.due_at > opens_at, "its clock begins when the round opens"
    async with scene.worker.transaction(SYSTEM) as connection:
        assert await remind_engine(connection, at=opens_at - DAY) == 0, "what waits is not forgotten"
    early = await play.milestone(update_id, at=opens_at - DAY)
    assert isinstance(early, AwaitMinistry)
    assert await scene.rows("SELECT 1 FROM escalations WHERE task_id = :id", id=task.id) == []
    assert isinstance(await play.milestone(update_id, at=opens_at), Deliver)
    await play.push(update_id)
    await play.ministry_says(update_id)


async def test_a_round_that_opens_earlier_lets_what_waits_go_earlier(play: Play) -> None:
    scene = play.scene
    _, second, cutoff_at = await _two_rounds(play)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.ENDORSEMENT)
    play.now = cutoff_at
    await play.forward_to(update_id, Stage.DELIVERY)
    opens = today(cutoff_at) + 3 * DAY
    await moved(scene, second, dates(opens, opens + 20 * DAY), at=play.now)
    await _carry_clocks(scene, play.now)
    told = "SELECT 1 FROM outbox WHERE topic = 'signal_deadline_moved' AND subject_id = :id"
    assert await scene.rows(told, id=update_id) != [], "the engine is told to look earlier"
    task = (await scene.rows("SELECT * FROM tasks WHERE update_id = :id AND status = 'open'", id=update_id))[0]
    assert task.next_milestone_at == datetime.combine(opens, datetime.min.time(), task.opened_at.tzinfo) - 7 * DAY / 24
    assert isinstance(await play.milestone(update_id), Deliver)


async def test_where_no_further_round_is_planned_delivery_waits_for_nothing(play: Play) -> None:
    day = today(play.now)
    only = await planned(play.scene, dates(day, day + 5 * DAY), at=play.now)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.ENDORSEMENT)
    play.now = await _cut_off(play.scene, only)
    assert isinstance(await play.forward_to(update_id, Stage.DELIVERY), Deliver)
    assert await _round_of(play.scene, update_id) is None
    await _turn(play.scene, play.now + SETTLES_AFTER)
    assert [roll.to_round for roll in await _rolls(play.scene, update_id)] == [None]


async def test_three_workers_roll_each_case_over_once_tell_it_and_leave_out_what_was_approved(play: Play) -> None:
    scene = play.scene
    first, second, cutoff_at = await _two_rounds(play)
    late = await play.begin(floor_area(30))
    await play.forward_to(late, Stage.VERIFICATION)
    approved = await play.begin(floor_area(31), place=1)
    await play.forward_to(approved, Stage.DELIVERY)
    withdrawn = await play.begin(floor_area(32), place=2)
    await play.withdraw(withdrawn)
    approved_since = await play.begin(floor_area(33), place=3)
    await play.forward_to(approved_since, Stage.ENDORSEMENT)
    play.now = cutoff_at
    assert await _turn(scene, cutoff_at + SETTLES_AFTER / 2) == 0, "steps from before the cut-off may still be written"
    await play.forward_to(approved_since, Stage.DELIVERY)
    at = play.later()
    assert sum(await asyncio.gather(*(_turn(scene, at) for _ in range(3)))) == 2
    for update_id in (late, approved_since):
        assert [(roll.from_round, roll.to_round) for roll in await _rolls(scene, update_id)] == [(first, second)]
    assert await _rolls(scene, approved) == await _rolls(scene, withdrawn) == []
    events = [event for event in await scene.events(late) if event.type == "update.rolled_over"]
    assert [event.data["reason"] for event in events] == ["after_cutoff"]
    assert (events[0].data["from_round"], events[0].data["to_round"]) == ("2031-01", "2031-02")
    told = await scene.rows("SELECT * FROM notifications WHERE subject = 'rolled_over' AND update_id = :id", id=late)
    assert [each.to_user_id for each in told] == [user("operator.taraju")]
    assert await _turn(scene, at) == 0
    finished = await scene.rows("SELECT data FROM audit_events WHERE type = 'round.rolled_over'")
    assert [event.data for event in finished] == [{"round": "2031-01", "cases": 2}]
    assert (await scene.case(late)).status == "in_verification", "rolled over, never rejected"
    await _withdraw_all(play, late)


async def test_what_the_ministry_gave_back_before_the_cut_off_is_not_approved_and_rolls_over(play: Play) -> None:
    scene = play.scene
    _, _, cutoff_at = await _two_rounds(play)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIVERY)
    await play.push(update_id)
    await play.ministry_says(update_id, "returned", reason=None)
    assert (await scene.case(update_id)).stage == "approval"
    assert await _turn(scene, cutoff_at + 2 * SETTLES_AFTER) == 1


async def test_a_deliberation_takes_the_musdes_window_of_a_round_that_is_planned_meanwhile(play: Play) -> None:
    scene = play.scene
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIBERATION)
    opens = today(play.now) + 12 * DAY
    await planned(scene, dates(opens, opens + 6 * DAY), at=play.now)
    await _carry_clocks(scene, play.now)
    task = (await scene.rows("SELECT * FROM tasks WHERE update_id = :id AND status = 'open'", id=update_id))[0]
    assert task.deadline["window"] == {"opens": str(opens), "closes": str(opens + 6 * DAY)}
    assert today(task.due_at) >= opens + 6 * DAY
    events = [event for event in await scene.events(update_id) if event.type == "task.deadline_moved"]
    assert len(events) == 1


async def _withdraw_all(play: Play, *cases: UUID) -> None:
    for update_id in cases:
        await play.withdraw(update_id)
