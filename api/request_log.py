"""One line for each request, under an id that the answer carries; and the last net for what nobody caught.

The line names the route and not the address: addresses may hold a tracking code, queries a number of a person.
"""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import fault, is_outage
from api.route_names import RouteNames
from domain.ids import new_id

_HEADER: Final = "X-Request-Id"
_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("api")


class RequestLog:
    """Gives each request its id, logs how it was answered, and answers faults with a problem."""

    def __init__(self, app: ASGIApp, *, names: RouteNames) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["kawal.request_id"] = request_id = _id_of(scope)
        answer = _Answer(send, request_id)
        began = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            _write_down(error, request_id)
            if answer.status is not None:
                raise
            await fault(Request(scope), error)(scope, receive, answer.send)
        finally:
            _log.info("request", **self._line(scope, answer, took=time.perf_counter() - began))

    def _line(self, scope: Scope, answer: _Answer, *, took: float) -> dict[str, Any]:
        actor = scope.get("kawal.actor")
        return {
            "request_id": str(scope["kawal.request_id"]),
            "method": scope["method"],
            "route": self._names.of(scope),
            "status": answer.status,
            "ms": round(took * 1000, 1),
            "actor": actor and str(actor),
        }


class _Answer:
    """The way out, which notes the status that went through it."""

    def __init__(self, send: Send, request_id: UUID) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[_HEADER] = str(self._request_id)
        await self._send(message)


def _id_of(scope: Scope) -> UUID:
    """The client's id for the request when it is a UUID, so that its log and ours can be laid side by side."""
    try:
        return UUID(Headers(scope=scope)[_HEADER])
    except (KeyError, ValueError):
        return new_id()


def _write_down(error: Exception, request_id: UUID) -> None:
    if is_outage(error):
        _log.warning("database_unavailable", request_id=str(request_id), error=type(error).__name__)
    else:
        _log.error("defect", request_id=str(request_id), exc_info=error)
