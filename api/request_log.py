"""One line for each request, under an id that the answer carries; and the last net for what nobody caught.

The line names the route and not the address: addresses may hold a tracking code, queries a number of a person.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast
from uuid import UUID

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.front import Front
from api.problems import fault, is_outage
from api.route_names import RouteNames
from domain.ids import new_id
from domain.keyring import KeyRing
from domain.origins import ActOrigin, Means, Traces, acting_from

_HEADER: Final = "X-Request-Id"
_LONGEST_AGENT: Final = 200
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
            with acting_from(_origin_of(scope), partial(_ring, scope)):
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


def agent_of(headers: Mapping[str, str]) -> str | None:
    """How the client calls itself, without what does not print and cut to a line."""
    agent = headers.get("user-agent", "")
    return "".join(character for character in agent if character.isprintable())[:_LONGEST_AGENT] or None


def _origin_of(scope: Scope) -> ActOrigin:
    """From where it is asked: the address is the connection's, or what a trusted proxy names."""
    client = scope.get("client")
    traces = Traces(address=client and client[0], agent=agent_of(Headers(scope=scope)))
    return ActOrigin(means=Means.ANONYMOUS, request=scope["kawal.request_id"], traces=traces)


def _ring(scope: Scope) -> KeyRing:
    return cast("Front", scope["app"].state.front).kawal.vault.fields


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
