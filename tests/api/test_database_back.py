"""PostgreSQL was away and is back: whoever asks first is answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from api.app import open_kawal
from tests.api.conftest import Office, opened, settings_for, until
from tests.scene import Scene
from tests.workflows.line import line_to

pytestmark = pytest.mark.embedded

MANY = 6


async def test_nobody_is_refused_once_postgresql_is_back(scene: Scene) -> None:
    settings = settings_for(scene)
    kawal = await open_kawal(settings)
    async with (
        line_to(scene, url=scene.urls.app) as (line, database),
        opened(scene, settings, kawal=replace(kawal, database=database)) as office,
    ):
        assert await statuses(office, MANY) == [200] * MANY
        line.cut()

        async def noticed() -> bool:
            return line.idle

        await until(noticed)
        line.release()
        assert await statuses(office, 1) == [200], "the first one"
        assert await statuses(office, MANY) == [200] * MANY, "on each of the other connections"
        line.cut()
        assert await statuses(office, 1) == [503], "while it is away"
        line.release()
        assert await statuses(office, MANY) == [200] * MANY
    await kawal.database.close()


async def statuses(office: Office, count: int) -> list[int]:
    """What so many at once are answered who ask for a list."""
    desk = await office.desk_of("verifikator")
    answers = await asyncio.gather(*(desk.get("/v1/updates") for _ in range(count)))
    return [answer.status_code for answer in answers]
