"""Writes that go to the database together: each with its own values, all of them or none."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select

from db.models import Update
from db.repositories import trail
from db.repositories.trail import Entry, stream_of_update
from db.writes import Write, changed, send
from domain.audit import AuditType, Head
from tests.scene import SYSTEM, Scene, household_of
from tests.workflows.stack import floor_area

_AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


async def _case(scene: Scene, number: int = 0) -> UUID:
    return await scene.submit(floor_area(30), household=household_of(number))


async def _levels(scene: Scene, *cases: UUID) -> list[int]:
    async with scene.worker.transaction(SYSTEM) as connection:
        return [await connection.scalar(select(Update.level).where(Update.id == case)) or 0 for case in cases]


def _level(name: str, case: UUID, level: int) -> Write:
    return changed(name, Update, case, {"level": level})


async def test_each_has_its_own_values(scene: Scene) -> None:
    one, other = await _case(scene), await _case(scene, 1)
    async with scene.worker.transaction(SYSTEM) as connection:
        await send(connection, [])
        await send(connection, [_level("one", one, 1), _level("other", other, 2)])
    assert await _levels(scene, one, other) == [1, 2]


async def test_one_that_finds_a_row_too_few_keeps_the_others_from_being_written(scene: Scene) -> None:
    case = await _case(scene)
    entry = Entry(type=AuditType.TASK_CLAIMED)
    events = trail.appended(stream_of_update(case), [entry], Head(99, bytes(32)), at=_AT, area_code=None)
    with pytest.raises(RuntimeError, match="trail_events: 0 rows"):
        async with scene.worker.transaction(SYSTEM) as connection:
            await send(connection, [_level("raised", case, 3), *events])
    assert await _levels(scene, case) == [0]
