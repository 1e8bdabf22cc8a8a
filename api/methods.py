"""Methods of an address: HEAD wherever GET is, OPTIONS everywhere, and `Allow` with all of them (RFC 9110, 9.3).

A router looks at one route after the other, and the first that knows the address answers for its own methods only.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEAD: Final = "HEAD"
_OPTIONS: Final = "OPTIONS"
_NONE: Final[frozenset[str]] = frozenset()


class Methods:
    """What may be done at each address of an application."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def own(self, path: str) -> frozenset[str]:
        """The methods that have an endpoint at this address; none where there is nothing."""
        return next((methods for address, methods in self._addresses if address.match(path)), _NONE)

    def allowed(self, path: str) -> str:
        """The value of `Allow` at this address; empty where there is nothing."""
        own = self.own(path)
        head = {_HEAD} if "GET" in own else set[str]()
        return ", ".join(sorted(own | head | {_OPTIONS})) if own else ""

    @cached_property
    def _addresses(self) -> list[tuple[re.Pattern[str], frozenset[str]]]:
        """Addresses with the fewest parameters first: `/policies/in-force` before `/policies/{policy_id}`."""
        found: dict[str, set[str]] = {}
        for context in iter_route_contexts(self._app.routes):
            if context.path is not None and context.methods:
                found.setdefault(context.path, set()).update(context.methods)
        by_parameters = sorted(found, key=lambda path: path.count("{"))
        return [(compile_path(path)[0], frozenset(found[path])) for path in by_parameters]


class AnswerHead:
    """Has a GET answer a HEAD where no endpoint does, and keeps its body back; answers OPTIONS likewise."""

    def __init__(self, app: ASGIApp, *, methods: Methods) -> None:
        self._app = app
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] not in {_HEAD, _OPTIONS}:
            await self._app(scope, receive, send)
            return
        own = self._methods.own(scope["path"])
        if scope["method"] in own or not own:
            await self._app(scope, receive, send)
        elif scope["method"] == _OPTIONS:
            await _say_allowed(self._methods.allowed(scope["path"]), send)
        elif "GET" in own:
            await self._without_body(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _without_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The scope stays the same object, for others note in it who asked; it says HEAD again where it is answered."""

        async def send_head(message: Message) -> None:
            scope["method"] = _HEAD
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, send_head)
        finally:
            scope["method"] = _HEAD


async def _say_allowed(allowed: str, send: Send) -> None:
    start: dict[str, Any] = {"type": "http.response.start", "status": 204, "headers": [(b"allow", allowed.encode())]}
    await send(start)
    await send({"type": "http.response.body", "body": b""})
