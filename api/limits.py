"""What a request may weigh: refused before it is read, whether its length was announced or not."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import body_too_large
from api.resumable import PREFIX

MOST_BYTES: Final = 1024 * 1024
"""One mebibyte: a household of thirty with all its papers' references takes a fiftieth of it."""

_TOO_LARGE: Final = 413


class BodyLimit:
    """Answers 413 to an announced length above `most_bytes` at once, and stops reading a body that grows past it.

    What is added to an upload may be as long as a file; it is put away piece by piece.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES, most_bytes_of_file: int = MOST_BYTES) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._most_bytes_of_file = max(most_bytes, most_bytes_of_file)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_bytes_of_file if scope["path"].startswith(f"{PREFIX}/") else self._most_bytes
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            await body_too_large(Request(scope))(scope, receive, send)
            return
        await self._app(scope, self._counted(receive, most), send)

    @staticmethod
    def _counted(receive: Receive, most: int) -> Receive:
        read = 0

        async def next_message() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(_TOO_LARGE)
            return message

        return next_message
