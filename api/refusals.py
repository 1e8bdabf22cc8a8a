"""Refusals in the audit trail: who was refused what from where, once a minute however often it was tried."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import is_outage
from api.route_names import RouteNames
from db.repositories import trail
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import ACCESS_STREAM, AuditType, stream_of_account
from domain.lockout import network_of
from services.kawal import Kawal

WINDOW_SECONDS: Final = 60
MOST_PER_WINDOW: Final = 120
"""Events of one process in a window, of accounts and of strangers each: a flood must not fill the trail."""

_AUDITED: Final = frozenset({401, 403, 429})
_TOLD_ELSEWHERE: Final = frozenset({("/v1/auth/token", 401), ("/v1/auth/browser", 401)})
"""Names and passwords that were refused stand in the trail of the account."""

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("api")

_Kind: TypeAlias = tuple[UUID | str, int]
"""Whose refusals are one, and their status."""


class _Refusal(NamedTuple):
    actor: UUID | None
    api_key: UUID | None
    address: str | None
    status: int

    @property
    def kind(self) -> _Kind:
        """A key or an account is one wherever it asks from; of strangers, a network is one, whatever hosts it has."""
        return (self.api_key or self.actor or network_of(self.address), self.status)


class Refusals:
    """Writes the first refusal of each kind in a window down, after its answer has gone out.

    Strangers are counted apart: they can be as many as they like, and must not keep what accounts do out of the trail.
    """

    def __init__(self, app: ASGIApp, *, names: RouteNames) -> None:
        self._app = app
        self._names = names
        self._accounts = _Window()
        self._strangers = _Window()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self._app(scope, receive, send_and_note)
        if status in _AUDITED:
            await self._note(scope, status)

    async def _note(self, scope: Scope, status: int) -> None:
        route = self._names.of(scope)
        if (route, status) in _TOLD_ELSEWHERE:
            return
        client = scope.get("client")
        refusal = _Refusal(scope.get("kawal.actor"), scope.get("kawal.api_key"), client and client[0], status)
        window = self._strangers if refusal.actor is None else self._accounts
        if window.first(refusal.kind, now=time.monotonic()):
            await _write(scope["app"].state.front.kawal, refusal, route=route)


class _Window:
    """Which kinds of refusal were written down of late."""

    def __init__(self) -> None:
        self._written: OrderedDict[_Kind, float] = OrderedDict()

    def first(self, kind: _Kind, *, now: float) -> bool:
        """Whether nothing like it was written in this window, and there is room for it."""
        while self._written and next(iter(self._written.values())) <= now - WINDOW_SECONDS:
            self._written.popitem(last=False)
        if kind in self._written or len(self._written) >= MOST_PER_WINDOW:
            return False
        self._written[kind] = now
        return True


async def _write(kawal: Kawal, refusal: _Refusal, *, route: str) -> None:
    stream = ACCESS_STREAM if refusal.actor is None else stream_of_account(refusal.actor)
    entry = Entry(
        type=AuditType.ACCESS_REFUSED,
        by=Doer(user_id=refusal.actor, api_key=refusal.api_key),
        data={"status": refusal.status, "route": route, "window": WINDOW_SECONDS},
    )
    try:
        async with kawal.database.transaction(Viewer.nobody()) as connection:
            await trail.record(connection, stream, [entry], at=kawal.now(), area_code=None)
    except Exception as fault:
        if not is_outage(fault):
            raise
        _log.warning("refusal_not_written", status=refusal.status, route=route, error=type(fault).__name__)
