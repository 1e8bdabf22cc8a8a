"""A duty goes on whatever happens in one turn, and ends when it is told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from structlog.testing import capture_logs

from runtime.periodic import pause, repeat

LONG = timedelta(hours=1)
AT_ONCE = timedelta(0)


async def test_a_turn_that_fails_is_written_down_and_the_next_is_taken() -> None:
    stop, turns = asyncio.Event(), list[datetime]()

    async def turn(at: datetime) -> bool:
        turns.append(at)
        if len(turns) == 1:
            raise ConnectionError("the database")
        stop.set()
        return False

    with capture_logs() as written:
        await repeat(turn, stop, name="sweeping", every=AT_ONCE)
    assert [at.tzinfo for at in turns] == [UTC, UTC]
    assert [(line["event"], line["duty"], line["error"]) for line in written] == [
        ("duty.failed", "sweeping", "ConnectionError"),
    ]


async def test_a_turn_that_leaves_something_is_followed_at_once_and_then_there_is_a_pause() -> None:
    stop, left = asyncio.Event(), 3
    rested = asyncio.Event()

    async def turn(_at: datetime) -> bool:
        nonlocal left
        left -= 1
        if not left:
            asyncio.get_running_loop().call_soon(rested.set)
        return left > 0

    duty = asyncio.create_task(repeat(turn, stop, name="sending", every=LONG))
    async with asyncio.timeout(5):
        await rested.wait()
        await asyncio.sleep(0)
        assert (left, duty.done()) == (0, False)
        stop.set()
        await duty
    assert left == 0


async def test_the_turn_under_way_is_finished() -> None:
    stop, begun, finished = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def turn(_at: datetime) -> bool:
        begun.set()
        await asyncio.sleep(0)
        finished.set()
        return True

    duty = asyncio.create_task(repeat(turn, stop, name="signing", every=LONG))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(5):
        await duty
    assert finished.is_set()


async def test_a_pause_ends_when_it_is_time_to_stop() -> None:
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(5):
        await pause(stop, LONG)
