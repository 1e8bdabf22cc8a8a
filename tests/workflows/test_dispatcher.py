"""What was promised to the engine reaches it, whatever happens to the dispatcher meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert

from db.models import OutboxMessage
from domain.ids import new_id
from domain.vocabulary import Stage
from tests.scene import household_of
from tests.workflows.line import line_to
from tests.workflows.stack import Stack, floor_area, until


async def test_submission_while_the_worker_has_no_database_is_started_when_it_has_one(stack: Stack) -> None:
    async with line_to(stack.scene) as (line, database), stack.working(database=database):
        first = await stack.submit()
        await stack.forward_to(first, Stage.VERIFICATION)
        line.cut()
        second = await stack.submit(floor_area(31), household=household_of(1))
        await asyncio.sleep(0.5)  # the dispatcher tries every 50 ms, and fails
        line.release()
        await stack.forward_to(second, Stage.VERIFICATION)


async def test_message_that_cannot_be_sent_keeps_no_other_from_being_sent(stack: Stack) -> None:
    at = datetime.now(UTC)
    async with stack.scene.as_owner() as connection:
        astray: dict[str, Any] = {"topic": "start_update", "payload": {}, "available_at": at}
        await connection.execute(insert(OutboxMessage), [astray | {"subject_id": new_id()} for _ in range(3)])
    update_id = await stack.submit()
    async with stack.working():
        await stack.forward_to(update_id, Stage.VERIFICATION)


async def test_two_dispatchers_start_each_case_once(stack: Stack) -> None:
    other = await stack.beside()
    async with stack.working(), other.working():
        cases = [await stack.submit(floor_area(30), household=household_of(place)) for place in range(5)]
        for update_id in cases:
            await stack.forward_to(update_id, Stage.VERIFICATION)
        pending = "SELECT 1 FROM outbox WHERE done_at IS NULL"
        await until(lambda: stack.scene.rows(pending), lambda rows: not rows)
    started = await stack.scene.rows("SELECT stream FROM audit_events WHERE type = 'update.engine_started'")
    assert len(started) == len(cases)
