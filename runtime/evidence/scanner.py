"""The virus scanner: clamd over TCP or a local socket, as an ordinary client of its INSTREAM command, or none."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog

from domain.errors import EvidenceUnavailable

_PIECE: Final = 64 * 1024
_PATIENCE: Final = 30.0
"""Seconds for the whole conversation; clamd takes about one for a file of ten megabytes."""
_MOST_REPLY: Final = 4096
_FOUND: Final = re.compile(r"^stream: (?P<name>.+) FOUND$")
_log = structlog.get_logger()


class Scanner(Protocol):
    """Looks for harmful software."""

    scans: bool
    """Whether it does; what it lets through is then recorded as scanned."""

    async def infection(self, content: bytes) -> str | None:
        """The name of what was found, or None. Raises EvidenceUnavailable when it cannot be asked."""
        ...


class NoScanner:
    """No scanner is set: nothing is found, and nothing is said to have been scanned."""

    scans = False

    async def infection(self, content: bytes) -> str | None:
        """None."""
        del content
        return None


@dataclass(frozen=True, slots=True)
class Clamd:
    """clamd at `host` and `port`, or at the socket `path`."""

    host: str | None
    port: int
    path: str | None

    scans = True

    async def infection(self, content: bytes) -> str | None:
        """The name of what clamd found, or None. Raises EvidenceUnavailable: nothing passes that was not scanned."""
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = await self._ask(content)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as fault:
            _log.warning("scanner.unavailable", error=type(fault).__name__)
            raise EvidenceUnavailable("The virus scanner does not answer.") from fault
        if reply == "stream: OK":
            return None
        found = _FOUND.match(reply)
        if found is None:  # such as "INSTREAM size limit exceeded. ERROR"
            _log.error("scanner.cannot_scan", reply=reply[:200])
            raise EvidenceUnavailable("The virus scanner cannot scan the file.")
        return found["name"]

    async def _ask(self, content: bytes) -> str:
        reader, writer = await self._connect()
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), _PIECE):
                piece = content[start : start + _PIECE]
                writer.write(len(piece).to_bytes(4) + piece)
                await writer.drain()
            writer.write((0).to_bytes(4))
            await writer.drain()
            reply = await reader.readuntil(b"\0")
        finally:
            writer.close()
        return reply[:-1].decode(errors="replace").strip()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.path is not None:
            return await asyncio.open_unix_connection(self.path, limit=_MOST_REPLY)
        return await asyncio.open_connection(self.host, self.port, limit=_MOST_REPLY)


def open_scanner(address: str | None) -> Scanner:
    """The scanner that a setting names: `tcp://host:3310`, `unix:///run/clamav/clamd.ctl`, or none."""
    if address is None:
        return NoScanner()
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return Clamd(None, 0, parts.path)
    return Clamd(parts.hostname, parts.port or 3310, None)
