"""How many requests a minute are answered: by address before anything is read, by account once it is known.

Counted in the memory of each process, over a sliding window: with several processes of the API an account or an
address may ask that many times as much in all. Failed log-ins are counted in PostgreSQL (`services/lockout.py`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import refusal_answer
from domain.errors import RateLimited
from domain.lockout import network_of
from runtime.settings import Settings

_STANDING: Final = "kawal.rate"
_SUBJECTS: Final = {"account": "account", "api-key": "API key"}
_EXEMPT: Final = ("/healthz", "/readyz", "/metrics")
"""Probes of whoever runs the service: to refuse them would take the process out of service."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands within a limit after this request."""

    policy: str
    quota: int
    window: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }


class Rates:
    """The limits of one process and what has been used of them."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._limits: dict[str, RateLimitItem] = {
            policy: parse(limit)
            for policy, limit in (
                ("address", settings.rate_address),
                ("account", settings.rate_account),
                ("public", settings.rate_public),
                ("auth", settings.rate_auth),
                ("api-key", settings.rate_machine),
            )
            if limit is not None
        }

    async def pass_address(self, scope: Scope) -> None:
        """Count a request to its address. Raises RateLimited."""
        address = network_of(scope["client"][0] if scope.get("client") else None)
        await self._count(scope, "address", address)
        path: str = scope["path"]
        if path.startswith("/public/"):
            await self._count(scope, "public", address)
        elif path.startswith("/v1/auth/"):
            await self._count(scope, "auth", address)

    async def pass_account(self, scope: Scope, account: UUID) -> None:
        """Count a request to the account that makes it. Raises RateLimited."""
        await self._count(scope, "account", str(account))

    async def pass_key(self, scope: Scope, key_id: UUID, *, per_minute: int | None) -> None:
        """Count a request to the API key that it came with, whose own limit takes the place of that for all keys.

        Only once the key is known to be right: who has its id alone must not use its limit up. Raises RateLimited.
        """
        own = None if per_minute is None else RateLimitItemPerMinute(per_minute)
        await self._count(scope, "api-key", str(key_id), limit=own)

    async def _count(self, scope: Scope, policy: str, subject: str, *, limit: RateLimitItem | None = None) -> None:
        limit = limit or self._limits.get(policy)
        if limit is None:
            return
        passes = await self._limiter.hit(limit, policy, subject)
        reset_at, remaining = await self._limiter.get_window_stats(limit, policy, subject)
        reset = max(math.ceil(reset_at - time.time()), 1)
        now = Standing(policy, limit.amount, limit.get_expiry(), remaining, reset)
        before = cast("Standing | None", scope.get(_STANDING))
        if not passes or before is None or now.remaining * before.quota <= before.remaining * now.quota:
            scope[_STANDING] = now
        if not passes:
            raise RateLimited(
                f"More than {limit} came from this {_SUBJECTS.get(policy, 'address')}.",
                data={"policy": policy, "retry_after": reset},
            )


class RateLimits:
    """Refuses what an address asks too often, and tells every answer how much of its tightest limit is left."""

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["path"] in _EXEMPT:
            await self._app(scope, receive, send)
            return

        async def send_with_standing(message: Message) -> None:
            standing = cast("Standing | None", scope.get(_STANDING))
            if message["type"] == "http.response.start" and standing is not None:
                MutableHeaders(scope=message).update(standing.headers())
            await send(message)

        try:
            await self._rates.pass_address(scope)
        except RateLimited as refusal:
            await refusal_answer(Request(scope), refusal)(scope, receive, send_with_standing)
            return
        await self._app(scope, receive, send_with_standing)
