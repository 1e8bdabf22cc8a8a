"""The whole API over a seeded database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from api.app import create_app
from runtime.engine import Engine, connect
from runtime.evidence.room import EvidenceRoom
from runtime.settings import Settings
from services.kawal import Kawal
from tests.api.conftest import settings_for
from tests.scene import VAULT, Scene


@pytest.fixture
def unhurried(scene: Scene, tmp_path: Path) -> Settings:
    """Settings under which nobody asks too often: what is tried here are answers, not how many of them."""
    off = dict.fromkeys(("rate_address", "rate_account", "rate_public", "rate_auth", "rate_machine"))
    return settings_for(scene).model_copy(update={**off, "evidence_store": str(tmp_path / "files")})


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
