"""The whole API over a seeded database, with everything in one village that an endpoint can be asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from activities.casework import Casework, Desk
from api.app import create_app, token_issuer
from runtime.engine import Engine, connect
from runtime.evidence.room import EvidenceRoom
from runtime.oidc.settings import IssuerSettings
from runtime.settings import Settings
from services.kawal import Kawal
from tests.api.conftest import settings_for
from tests.api.people.staff import Staff
from tests.api.reads.casebook import Clock
from tests.conformance.things import ISSUER, Things, make_things
from tests.scene import VAULT, Scene


@pytest.fixture
def unhurried(scene: Scene, tmp_path: Path) -> Settings:
    """Settings under which nobody asks too often: what is tried here are answers, not how many of them."""
    off = dict.fromkeys(("rate_address", "rate_account", "rate_public", "rate_auth", "rate_machine"))
    trusted = IssuerSettings(name=ISSUER, issuer="https://127.0.0.1:9", client_id="kawal")
    store = {"evidence_store": str(tmp_path / "files"), "oidc_issuers": (trusted,)}
    return settings_for(scene).model_copy(update={**off, **store})


@pytest.fixture
async def app(scene: Scene, unhurried: Settings) -> AsyncIterator[FastAPI]:
    """The application, with an engine that is down and a clock that a test may move."""
    engine = Engine(await connect(unhurried), queue_prefix=unhurried.task_queue_prefix)
    room = EvidenceRoom.of(unhurried)
    kawal = Kawal(database=scene.app, vault=VAULT, rules=scene.rules, engine=engine, evidence=room)
    app = create_app(unhurried, kawal=kawal)
    async with LifespanManager(app):
        yield app
    await room.archive.close()


@pytest.fixture
async def staff(app: FastAPI, scene: Scene, unhurried: Settings) -> AsyncIterator[Staff]:
    """People who ask it, and casework to move cases."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://kawal.test") as client:
        casework = Casework(Desk(scene.worker, VAULT, scene.rules))
        yield Staff(scene, casework, Clock(), client, token_issuer(unhurried))


@pytest.fixture
async def things(staff: Staff) -> Things:
    """One of everything, in one village."""
    return await make_things(staff)
