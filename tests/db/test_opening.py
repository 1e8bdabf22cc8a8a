"""What a transaction opens with: said together with its BEGIN, and gone with the connection where it fails."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Viewer
from tests.scene import Scene

_ACTOR = text("SELECT nullif(current_setting('kawal.actor', true), '')")
_BACKEND = text("SELECT pg_backend_pid()")
_NOBODY = Viewer.nobody()


async def _told(connection: AsyncConnection) -> str | None:
    return await connection.scalar(_ACTOR)


async def test_each_transaction_is_told_who_acts_and_the_next_one_is_told_anew(scene: Scene) -> None:
    async with scene.app.transaction(Viewer(name="o'brien'; --", areas=("32.06",))) as connection:
        assert await _told(connection) == "o'brien'; --"
    async with scene.app.transaction(_NOBODY) as connection:
        assert await _told(connection) == "anonymous"
    async with scene.app.question() as connection:
        assert await _told(connection) is None


async def test_an_opening_that_nothing_followed_is_not_done_in_another_transaction(scene: Scene) -> None:
    async with scene.app.transaction(_NOBODY, opening="SELECT 1/0"):
        pass
    async with scene.app.transaction(_NOBODY) as connection:
        assert await _told(connection) == "anonymous"


async def test_a_failed_opening_takes_its_connection_along(scene: Scene) -> None:
    async with scene.app.transaction(_NOBODY) as connection:
        before = await connection.scalar(_BACKEND)
    with pytest.raises(DBAPIError, match="division by zero"):
        async with scene.app.transaction(_NOBODY, opening="SELECT 1/0") as connection:
            await connection.scalar(_BACKEND)
    async with scene.app.transaction(_NOBODY) as connection:
        assert await connection.scalar(_BACKEND) != before
        assert await _told(connection) == "anonymous"
