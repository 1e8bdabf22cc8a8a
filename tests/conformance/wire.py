"""The API as a process of its own on loopback, and bytes that are sent to it as no client library would."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import psutil

from commands.processes import UVICORN

HANGS_AFTER = 15.0
"""Seconds after which an answer that has not come counts as never coming, on a machine with much to do."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wire:
    """A running API and its address."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def memory(self) -> float:
        """Mebibytes that the process holds."""
        return self.process.memory_info().rss / _MIB

    async def alive(self) -> bool:
        async with httpx2.AsyncClient(base_url=self.url, timeout=HANGS_AFTER) as client:
            return (await client.get("/healthz")).status_code == 200

    async def send(self, *pieces: bytes, pause: float = 0.0, closing: bool = True) -> bytes:
        """Everything that comes back until the server closes, which it has to do."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(HANGS_AFTER):
                try:
                    for piece in pieces:
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(pause)
                    if closing and writer.can_write_eof():
                        writer.write_eof()
                except OSError:  # the server has closed already: reset, or not connected any more
                    pass
                return await _rest(reader)
        finally:
            writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except OSError:
        return b""


def statuses(answer: bytes) -> list[int]:
    """The status of every response in the bytes that came back."""
    lines = (line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 "))
    return [int(line.split()[1]) for line in lines]


def request(
    method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]] = (), body: bytes = b"", *, host: bool = True
) -> bytes:
    """A request as bytes, with nothing added but `Host` and `Connection: close`."""
    lines = [method + b" " + target + b" HTTP/1.1"]
    lines += [b"Host: kawal.test", b"Connection: close"] if host else []
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@asynccontextmanager
async def on_the_wire(values: Mapping[str, str]) -> AsyncGenerator[Wire]:
    """The API under these settings as it runs in production, in a process of its own."""
    told = {f"KAWAL_{name.upper()}": value for name, value in values.items()}
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    command = (sys.executable, *UVICORN, "--host", "127.0.0.1", "--port", str(port), "--no-server-header")
    process = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | told,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        wire = Wire(port, psutil.Process(process.pid))
        await _until_up(wire, process)
        yield wire
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_up(wire: Wire, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(90):
        while process.returncode is None:
            try:
                if await wire.alive():
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError("the API ended before it served")
