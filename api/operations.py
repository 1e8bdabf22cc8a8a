"""For those who run the service: is it alive, can it serve, and how much of what does it do."""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import Annotated, Final, Literal, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import KawalDep, anyone
from api.problems import is_outage
from api.route_names import RouteNames
from db import migrate
from db.session import Viewer
from domain.errors import EngineUnavailable
from runtime.breaker import Breaker
from services.kawal import Kawal
from services.queries.backlog import Backlog, read_backlog

_FRESH_SECONDS: Final = 15.0
_PATIENCE_SECONDS: Final = 2.0
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

router = APIRouter(
    tags=["operations"],
    dependencies=[anyone(because="Says how the service is, and nothing of any case or person.")],
)


class Metrics:
    """What one process counts. Labels are routes, statuses and stages: never an address, an id or a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self.requests = Counter("kawal_http_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "kawal_http_request_seconds",
            "Time to the answer",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.open_cases = self._gauge("kawal_open_cases", "Cases that have not ended", "status")
        self.lapsed_cases = self._gauge("kawal_lapsed_cases", "Cases that ended because nobody came back to them")
        self.overdue_tasks = self._gauge("kawal_overdue_tasks", "Open tasks past their deadline", "stage")
        self.outbox_pending = self._gauge("kawal_outbox_pending", "Messages that have yet to reach the engine")
        self.outbox_age = self._gauge("kawal_outbox_oldest_seconds", "How long the oldest of them has waited")
        self.database_up = self._gauge("kawal_database_up", "Whether PostgreSQL answered when it was asked last")
        self.engine_up = self._gauge("kawal_engine_up", "Whether the engine is called; 0 while it is known to be away")
        self.engine_outages = Counter("kawal_engine_outages", "Times it was found away", registry=self.registry)
        self.engine_refused = Counter("kawal_engine_calls_refused", "Calls refused meanwhile", registry=self.registry)
        self._engine_counted = (0, 0)
        self._refreshed = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(name, what, labels, registry=self.registry)

    async def refresh(self, kawal: Kawal) -> None:
        """Ask the database for the backlog, at most every quarter of a minute however often it is scraped."""
        async with self._one_at_a_time:
            if time.monotonic() - self._refreshed < _FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    self._show(await read_backlog(kawal))
            except Exception as fault:
                if not is_outage(fault):
                    raise
                self.database_up.set(0)
            self._refreshed = time.monotonic()

    def show_engine(self, breaker: Breaker) -> None:
        """What this process knows of the engine at this moment."""
        self.engine_up.set(not breaker.open)
        outages, refused = self._engine_counted
        self.engine_outages.inc(breaker.trips - outages)
        self.engine_refused.inc(breaker.refused - refused)
        self._engine_counted = (breaker.trips, breaker.refused)

    def _show(self, backlog: Backlog) -> None:
        self.database_up.set(1)
        self.lapsed_cases.set(backlog.lapsed_cases)
        for status, count in backlog.open_cases.items():
            self.open_cases.labels(status.value).set(count)
        for stage, count in backlog.overdue_tasks.items():
            self.overdue_tasks.labels(stage.value).set(count)
        self.outbox_pending.set(backlog.outbox_pending)
        self.outbox_age.set(backlog.outbox_age.total_seconds())


class CountRequests:
    """Counts every request by its route, and how long its answer took."""

    def __init__(self, app: ASGIApp, metrics: Metrics, names: RouteNames) -> None:
        self._app = app
        self._metrics = metrics
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), "500"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            route = self._names.of(scope)
            self._metrics.requests.labels(scope["method"], route, status).inc()
            self._metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - began)


def install(app: FastAPI) -> None:
    """Serve the operator's addresses and count every request. Install it last: it counts what all others answer."""
    app.state.metrics = metrics = Metrics()
    app.include_router(router)
    app.add_middleware(CountRequests, metrics=metrics, names=RouteNames(app))


def _metrics(request: Request) -> Metrics:
    return cast("Metrics", request.app.state.metrics)


MetricsDep = Annotated[Metrics, Depends(_metrics)]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class DatabaseState(BaseModel):
    """Whether PostgreSQL answers, and the revision of its tables."""

    reachable: bool
    revision: str | None = Field(description="Null when it does not answer, or was never migrated")
    newest: str | None = Field(description="The revision that this process was made for")


class EngineState(BaseModel):
    """Whether the workflow engine answers."""

    reachable: bool


class Readiness(BaseModel):
    """`degraded`: updates are taken in and shown, but the engine is away or the tables are of another revision."""

    status: Literal["ready", "degraded", "not_ready"]
    database: DatabaseState
    engine: EngineState


@router.get("/healthz")
async def healthz() -> Alive:
    """The process answers; nothing else is asked."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "PostgreSQL does not answer."}})
async def readyz(kawal: KawalDep, response: Response) -> Readiness:
    """Whether this process can serve. Without the engine it can: what is submitted now is started later."""
    database, engine = await asyncio.gather(_database_state(kawal), _engine_state(kawal))
    if database.revision is None:
        response.status_code = 503
        return Readiness(status="not_ready", database=database, engine=engine)
    whole = engine.reachable and database.revision == database.newest
    return Readiness(status="ready" if whole else "degraded", database=database, engine=engine)


@router.get("/metrics", response_class=Response)
async def read_metrics(kawal: KawalDep, metrics: MetricsDep) -> Response:
    """Prometheus metrics of this process, and the backlog of the whole installation."""
    metrics.show_engine(kawal.engine.breaker)
    await metrics.refresh(kawal)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


@lru_cache(maxsize=1)
def _newest() -> str | None:
    return migrate.newest_revision()


async def _database_state(kawal: Kawal) -> DatabaseState:
    newest = await asyncio.to_thread(_newest)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), kawal.database.transaction(Viewer.nobody()) as connection:
            revision = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        return DatabaseState(reachable=True, revision=None, newest=newest)
    except Exception as fault:
        if not is_outage(fault):
            raise
        return DatabaseState(reachable=False, revision=None, newest=newest)
    return DatabaseState(reachable=True, revision=revision, newest=newest)


async def _engine_state(kawal: Kawal) -> EngineState:
    try:
        await kawal.engine.ping()
    except EngineUnavailable:
        return EngineState(reachable=False)
    return EngineState(reachable=True)
