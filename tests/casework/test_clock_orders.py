"""Orders over an area on open cases: the clock stands, goes on with what was left, and each order counts once."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from activities.casework import Desk
from db.models import ClockOrderRecord
from db.repositories.clocks import SETTLES_AFTER, add_job
from devstack.demo_people import TARAJU, demo_id
from domain.clock_orders import OrderKind
from domain.ids import new_id
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.vocabulary import Role, Stage
from duties.clock_jobs import ClockJobs
from tests.casework.play import Play
from tests.scene import VAULT, Scene, user
from tests.workflows.stack import floor_area

DAY = timedelta(days=1)


def _jobs(scene: Scene) -> ClockJobs:
    return ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules))


async def _carry(scene: Scene, at: datetime) -> int:
    """One turn of a worker."""
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        return await _jobs(scene).carry_on(at)


async def _order(
    scene: Scene,
    *,
    begins: datetime,
    at: datetime,
    until: datetime | None = None,
    area: str = TARAJU,
    order_id: UUID | None = None,
    version: int = 1,
    void: bool = False,
    credit_days: int | None = None,
) -> UUID:
    """A record of an order: a suspension, or with `credit_days` an outage."""
    suspension = credit_days is None
    order_id = order_id or new_id()
    async with scene.as_owner() as connection:
        job = await add_job(connection, area_code=area, cause="order", at=at)
        await connection.execute(
            insert(ClockOrderRecord).values(
                id=order_id,
                version=version,
                job_id=job,
                kind=(OrderKind.SUSPENSION if suspension else OrderKind.OUTAGE).value,
                area_code=area,
                number="360/12/2026",
                reason="landslide" if suspension else None,
                part=None if suspension else "network",
                credit_days=credit_days,
                from_at=begins,
                until_at=until,
                void=void,
                entered_by=user("kabid"),
                entered_role=Role.REGENCY_SUPERVISOR.value,
                office_id=demo_id("office", "dinsos"),
                entered_at=at,
            ),
        )
    return order_id


async def _in_verification(play: Play, *, place: int = 0) -> tuple[UUID, Any]:
    update_id = await play.begin(floor_area(30 + place), place=place)
    await play.forward_to(update_id, Stage.VERIFICATION)
    return update_id, await _task(play.scene, update_id)


async def _rungs(scene: Scene, update_id: UUID) -> int:
    return len(await scene.rows("SELECT 1 FROM escalations WHERE update_id = :id", id=update_id))


async def _task(scene: Scene, update_id: UUID) -> Any:
    return (await scene.rows("SELECT * FROM tasks WHERE update_id = :id AND status = 'open'", id=update_id))[0]


async def test_no_rung_fires_while_the_area_is_suspended_also_before_the_job_has_come(play: Play) -> None:
    update_id, case = await _in_verification(play)
    await _order(play.scene, begins=play.now, at=play.now)
    await play.milestone(update_id, at=case.due_at + DAY)
    assert await _rungs(play.scene, update_id) == 0


async def test_the_job_reckons_each_task_once_whoever_carries_it(play: Play) -> None:
    scene = play.scene
    update_id, case = await _in_verification(play)
    other, _ = await _in_verification(play, place=1)
    order_id = await _order(scene, begins=play.now, at=play.now, until=play.now + 7 * DAY)
    carried = await asyncio.gather(*(_carry(scene, play.now) for _ in range(3)))
    assert sum(carried) == 2, "three carried it, and each task was behind for one of them"
    task = await _task(scene, update_id)
    assert task.due_at > case.due_at
    for each in (update_id, other):
        moved = await scene.rows(
            "SELECT data FROM audit_events WHERE stream = :s AND type = 'task.deadline_moved'", s=f"update:{each}"
        )
        assert [event.data["orders"] for event in moved] == [[{"id": str(order_id), "number": "360/12/2026"}]]
    assert await _carry(scene, play.now) == 0, "nothing is behind it any more"


async def test_a_job_is_settled_only_when_nobody_can_still_open_a_task_without_knowing(play: Play) -> None:
    scene = play.scene
    await _in_verification(play)
    await _order(scene, begins=play.now, at=play.now)
    await _carry(scene, play.now)
    await _carry(scene, play.now)
    unsettled = "SELECT 1 FROM clock_jobs WHERE settled_at IS NULL"
    assert await scene.rows(unsettled)
    await _carry(scene, play.now + SETTLES_AFTER)
    assert not await scene.rows(unsettled)


async def test_a_job_that_died_half_way_goes_on_where_it_stood(play: Play) -> None:
    scene = play.scene
    first, _ = await _in_verification(play)
    second, case = await _in_verification(play, place=1)
    await _order(scene, begins=play.now, at=play.now, until=play.now + 7 * DAY)
    assert await _jobs(scene).reckon_case(first, play.now)
    before = await _task(scene, first)
    assert await _carry(scene, play.now) == 1, "only the one that it had not come to"
    assert (await _task(scene, first)).version == before.version
    assert (await _task(scene, second)).due_at > case.due_at


async def test_lifting_gives_back_what_was_left_and_tells_the_engine_that_it_is_earlier(play: Play) -> None:
    scene = play.scene
    update_id, case = await _in_verification(play)
    begins = play.now
    order_id = await _order(scene, begins=begins, at=begins, until=begins + 60 * DAY)
    await _carry(scene, begins)
    far = await _task(scene, update_id)
    await _order(scene, begins=begins, until=begins + 7 * DAY, at=begins + DAY, order_id=order_id, version=2)
    await _carry(scene, begins + DAY)
    near = await _task(scene, update_id)
    assert case.due_at < near.due_at < far.due_at
    of_case = "SELECT 1 FROM outbox WHERE topic = 'signal_deadline_moved' AND subject_id = :id"
    told = await scene.rows(of_case, id=update_id)
    assert len(told) == 1
    # Entered in error after all: as if it had never been.
    await _order(scene, begins=begins, at=begins + DAY, order_id=order_id, version=3, void=True)
    await _carry(scene, begins + DAY)
    assert (await _task(scene, update_id)).due_at == case.due_at


async def test_a_rung_that_is_due_when_the_order_is_lifted_fires_once_it_is_due_by_what_was_left(play: Play) -> None:
    scene = play.scene
    update_id, case = await _in_verification(play)
    begins = case.due_at - timedelta(minutes=10)
    order_id = await _order(scene, begins=begins, at=begins)
    await play.milestone(update_id, at=case.due_at)
    fired_before = await _rungs(scene, update_id)
    lifted = case.due_at + 2 * timedelta(minutes=1)
    await _order(scene, begins=begins, until=lifted, at=lifted, order_id=order_id, version=2)
    await asyncio.gather(_carry(scene, lifted), play.milestone(update_id, at=lifted))
    task = await _task(scene, update_id)
    assert await _rungs(scene, update_id) == fired_before, "ten minutes, or the day that they belong to, are left"
    await play.milestone(update_id, at=task.due_at)
    assert await _rungs(scene, update_id) > fired_before


async def test_a_decision_during_the_suspension_is_a_decision_and_the_next_task_begins_paused(play: Play) -> None:
    scene = play.scene
    update_id, _ = await _in_verification(play)
    await _order(scene, begins=play.now, at=play.now)
    await _carry(scene, play.now)
    await play.decide(update_id, "puskesos.taraju")
    task = await _task(scene, update_id)
    assert task.stage == Stage.DELIBERATION
    standing = await scene.rows(
        "SELECT order_id FROM clock_intervals WHERE task_id = :id AND to_at IS NULL AND from_at = :at",
        id=task.id,
        at=task.opened_at,
    )
    assert len(standing) == 1
    assert task.deadline["standing"]
    assert await _carry(scene, play.now) == 0, "it was opened in knowledge of the order"


async def test_an_order_entered_late_and_one_over_the_district_count_each_moment_once(play: Play) -> None:
    scene = play.scene
    update_id, case = await _in_verification(play)
    opened = case.opened_at
    later = opened + 3 * DAY
    until = opened + 14 * DAY
    await _order(scene, begins=opened - DAY, until=until, at=later)
    await _carry(scene, later)
    once = (await _task(scene, update_id)).due_at
    await _order(scene, begins=opened, until=until, at=later, area="32.06.13")
    await _carry(scene, later)
    assert (await _task(scene, update_id)).due_at == once > case.due_at


async def test_an_outage_with_a_credit_gives_its_days_once(play: Play) -> None:
    scene = play.scene
    update_id, case = await _in_verification(play)
    opened = case.opened_at
    await _order(scene, begins=opened, until=opened + DAY, at=opened + DAY, credit_days=2)
    await _order(scene, begins=opened, until=opened + DAY, at=opened + DAY, credit_days=1, area="32.06")
    await _carry(scene, opened + DAY)
    task = await _task(scene, update_id)
    assert [credit["working_days"] for credit in task.deadline["credits"] if credit["order"]] == [2]
    assert task.due_at > case.due_at
