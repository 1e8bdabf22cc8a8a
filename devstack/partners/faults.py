"""Faults of a partner that can be set while it runs; `fault_middleware` commits them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from devstack.partners.wire import read_body

Rate = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class FaultSettings(BaseModel):
    """How a partner misbehaves; rates are shares of the requests, and the default is no fault at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: Milliseconds = Field(default=0, description="Every answer comes this much later.")
    jitter_ms: Milliseconds = Field(default=0, description="And later by a random part of this.")
    error_rate: Rate = Field(default=0, description="Answered with `status`, not processed.")
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0, description="Retry-After of errors, in seconds.")
    timeout_rate: Rate = Field(default=0, description="Accepted and never answered.")
    drop_connection_rate: Rate = Field(default=0, description="Cut without an answer, not processed.")
    lose_answer_rate: Rate = Field(default=0, description="Processed, then cut before the answer.")
    wrong_answer_rate: Rate = Field(default=0, description="Processed, then answered wrongly.")
    wrong_answer: Literal["undecodable", "untrue"] = Field(
        default="undecodable",
        description="A web page with status 200, or a well-formed answer that is not true.",
    )
    rate_limited: bool = Field(default=False, description="429 with Retry-After for every request.")
    down_until: AwareDatetime | None = Field(default=None, description="Every connection is cut until then.")
    down_for_seconds: float | None = Field(default=None, gt=0, le=31_536_000, description="The same from now on.")
    duplicate_callback_rate: Rate = Field(default=0, description="Callbacks sent twice at the same moment.")
    seed: int | None = Field(default=None, description="Makes the sequence of faults repeatable.")

    def is_down(self, now: datetime) -> bool:
        """Whether the partner refuses every connection at `now`."""
        return self.down_until is not None and now < self.down_until


class Fault(StrEnum):
    """What goes wrong with one request."""

    DOWN = "down"
    DROP = "drop_connection"
    HANG = "timeout"
    RATE_LIMIT = "rate_limited"
    ERROR = "error"
    LOSE_ANSWER = "lose_answer"
    UNDECODABLE = "undecodable_answer"
    UNTRUE = "untrue_answer"


def next_fault(settings: FaultSettings, *, random: Random, now: datetime) -> Fault | None:
    """Choose what goes wrong with the next request: the first of the ordered faults whose lot is drawn."""
    wrong = Fault.UNTRUE if settings.wrong_answer == "untrue" else Fault.UNDECODABLE
    odds: tuple[tuple[Fault, float], ...] = (
        (Fault.DOWN, float(settings.is_down(now))),
        (Fault.DROP, settings.drop_connection_rate),
        (Fault.HANG, settings.timeout_rate),
        (Fault.RATE_LIMIT, float(settings.rate_limited)),
        (Fault.ERROR, settings.error_rate),
        (Fault.LOSE_ANSWER, settings.lose_answer_rate),
        (wrong, settings.wrong_answer_rate),
    )
    return next((fault for fault, rate in odds if random.random() < rate), None)


class Faults:
    """The faults now set on one partner, and a count of those committed since they were set."""

    def __init__(self) -> None:
        self._released = asyncio.Event()
        self.requests = 0
        self.committed: Counter[str] = Counter()
        self.settings = FaultSettings()
        self.random = Random()

    def draw(self, *, now: datetime) -> Fault | None:
        """Choose and count what goes wrong with a request that has just arrived."""
        self.requests += 1
        fault = next_fault(self.settings, random=self.random, now=now)
        if fault is not None:
            self.committed[fault] += 1
        return fault

    def delay_seconds(self) -> float:
        """How much later the next answer comes."""
        return (self.settings.latency_ms + self.settings.jitter_ms * self.random.random()) / 1000

    def copies_of_callback(self) -> int:
        """How often the next callback is sent at the same moment."""
        if self.random.random() >= self.settings.duplicate_callback_rate:
            return 1
        self.committed["duplicate_callback"] += 1
        return 2

    def release(self) -> None:
        """Let go of every request that is held back: the server stops."""
        self._released.set()

    async def until(self, event: Coroutine[None, None, None]) -> None:
        """Wait for `event`, but not beyond `release`."""
        waiting = {asyncio.create_task(event), asyncio.create_task(self._wait_for_release())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def set(self, settings: FaultSettings, *, now: datetime) -> None:
        """Replace the faults and count anew."""
        if settings.down_for_seconds is not None:
            until = now + timedelta(seconds=settings.down_for_seconds)
            settings = settings.model_copy(update={"down_until": until, "down_for_seconds": None})
        self.settings = settings
        self.random = Random(settings.seed)
        self.requests = 0
        self.committed.clear()

    def routes(self) -> list[BaseRoute]:
        """Build GET, PUT and DELETE of /admin/faults."""
        return [
            Route("/admin/faults", self._show, methods=["GET"]),
            Route("/admin/faults", self._put, methods=["PUT"]),
            Route("/admin/faults", self._delete, methods=["DELETE"]),
        ]

    async def _wait_for_release(self) -> None:
        await self._released.wait()

    async def _show(self, _request: Request) -> Response:
        settings = self.settings.model_dump(mode="json", exclude={"down_for_seconds"})
        down = self.settings.is_down(datetime.now(UTC))
        return JSONResponse(
            {"settings": settings, "down": down, "requests": self.requests, "committed": dict(self.committed)},
        )

    async def _put(self, request: Request) -> Response:
        self.set(await read_body(request, FaultSettings), now=datetime.now(UTC))
        return await self._show(request)

    async def _delete(self, request: Request) -> Response:
        self.set(FaultSettings(), now=datetime.now(UTC))
        return await self._show(request)
