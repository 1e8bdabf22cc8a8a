"""Which cases the engine is reminded of: those that it should have moved by now, and no others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from activities.forgotten import remind_engine
from db.models import OutboxMessage, Task
from domain.ids import new_id
from tests.scene import SYSTEM, TARAJU, Scene, household_of
from tests.workflows.stack import floor_area

NOW: Final = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
AGO: Final = NOW - timedelta(minutes=3)
JUST: Final = NOW - timedelta(seconds=30)
LATER: Final = NOW + timedelta(days=2)


async def _case(scene: Scene, *, stage: str, opened_at: datetime, milestone: datetime, receipt: str | None) -> UUID:
    update_id = await scene.submit(floor_area(30), household=household_of(0))
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            insert(Task).values(
                id=new_id(),
                update_id=update_id,
                area_code=TARAJU,
                stage=stage,
                revision=1,
                status="open",
                opened_at=opened_at,
                due_at=LATER,
                deadline={},
                next_milestone_at=milestone,
                receipt_no=receipt,
                version=1,
            ),
        )
    return update_id


async def _remind(scene: Scene, at: datetime = NOW) -> int:
    async with scene.worker.transaction(SYSTEM) as connection:
        return await remind_engine(connection, at=at)


async def _reminded(scene: Scene) -> list[UUID]:
    reminders = select(OutboxMessage.subject_id).where(OutboxMessage.topic == "signal_deadline_moved")
    async with scene.worker.transaction(SYSTEM) as connection:
        return list(await connection.scalars(reminders))


@pytest.mark.parametrize(
    ("stage", "opened_at", "milestone", "receipt", "forgotten"),
    [
        ("approval", AGO, LATER, None, False),
        ("approval", AGO, JUST, None, False),
        ("approval", AGO, AGO, None, True),
        ("delivery", JUST, LATER, None, False),
        ("delivery", AGO, LATER, None, True),
        ("delivery", AGO, LATER, "SIKS-1", False),
        ("identity_check", AGO, LATER, None, True),
    ],
)
async def test_engine_is_reminded_of_what_is_overdue_or_undone(
    scene: Scene,
    stage: str,
    opened_at: datetime,
    milestone: datetime,
    receipt: str | None,
    forgotten: bool,  # noqa: FBT001  a parameter of the table above
) -> None:
    update_id = await _case(scene, stage=stage, opened_at=opened_at, milestone=milestone, receipt=receipt)
    assert await _remind(scene) == int(forgotten)
    assert await _reminded(scene) == ([update_id] if forgotten else [])


async def test_case_whose_partner_stays_away_is_reminded_of_now_and_then(scene: Scene) -> None:
    await _case(scene, stage="delivery", opened_at=AGO, milestone=LATER, receipt=None)
    assert await _remind(scene) == 1
    assert await _remind(scene, NOW + timedelta(hours=1)) == 0, "the reminder has not even been sent"
    async with scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(update(OutboxMessage).values(done_at=NOW))
    assert await _remind(scene, NOW + timedelta(minutes=9)) == 0
    assert await _remind(scene, NOW + timedelta(minutes=11)) == 1
