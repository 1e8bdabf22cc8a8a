"""A circuit breaker: nobody waits for another side that is away, and one probe at a time finds out when it is back.

The libraries that there are (circuitbreaker, purgatory, aiobreaker) let a caller be the probe: after each pause
somebody waits out a time-out, and without a caller nobody notices the return. Here a task of its own asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

_log = structlog.get_logger()


class Breaker:
    """Closed while the other side answers, open from a failure until a probe is answered.

    `probe` returns when the other side answers and raises when it does not; each takes a bounded time.
    """

    def __init__(
        self,
        name: str,
        probe: Callable[[], Awaitable[None]],
        *,
        every: timedelta = timedelta(seconds=0.5),
    ) -> None:
        self._name = name
        self._probe = probe
        self._every = every
        self._closed = asyncio.Event()
        self._closed.set()
        self._watch: asyncio.Task[None] | None = None
        self.trips = 0
        """How often it has opened."""
        self.refused = 0
        """How many calls it has refused."""

    @property
    def open(self) -> bool:
        """Whether the other side is known to be away."""
        return not self._closed.is_set()

    def refuses(self) -> bool:
        """Whether a call is not even to be tried now; one that is refused is counted."""
        self.refused += self.open
        return self.open

    def trip(self) -> None:
        """The other side is away: refuse calls from now on, until a probe is answered."""
        if self._closed.is_set():
            self._closed.clear()
            self.trips += 1
            _log.warning(f"{self._name}.away")
        self._ask()

    def suspect(self) -> None:
        """A call took too long, which need not be the other side's fault: refuse calls only if a probe fails too."""
        self._ask()

    async def closed(self) -> None:
        """Return when the other side answers, as far as is known."""
        await self._closed.wait()

    async def close(self) -> None:
        """Ask no longer."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    def _ask(self) -> None:
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._ask_until_answered())

    async def _ask_until_answered(self) -> None:
        began = time.monotonic()
        while True:
            try:
                await self._probe()
            except Exception:  # noqa: BLE001 - whatever it is, it is no answer
                self.trip()
                await asyncio.sleep(self._every.total_seconds())
            else:
                break
        if self.open:
            self._closed.set()
            _log.warning(f"{self._name}.back", seconds=round(time.monotonic() - began, 1))
