"""Headers of every answer: nothing is guessed, framed, kept by caches or leaked by a referrer."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVERYWHERE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_TLS: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Browsers that came over TLS once come by nothing else for a year."""
_DATA: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_PAGES: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; "
    "script-src https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/ 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/ 'unsafe-inline'; "
    "img-src 'self' data: https://fastapi.tiangolo.com; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""The page of the API's documentation loads its scripts from elsewhere, and is made of nothing that anybody sent."""

_PAGE_PATHS: Final = ("/docs",)


class SecurityHeaders:
    """Adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._everywhere = _EVERYWHERE | (_TLS if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = self._everywhere | (_PAGES if scope["path"].startswith(_PAGE_PATHS) else _DATA)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in added.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
