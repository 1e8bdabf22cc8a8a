"""The line to PostgreSQL or to the engine, which a test can hold or cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import make_url

from db.session import Database
from tests.scene import Scene


class Line:
    """Carries bytes between a process and what it calls.

    Held, it lets nothing pass and closes nothing. Cut, it closes every connection, and each new one at once.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._passing = asyncio.Event()
        self._passing.set()
        self._cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def idle(self) -> bool:
        """Whether it carries nothing: both ends of whatever it carried know that it has ended."""
        return not self._writers

    def hold(self) -> None:
        """Let nothing pass."""
        self._passing.clear()

    def cut(self) -> None:
        """Close every connection, and each that is tried."""
        self._cut = True
        for writer in self._writers:
            writer.close()

    def release(self) -> None:
        """Let everything pass again."""
        self._cut = False
        self._passing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        if self._cut:
            writer.close()
            return
        onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        ends = {writer, onward_writer}
        self._writers |= ends
        await asyncio.gather(
            self._carry(reader, onward_writer),
            self._carry(onward_reader, writer),
            return_exceptions=True,
        )
        self._writers -= ends

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def listening(line: Line) -> AsyncGenerator[int]:
    """The port of loopback on which the line is reached."""
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        line.release()
        server.close()


@asynccontextmanager
async def line_to(scene: Scene, *, url: str | None = None) -> AsyncGenerator[tuple[Line, Database]]:
    """A line in front of the scene's database, and the worker's connections over it, or those of another login."""
    straight = make_url(url or scene.urls.worker)
    assert straight.host is not None
    assert straight.port is not None
    line = Line(straight.host, straight.port)
    async with listening(line) as port:
        over_the_line = straight.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        worker = Database(over_the_line, application="test-worker")
        try:
            yield line, worker
        finally:
            line.release()
            await worker.close()
