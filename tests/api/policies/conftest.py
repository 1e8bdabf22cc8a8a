from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from api.app import open_kawal
from tests.api.conftest import opened, settings_for
from tests.api.policies.chamber import Chamber, Clock
from tests.scene import Scene


@pytest.fixture
async def chamber(scene: Scene) -> AsyncIterator[Chamber]:
    """The API with a seeded database, an engine that is down, and a clock that is moved."""
    settings, clock = settings_for(scene), Clock()
    kawal = replace(await open_kawal(settings), now=clock)
    async with opened(scene, settings, kawal=kawal) as office:
        yield Chamber(office, clock)
    await kawal.database.close()
