"""What a process does by itself, again and again, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from domain.origins import ActOrigin, Means, acting_from, no_ring

Turn = Callable[[datetime], Awaitable[bool]]
"""One turn, at a moment; answers whether there is more to do at once."""

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


class Duty(Protocol):
    """Something that `repeat` does."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        ...


async def repeat(turn: Turn, stop: asyncio.Event, *, name: str, every: timedelta) -> None:
    """Take turns with a pause of `every` between them until `stop` is set, whatever happens meanwhile.

    A turn that fails is written to the log and taken again after the pause: a database, a store or an engine that is
    away comes back. The turn under way is finished before this returns.
    """
    while not stop.is_set():
        try:
            with acting_from(ActOrigin(means=Means.DUTY, part=name), no_ring):
                more = await turn(datetime.now(UTC))
        except Exception as fault:  # noqa: BLE001 - whatever it is, the next turn still has to be taken
            cause = str(getattr(fault, "orig", "")) or None
            _log.error("duty.failed", duty=name, error=type(fault).__name__, cause=cause)
            more = False
        if not more:
            await pause(stop, every)


async def pause(stop: asyncio.Event, duration: timedelta) -> None:
    """Wait for `duration`, or less when it is time to stop."""
    try:
        async with asyncio.timeout(duration.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return
