"""One connection as the server holds it: what comes before a request is whole is bounded in bytes and in time.

The server's own protocol takes headers without end and waits for ever for the rest of a request, so that anybody could
fill its memory or its table of connections. For `uvicorn --http api.connections:BoundedHttp`.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 64 * 1024
"""Of the address and all headers together; a browser with all its cookies sends an eighth of it."""
MOST_HEADERS: Final = 200

_TOO_LARGE: Final = b"431 Request Header Fields Too Large"
_TOO_LATE: Final = b"408 Request Timeout"


class BoundedHttp(HttpToolsProtocol):
    """HTTP/1.1 on one connection; too much of a head is answered with 431, too slow a one with 408, and it closes."""

    head_seconds: ClassVar[float] = 20.0
    """In which address and headers have to arrive, from the opening of the connection or their first byte."""
    body_seconds: ClassVar[float] = 60.0
    """For which a body may pause: lines in the villages are away for half a minute, and uploads are resumed."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._head_bytes = 0
        self._head_open = True
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asyncio: it is open, and the first head is waited for."""
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio: it is closed."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Asyncio: bytes came. What belongs to an unfinished head counts, also where no header of it has ended."""
        waited_for_head = self._head_open
        self._head_bytes += len(data) if waited_for_head else 0
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head_open and self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(_TOO_LARGE)
        elif not self._head_open:
            self._wait_for_body()

    def on_message_begin(self) -> None:
        """Parser: a request begins."""
        super().on_message_begin()
        if not self._head_open:
            self._head_open, self._head_bytes = True, 0
            self._wait(self.head_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header has ended."""
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            raise httptools.HttpParserError(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Parser: the head has ended."""
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > MOST_HEAD_BYTES:
            raise httptools.HttpParserError(_TOO_LARGE)
        self._head_open, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Parser: the request is whole; now it is the application's turn."""
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed is refused; whether it was only too much, the headers tell."""
        if self._head_open and (self._head_bytes > MOST_HEAD_BYTES or len(self.headers or ()) > MOST_HEADERS):
            self._refuse(_TOO_LARGE)
        else:
            super().send_400_response(msg)

    def _wait_for_body(self) -> None:
        """Every piece of a body begins the wait for the next one anew; a whole one waits for nothing."""
        cycle: Any = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_complete:
            self._wait(self.body_seconds)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        """A head is answered; of a body, the application learns that its sender is gone, unless it reads too slowly."""
        if self._head_open:
            self._refuse(_TOO_LATE)
        elif self.flow.read_paused:
            self._wait(self.body_seconds)
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()
