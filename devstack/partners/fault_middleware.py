"""The middleware that commits the faults set on a partner, on requests under /v1 alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import assert_never

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devstack.partners.faults import Fault, Faults
from devstack.partners.wire import problem

ABORT = "abort_connection"
"""Where the server leaves the call that cuts a request's connection, in the state of the request."""

UNTRUE = "untrue_answer"
"""Set in the state of a request that is to get a well-formed answer which is not true."""

DEFAULT_RETRY_AFTER = 1
SOMEBODY_ELSES_PAGE = HTMLResponse("<!doctype html><title>Gateway</title><p>Please log in.")


class FaultMiddleware:
    """ASGI middleware that answers as the drawn fault demands, or passes the request on."""

    def __init__(self, app: ASGIApp, *, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Disturb a request under /v1; everything else passes untouched."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        fault = self._faults.draw(now=datetime.now(UTC))
        send = self._delayed(send)
        match fault:
            case None:
                await self._app(scope, receive, send)
            case Fault.DOWN | Fault.DROP:
                await _cut(scope, receive)
            case Fault.HANG:
                await self._faults.until(_client_gone(receive))
                await _cut(scope, receive)
            case Fault.RATE_LIMIT | Fault.ERROR:
                await self._refusal(fault)(scope, receive, send)
            case Fault.LOSE_ANSWER:
                await self._app(scope, receive, _swallow)
                await _cut(scope, receive)
            case Fault.UNDECODABLE:
                await self._app(scope, receive, _swallow)
                await SOMEBODY_ELSES_PAGE(scope, receive, send)
            case Fault.UNTRUE:
                scope["state"][UNTRUE] = True
                await self._app(scope, receive, send)
            case _:
                assert_never(fault)

    def _delayed(self, send: Send) -> Send:
        """Hold the answer back, not the work: a slow partner has recorded what its caller gave up on."""
        delay = self._faults.delay_seconds()

        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start" and delay > 0:
                await self._faults.until(asyncio.sleep(delay))
            await send(message)

        return send_late

    def _refusal(self, fault: Fault) -> ASGIApp:
        settings = self._faults.settings
        wait = settings.retry_after
        if fault is Fault.RATE_LIMIT:
            answer = problem(429, code="rate_limited", detail="Too many requests.")
            wait = DEFAULT_RETRY_AFTER if wait is None else wait
        else:
            answer = problem(settings.status, code="fault", detail="This partner is told to fail.")
        if wait is not None:
            answer.headers["Retry-After"] = str(wait)
        return answer


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    """Reset the connection, and return only when the server has noticed: then it sends no answer of its own."""
    abort: Callable[[], None] = scope["state"][ABORT]
    abort()
    await _client_gone(receive)


async def _swallow(_message: Message) -> None:
    """Drop what the application sends."""
