"""The operator's way in: transactions as `kawal_owner`, for what no person of an office does through the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

_ENTER = text("SELECT set_config('kawal.actor', 'system:operator', true), set_config('kawal.areas', '*', true)")


class OwnerDatabase:
    """Connections of a login that may become `kawal_owner` (the migrator's), one for each transaction."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            connect_args={"server_settings": {"application_name": "kawal-operator", "jit": "off"}},
            hide_parameters=True,  # an error names the statement, never the values of a person
        )

    @asynccontextmanager
    async def transaction(self, *, snapshot: bool = False) -> AsyncGenerator[AsyncConnection]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        With `snapshot` every statement sees the database as it was at the first one, and nothing can be written.
        """
        async with self._engine.connect() as connection:
            if snapshot:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                await connection.execute(text("SET LOCAL ROLE kawal_owner"))
                await connection.execute(_ENTER)
                yield connection
