"""Waiting for something that nobody announces: what other processes do."""

import asyncio
from collections.abc import Callable

import psutil


async def until(holds: Callable[[], bool], *, within: float = 20) -> None:
    """Return once `holds`. Raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - the only way to see into another process
            await asyncio.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process lives under this pid; one that is dead but not yet collected does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
