"""Loopback TCP ports: whether one is free, and the next one that is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"
TRIED_AFTER_PREFERRED = 50


class NoFreePortError(Exception):
    """No port was free near the preferred one."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now. Another process may take it a moment later."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(preferred: int, *, avoid: Collection[int] = ()) -> int:
    """`preferred` if it is free, else the next free one above it; never one of `avoid`. Raises NoFreePortError."""
    last = min(preferred + TRIED_AFTER_PREFERRED, 65_535)
    for port in range(preferred, last + 1):
        if port not in avoid and is_free(port):
            return port
    raise NoFreePortError(f"no free port from {preferred} to {last}")


def any_free_port() -> int:
    """A port the system has just found free, for tests and throw-away servers."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def accepts(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), timeout=1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
