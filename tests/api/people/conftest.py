"""Cases under a test's clock, and the people of two regencies."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from asgi_lifespan import LifespanManager

from activities.casework import Casework, Desk
from api.app import create_app, token_issuer
from runtime.engine import Engine, connect
from services.kawal import Kawal
from tests.api.conftest import settings_for
from tests.api.people.staff import Staff
from tests.api.reads.casebook import Clock
from tests.scene import VAULT, Scene, no_room


@pytest.fixture
async def staff(scene: Scene) -> AsyncIterator[Staff]:
    """A seeded database, casework to move cases, and the API with an engine that is down."""
    settings, clock = settings_for(scene), Clock()
    engine = Engine(await connect(settings), queue_prefix=settings.task_queue_prefix)
    kawal = Kawal(database=scene.app, vault=VAULT, rules=scene.rules, engine=engine, evidence=no_room(), now=clock)
    app = create_app(settings, kawal=kawal)
    transport = httpx2.ASGITransport(app)
    async with LifespanManager(app), httpx2.AsyncClient(transport=transport, base_url="http://kawal.test") as client:
        casework = Casework(Desk(scene.worker, VAULT, scene.rules))
        yield Staff(scene, casework, clock, client, token_issuer(settings))
