"""Telling the engine that long work goes on, so that a worker which was killed is missed within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from temporalio import activity

_BEAT: Final = timedelta(seconds=2)


@asynccontextmanager
async def beating_heart() -> AsyncGenerator[None]:
    """Tell the engine that the work goes on for as long as the block lasts."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(_BEAT.total_seconds())

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
