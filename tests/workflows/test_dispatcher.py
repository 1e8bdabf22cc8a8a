"""What was promised to the engine reaches it, whatever happens to the dispatcher meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from structlog.testing import capture_logs
from temporalio.client import Client

from db.models import OutboxMessage
from db.repositories.trail import stream_of_update
from devstack.temporal import TemporalServer
from domain.ids import new_id
from domain.vocabulary import Stage
from runtime.engine import Engine
from tests.scene import HOUSEHOLDS, household_of
from tests.workflows.line import Line, line_to, listening
from tests.workflows.stack import Stack, floor_area, until


async def test_submission_while_the_worker_has_no_database_is_started_when_it_has_one(stack: Stack) -> None:
    async with line_to(stack.scene) as (line, database), stack.working(database=database):
        first = await stack.submit()
        await stack.forward_to(first, Stage.VERIFICATION)
        line.cut()
        second = await stack.submit(floor_area(31), household=household_of(1))
        with capture_logs() as told:

            async def failures() -> int:
                return sum(entry["event"] == "duty.failed" and entry["duty"] == "outbox" for entry in told)

            await until(failures, lambda failed: failed > 1)
        line.release()
        await stack.forward_to(second, Stage.VERIFICATION)
    started = await stack.scene.rows("SELECT stream FROM audit_events WHERE type = 'update.engine_started'")
    assert sorted(row.stream for row in started) == sorted(map(stream_of_update, (first, second)))


async def test_message_that_cannot_be_sent_keeps_no_other_from_being_sent(stack: Stack) -> None:
    at = datetime.now(UTC)
    async with stack.scene.as_owner() as connection:
        astray: dict[str, Any] = {"topic": "start_update", "payload": {}, "available_at": at}
        await connection.execute(insert(OutboxMessage), [astray | {"subject_id": new_id()} for _ in range(3)])
    update_id = await stack.submit()
    async with stack.working():
        await stack.forward_to(update_id, Stage.VERIFICATION)
    waiting = await stack.scene.rows("SELECT subject_id FROM outbox WHERE done_at IS NULL")
    assert len(waiting) == 3
    assert update_id not in {row.subject_id for row in waiting}


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


async def test_what_waited_for_the_engine_goes_within_seconds_of_its_return_however_long_it_was_away(
    stack: Stack,
    temporal_server: TemporalServer,
) -> None:
    host, port = temporal_server.address.split(":")
    line = Line(host, int(port))
    async with listening(line) as own:
        client = await Client.connect(f"127.0.0.1:{own}", data_converter=stack.plain_client.data_converter)
        stack.engine = Engine(client, queue_prefix=stack.prefix, patience=timedelta(seconds=1))
        async with stack.working():
            line.cut()
            cases = [
                await stack.submit(floor_area(30 + number), household=household_of(number % HOUSEHOLDS))
                for number in range(25)
            ]
            put_back = "SELECT 1 FROM outbox WHERE last_error = 'engine_unavailable'"
            await until(lambda: stack.scene.rows(put_back), lambda rows: bool(rows) and stack.engine.breaker.open)
            await stack.scene.rows(
                """
                UPDATE outbox SET attempts = 6, available_at = now() + interval '1 minute', last_error = :error
                WHERE done_at IS NULL RETURNING 1
                """,
                error="engine_unavailable",
            )
            line.release()
            for update_id in cases:
                await stack.at(update_id, "in_verification")
            attempts = await stack.scene.one("SELECT max(attempts) AS most FROM outbox")
            assert attempts.most == 7, "each was sent once more"
        await stack.engine.close()
