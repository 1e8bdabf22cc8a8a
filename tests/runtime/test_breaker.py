"""A circuit breaker: refuses at once, asks by itself, one probe at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from runtime.breaker import Breaker


@dataclass
class OtherSide:
    """Answers probes when a test lets it."""

    fails: bool = True
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def probe(self) -> None:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.answers.wait()
        finally:
            self.at_once -= 1
        if self.fails:
            raise ConnectionError


@pytest.fixture
async def other_side() -> OtherSide:
    return OtherSide()


@pytest.fixture
async def breaker(other_side: OtherSide) -> AsyncIterator[Breaker]:
    breaker = Breaker("other_side", other_side.probe, every=timedelta(milliseconds=5))
    yield breaker
    await breaker.close()


async def asked(other_side: OtherSide, times: int) -> None:
    async with asyncio.timeout(5):
        while other_side.asked < times:  # noqa: ASYNC110  the probe is somebody else's
            await asyncio.sleep(0.001)


async def test_once_tripped_it_refuses_until_a_probe_is_answered(breaker: Breaker, other_side: OtherSide) -> None:
    assert not breaker.refuses()
    breaker.trip()
    assert breaker.refuses()
    other_side.answers.set()
    await asked(other_side, 3)
    assert breaker.refuses(), "a probe that failed closes nothing"
    other_side.fails = False
    async with asyncio.timeout(5):
        await breaker.closed()
    assert not breaker.refuses()
    assert (breaker.trips, breaker.refused) == (1, 2)


async def test_one_probe_at_a_time_however_many_callers_fail(breaker: Breaker, other_side: OtherSide) -> None:
    for _ in range(20):
        breaker.trip()
        breaker.suspect()
    await asked(other_side, 1)
    other_side.answers.set()
    await asked(other_side, 5)
    assert other_side.most_at_once == 1
    assert breaker.trips == 1


async def test_a_slow_call_alone_opens_nothing(breaker: Breaker, other_side: OtherSide) -> None:
    other_side.fails = False
    other_side.answers.set()
    breaker.suspect()
    await asked(other_side, 1)
    assert (breaker.open, breaker.trips) == (False, 0)


async def test_a_slow_call_and_a_failed_probe_open_it(breaker: Breaker, other_side: OtherSide) -> None:
    breaker.suspect()
    assert not breaker.open
    other_side.answers.set()
    await asked(other_side, 2)
    assert breaker.open


async def test_it_opens_again_after_it_was_closed(breaker: Breaker, other_side: OtherSide) -> None:
    other_side.fails = False
    other_side.answers.set()
    for times in (1, 2):
        breaker.trip()
        async with asyncio.timeout(5):
            await breaker.closed()
        assert (breaker.trips, other_side.asked) == (times, times)
