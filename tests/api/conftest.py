"""The API as its clients meet it: through ASGI, on a seeded PostgreSQL, with a real engine where a test asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx2
import limits.aio.storage.memory
import limits.aio.strategies
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

import api.rates
import worker
from activities.casework import Desk
from activities.outbox import Dispatcher
from api.app import create_app, token_issuer
from devstack.temporal import TemporalServer
from runtime.engine import Engine, connect
from runtime.settings import Settings
from services.kawal import Kawal
from tests.scene import FIELD_KEYS, INDEX_KEYS, VAULT, Scene, session_of, user

WEBHOOK_SECRET = "whsec_c2VjcmV0IG9mIHRoZSBNaW5pc3RyeSdzIGdhdGV3YXk="
CODEC_KEYS = "c1:YSBrZXkgZm9yIHdoYXQgdGhlIGVuZ2luZSBrZWVwcyE="
NOBODY_LISTENS = "127.0.0.1:9"
"""The discard port: loopback refuses the connection at once."""

PATIENCE_SECONDS = 20


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the limits stands half-way through a minute, so that no test meets the end of their window."""
    now = time.time() // 60 * 60 + 30
    for module in (limits.aio.storage.memory, limits.aio.strategies, api.rates):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: now))


def settings_for(scene: Scene, *, temporal_address: str = NOBODY_LISTENS, queue_prefix: str = "kawal") -> Settings:
    return Settings.model_validate(
        values_for(scene) | {"temporal_address": temporal_address, "task_queue_prefix": queue_prefix}
    )


def values_for(scene: Scene) -> dict[str, str]:
    """What an installation on the scene's database is told, with an engine that is down."""
    return {
        "database_app_url": scene.urls.app,
        "database_worker_url": scene.urls.worker,
        "temporal_address": NOBODY_LISTENS,
        "task_queue_prefix": "kawal",
        "civil_registry_url": f"http://{NOBODY_LISTENS}",
        "civil_registry_token": "registry-token",
        "ministry_url": f"http://{NOBODY_LISTENS}",
        "ministry_token": "ministry-token",
        "ministry_webhook_secret": WEBHOOK_SECRET,
        "token_signing_key": "s" * 48,
        "field_keys": FIELD_KEYS,
        "index_keys": INDEX_KEYS,
        "codec_keys": CODEC_KEYS,
    }


def staffed_settings(scene: Scene, temporal_server: TemporalServer) -> Settings:
    """The settings of an installation of its own on the shared engine."""
    prefix = scene.urls.app.rpartition("/")[2].replace("_", "-")
    return settings_for(scene, temporal_address=temporal_server.address, queue_prefix=prefix)


class Office:
    """The running application, and its people at their desks."""

    def __init__(self, app: FastAPI, settings: Settings, scene: Scene, clients: AsyncExitStack) -> None:
        self.app = app
        self.settings = settings
        self.scene = scene
        self._clients = clients
        self._issuer = token_issuer(settings)

    def token(self, user_id: UUID, *, now: datetime | None = None) -> str:
        return self._issuer.issue(user_id, now=now or datetime.now(UTC), session_id=session_of(user_id))

    async def visitor(self) -> httpx2.AsyncClient:
        """A client that nobody has signed in to."""
        return await self._client({})

    async def desk_of(self, username: str) -> httpx2.AsyncClient:
        """A client signed in as one of the demo's people."""
        return await self._client({"Authorization": f"Bearer {self.token(user(username))}"})

    async def _client(self, headers: dict[str, str]) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app),
            base_url="http://kawal.test",
            headers=headers,
            timeout=PATIENCE_SECONDS,
        )
        return await self._clients.enter_async_context(client)

    async def open_task(self, update_id: str, stage: str) -> str:
        """The open task of a case, once the case has come to `stage`."""
        found: list[Any] = []

        async def arrived() -> bool:
            found[:] = await self.scene.rows(
                "SELECT id FROM tasks WHERE update_id = :id AND stage = :stage AND status = 'open'",
                id=UUID(update_id),
                stage=stage,
            )
            return bool(found)

        await until(arrived)
        return str(found[0].id)


@pytest.fixture
async def office(scene: Scene) -> AsyncIterator[Office]:
    """The API with a seeded database and an engine that is down."""
    async with opened(scene, settings_for(scene)) as office:
        yield office


@pytest.fixture
async def staffed(scene: Scene, temporal_server: TemporalServer) -> AsyncIterator[Office]:
    """The API with a seeded database, a real engine and a worker that carries cases."""
    settings = staffed_settings(scene, temporal_server)
    async with working(scene, settings), opened(scene, settings) as office:
        yield office


@asynccontextmanager
async def opened(scene: Scene, settings: Settings, *, kawal: Kawal | None = None) -> AsyncGenerator[Office]:
    """The application between its start and its end."""
    app = create_app(settings, kawal=kawal)
    async with LifespanManager(app), AsyncExitStack() as clients:
        yield Office(app, settings, scene, clients)


@asynccontextmanager
async def working(scene: Scene, settings: Settings) -> AsyncGenerator[None]:
    """A worker for the cases of the scene, with the dispatcher of its outbox."""
    client = await connect(settings, lazy=False)
    partners = worker.Partners.of(settings)
    workers = worker.build_workers(
        client,
        Desk(scene.worker, VAULT, scene.rules),
        partners,
        engine=(engine := Engine(client, queue_prefix=settings.task_queue_prefix)),
        queue_prefix=settings.task_queue_prefix,
        runner=worker.workflow_runner(sandboxed=False),
        grace=timedelta(seconds=1),
    )
    dispatcher = Dispatcher(scene.worker, engine)
    async with worker.running(workers, dispatcher):
        yield
    await partners.close()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110  the condition is in another process
            await asyncio.sleep(0.05)


async def somebody_waits(scene: Scene) -> bool:
    """Whether a statement waits for a lock that another transaction holds."""
    waiting = (
        "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE NOT l.granted AND a.datname = current_database()"
    )
    return bool(await scene.rows(waiting))
