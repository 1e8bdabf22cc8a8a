"""How the database is looked at: as somebody, in some areas, at a desk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database, Viewer
from tests.scene import Scene

TARAJU, CIKUBANG = "32.06.13.2001", "32.06.13.2002"
HOLDER: Final = "puskesos.taraju"
"""Whoever is signed in, uploads and is on leave."""


@asynccontextmanager
async def seeing(database: Database, actor: str, *areas: str) -> AsyncGenerator[AsyncConnection]:
    async with database.transaction(Viewer(name=actor, areas=areas)) as connection:
        yield connection


async def count(connection: AsyncConnection, table: str, where: str = "true") -> int:
    return await connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0  # noqa: S608 - our own names


@asynccontextmanager
async def at_desk(scene: Scene, actor: str, *areas: str, desk: str = "people") -> AsyncGenerator[AsyncConnection]:
    """A transaction in which people are administered."""
    async with scene.app.transaction(Viewer(actor, areas, desk=desk)) as connection:
        yield connection
