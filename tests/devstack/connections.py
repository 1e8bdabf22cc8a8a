"""Plain asyncpg connections for tests of the servers themselves."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import asyncpg

from devstack.postgres import SuperuserConnection


@asynccontextmanager
async def connect(url: str) -> AsyncGenerator[SuperuserConnection]:
    """A connection to a SQLAlchemy URL."""
    opened = cast("Callable[[str], Awaitable[SuperuserConnection]]", asyncpg.connect)
    connection = await opened(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()
