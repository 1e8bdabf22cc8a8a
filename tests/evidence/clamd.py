"""A clamd for tests: a real server on loopback that speaks INSTREAM and knows one virus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.evidence.files import EICAR


class FakeClamd:
    """Counts what it scanned; `reply` replaces its verdict, and with `silent` it never gives one."""

    def __init__(self) -> None:
        self.scanned: list[int] = []
        self.reply: bytes | None = None
        self.silent = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
            content = b""
            while length := int.from_bytes(await reader.readexactly(4)):
                content += await reader.readexactly(length)
            self.scanned.append(len(content))
            if self.silent:
                await reader.read()
                return
            verdict = b"stream: Eicar-Test-Signature FOUND" if EICAR in content else b"stream: OK"
            writer.write((self.reply or verdict) + b"\0")
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def running_clamd(path: Path | None = None) -> AsyncGenerator[FakeClamd]:
    """On a port of loopback, or on a local socket."""
    clamd = FakeClamd()
    if path is None:
        server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0)
        clamd.port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(clamd.serve, path)
    async with server:
        yield clamd
