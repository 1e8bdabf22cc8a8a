"""The engine's clock, for activities that are given no moment: one timeline for a case, whoever works on it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from temporalio import activity


class EngineClock:
    """Reads the time of the engine, from the start of the attempt that makes it.

    Workflows stamp what they record with the engine's time. A worker's own clock, a little ahead or behind, would
    end a pause before it began or put an event of the trail before the one that caused it.
    """

    def __init__(self) -> None:
        self._started = activity.info().started_time
        self._begun = time.monotonic()

    def now(self) -> datetime:
        """The engine's time."""
        return self._started + timedelta(seconds=time.monotonic() - self._begun)
