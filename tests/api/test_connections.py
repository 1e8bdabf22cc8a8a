"""A connection that sends too much of a head, too slowly or half a body keeps nothing of the server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Final

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from api.connections import MOST_HEADERS, BoundedHttp

WHOLE: Final = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"


class Hasty(BoundedHttp):
    """The same with the patience of a test."""

    head_seconds = 0.4
    body_seconds = 0.4


class Reader:
    """An application that reads the body, and notes whose sender went away."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            self.gone.set()
            return
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
async def port(reader: Reader) -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(reader, http=Hasty, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  the server offers nothing to wait for
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


async def _answer(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the server closes, to one who leaves the line open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(15):
            try:
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
                return await reader.read()
            except ConnectionError:
                return b"dropped"
    finally:
        writer.close()


async def test_a_request_of_ordinary_form_is_answered(port: int) -> None:
    assert (await _answer(port, WHOLE, b"hello")).endswith(b"hello")
    assert (await _answer(port, WHOLE[:20], WHOLE[20:], b"he", b"llo", pause=0.1)).endswith(b"hello")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MOST_HEADERS + 1) + b"\r\n",
    ],
    ids=["a header without end", "a long header", "a long address", "many headers"],
)
async def test_a_head_without_measure_is_refused(port: int, head: bytes) -> None:
    answer = await _answer(port, head)
    assert answer == b"dropped" or answer.startswith(b"HTTP/1.1 431 "), answer[:80]
    assert (await _answer(port, WHOLE, b"hello")).endswith(b"hello")


async def test_a_head_that_does_not_end_is_not_waited_for(port: int) -> None:
    assert (await _answer(port)).startswith(b"HTTP/1.1 408 ")
    drip = [b"GET / HTTP/1.1\r\n", *[b"X: y\r\n"] * 20]
    began = asyncio.get_running_loop().time()
    await _answer(port, *drip, pause=0.1)
    assert asyncio.get_running_loop().time() - began < 1.9, "it went on taking drops"


async def test_half_a_body_lets_go_of_the_application(port: int, reader: Reader) -> None:
    assert await _answer(port, WHOLE, b"he") == b""
    async with asyncio.timeout(5):
        await reader.gone.wait()


async def test_one_who_was_answered_may_ask_again_on_the_line(port: int) -> None:
    again = WHOLE.replace(b"Connection: close\r\n", b"") + b"hello"
    assert (await _answer(port, again, WHOLE, b"again", pause=0.1)).count(b"HTTP/1.1 200") == 2
