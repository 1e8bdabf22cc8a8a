"""Transactions: each under the name of whoever acts, and seeing their areas only.

Row-level security reads `kawal.actor` and `kawal.areas`, which are set for the transaction alone. A connection that
was never told who acts sees nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from domain.areas import is_area
from domain.authority import NATION, Actor, Permission

_DESKS = {Permission.PEOPLE_MANAGE: "people", Permission.DELEGATIONS_MANAGE: "leaves"}
"""Where what is done with a permission."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who a transaction acts for, and the areas it may see.

    At a `desk` it sees what is seen nowhere else: at `people` accounts and appointments, at `leaves` appointments.
    Raises ValueError for what is no area: the database is told of them in one text, parted by commas.
    """

    name: str
    areas: tuple[str, ...]
    desk: str | None = None

    def __post_init__(self) -> None:
        if not all(map(is_area, self.areas)):
            raise ValueError("what a transaction may see is named by areas")

    @classmethod
    def of(cls, actor: Actor) -> Viewer:
        """A person with the areas of their seats."""
        return cls(name=str(actor.user_id), areas=actor.areas)

    @classmethod
    def at_desk(cls, actor: Actor, permission: Permission) -> Viewer:
        """A person who administers people or their leaves, in the areas where their seats give the permission."""
        return cls(name=str(actor.user_id), areas=actor.areas_with(permission), desk=_DESKS[permission])

    @classmethod
    def nobody(cls) -> Viewer:
        """Somebody who is not known yet: reaches the functions that answer with the least, and no row."""
        return cls(name="anonymous", areas=())

    @classmethod
    def system(cls, part: str) -> Viewer:
        """A part of Kawal itself, such as the worker."""
        return cls(name=f"system:{part}", areas=(NATION,))


class _Connection(asyncpg.Connection):
    """One that has the `opening` of its next transaction done together with its BEGIN, which saves a round trip.

    Where the opening fails the connection is given up: nobody else is to find what it left of a transaction.
    """

    opening: str = ""

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        """As of any connection."""
        opening = ""
        if query.startswith("BEGIN"):
            opening, self.opening = self.opening, ""
        try:
            return await super().execute(query + opening, *args, **options)  # pyright: ignore[reportUnknownMemberType]  asyncpg leaves it open
        except BaseException:
            if opening:
                self.terminate()
            raise


class _Adapted(Protocol):
    @property
    def driver_connection(self) -> _Connection:
        """The connection as asyncpg has it."""
        ...


def _refuse_the_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool make a new connection in the place of one that the server has closed, as when it restarts.

    The driver knows of it as soon as the end of the stream is read, so nobody has to be asked: the pool's own
    `pool_pre_ping` would cost every transaction a round trip.
    """
    if cast("_Adapted", connection).driver_connection.is_closed():
        raise DisconnectionError


def _told(viewer: Viewer) -> dict[str, str]:
    told = {"kawal.actor": viewer.name, "kawal.areas": ",".join(viewer.areas)}
    return told if viewer.desk is None else {**told, "kawal.desk": viewer.desk}


def _telling(viewer: Viewer) -> str:
    """The statement that tells a transaction who acts in it."""
    settings = [f"set_config({_quoted(name)}, {_quoted(value)}, true)" for name, value in _told(viewer).items()]
    return "SELECT " + ", ".join(settings)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class Database:
    """The connections of one PostgreSQL role, and the only place where a transaction begins and commits.

    A process that acts for one viewer alone, as the worker does, tells each connection once (`always`).
    """

    def __init__(self, url: str, *, application: str, pool_size: int = 10, always: Viewer | None = None) -> None:
        settings = {"application_name": application, "jit": "off"}
        if always is not None:
            settings |= _told(always)
        self._always = always
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_use_lifo=True,  # what one connection has in its caches, the next transaction finds there
            connect_args={"server_settings": settings, "connection_class": _Connection},
            hide_parameters=True,  # an error names the statement, never the values of a person
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_the_closed)
        self._snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._asking = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(
        self, viewer: Viewer, *, snapshot: bool = False, opening: str = ""
    ) -> AsyncGenerator[AsyncConnection]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        With `snapshot` every statement sees the database as it was at the first one, so that an answer put together
        out of several is of one moment; nothing can be written. An `opening` is a statement without values and without
        an answer that is carried out before the first one of the block.
        """
        async with (self._snapshots if snapshot else self.engine).begin() as connection:
            told = "" if viewer == self._always else _telling(viewer)
            _driver_of(connection).opening = "; ".join(filter(None, (told, opening)))
            yield connection

    @asynccontextmanager
    async def question(self) -> AsyncGenerator[AsyncConnection]:
        """A connection that acts for nobody and writes nothing, for the functions that answer with the least.

        Each statement stands alone, so that what every request asks costs one round trip.
        """
        async with self._asking.connect() as connection:
            yield connection

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()


def _driver_of(connection: AsyncConnection) -> _Connection:
    if connection.sync_connection is None:
        raise RuntimeError("a connection in use has one of the driver")
    return cast("_Adapted", connection.sync_connection.connection).driver_connection
