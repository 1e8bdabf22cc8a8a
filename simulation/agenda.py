"""What is still to happen, in the order of time.

A heap of moments and not a simulation library: time here is the aware datetime that every rule of the domain asks for,
where SimPy keeps a float, and what waits is a case under rules that move and cancel its timers, not a process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush

Event = Callable[[datetime], None]


class Agenda:
    """Events by their moment; of one moment, that which was entered first."""

    def __init__(self) -> None:
        self._events: list[tuple[datetime, int, Event]] = []
        self._entered = 0

    def enter(self, at: datetime, event: Event) -> None:
        """Have `event` happen `at` this moment."""
        heappush(self._events, (at, self._entered, event))
        self._entered += 1

    def run(self, until: datetime) -> None:
        """Let everything happen that comes before `until`."""
        while self._events and self._events[0][0] < until:
            at, _, event = heappop(self._events)
            event(at)
