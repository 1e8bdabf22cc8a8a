"""The embedded PostgreSQL: started by the wheel's own programs, on loopback TCP, with passwords for every account.

`initdb` and `pg_ctl` are called directly. The wheel's own `get_server()` would trust every local process and,
as root, open the permissions of parent folders.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self, cast

import asyncpg

from devstack.binaries import postgres_programs
from devstack.cluster import Cluster, Passwords, PostgresError
from devstack.ports import LOOPBACK, free_port, is_free
from devstack.processes import open_log, tail
from devstack.service_user import ServiceUser, owner_of, service_user

DEFAULT_PORT: Final = 54321
DATABASE: Final = "kawal"
ROLES_SQL: Final = Path(__file__).resolve().parent.parent / "db" / "roles.sql"
"""The roles of every installation; the compose file runs the same text."""
LOGINS: Final = ("kawal_migrator", "kawal_app", "kawal_worker")
START_ATTEMPTS: Final = 3
_LOOK_SECONDS: Final = 0.5

_SET_PASSWORD: Final = "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text)"  # noqa: S105 - a statement

_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "512MB",
    "io_method": "sync",  # three processes fewer; the data fits into memory
    "jit": "off",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Values of rows (a NIK in a violated constraint) stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}
_FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "scram_iterations": "1",  # of passwords that nobody has to guess
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """SQLAlchemy URLs of one database, one for each account. A `repr` shows none, they contain passwords."""

    app: str
    worker: str
    migrator: str

    def __repr__(self) -> str:
        return "DatabaseUrls(...)"


class SuperuserConnection(Protocol):
    """What is used of an asyncpg connection, which has no types of its own."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement, or several when there are no arguments."""
        ...

    async def fetchval(self, query: str, *args: object) -> Any:
        """The first column of the first row."""
        ...

    async def fetch(self, query: str, *args: object) -> list[Any]:
        """All rows."""
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class PostgresServer:
    """One PostgreSQL server with its cluster in `home` (see `cluster_home`).

    `port` is the preferred one; after `start` it is the one in use. `durable=False` gives up safety against a
    crash of the machine for speed, for data that a test throws away.
    """

    name = "postgres"

    def __init__(
        self,
        home: Path,
        *,
        port: int = DEFAULT_PORT,
        durable: bool = True,
        log: Path | None = None,
        user: ServiceUser | None = None,
    ) -> None:
        account = _account(home, user)
        self.cluster = Cluster(home.resolve(), programs=postgres_programs(account), user=account)
        self.port = port
        self.log = log or home / "postgres.log"
        self._durable = durable
        self._passwords: Passwords | None = None

    async def start(self) -> None:
        """Make the cluster if there is none, start it if it does not run, and see that roles and database exist.

        Safe to repeat, and safe after a `kill -9` of the server or of us. Raises PostgresError with the end of
        the server's log.
        """
        told = self._passwords is not None
        self._passwords = await self.cluster.ensure()
        if self.cluster.postmaster() is None:
            await self.cluster.settle()
            # A second start keeps the port that clients have been told.
            await (self._start_on(self.port) if told else self._start_on_free_port())
        self.port = self.cluster.port() or self.port
        await self._ensure_roles_and_database()

    async def stop(self) -> None:
        """Stop the server, closing open connections; nothing happens if it does not run."""
        if self.cluster.postmaster() is not None:
            await self.cluster.run(
                "pg_ctl", "stop", "--pgdata", str(self.cluster.data), "--mode", "fast", "--wait", "--timeout", "30"
            )

    def is_running(self) -> bool:
        """Whether the postmaster of this cluster lives."""
        return self.cluster.postmaster() is not None

    async def ended(self) -> str:
        """Return when the postmaster is gone."""
        while self.is_running():  # noqa: ASYNC110 - a daemon is no child of ours: nobody tells us, so we look
            await asyncio.sleep(_LOOK_SECONDS)
        return "its postmaster is gone"

    def kill(self) -> None:
        """End the server at once; the next start recovers from its log."""
        postmaster = self.cluster.postmaster()
        if postmaster is not None:
            postmaster.send_signal(signal.SIGQUIT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def urls(self, database: str = DATABASE) -> DatabaseUrls:
        """Where each account finds `database`. The server must have been started."""

        def url(account: str) -> str:
            return f"postgresql+asyncpg://{account}:{getattr(self._known(), account)}@{LOOPBACK}:{self.port}/{database}"

        return DatabaseUrls(app=url("kawal_app"), worker=url("kawal_worker"), migrator=url("kawal_migrator"))

    async def connect_as_superuser(self, database: str = "postgres") -> SuperuserConnection:
        """A connection that no rule holds for: for bootstrap, and for tests that break something on purpose."""
        connect = cast("Callable[..., Awaitable[SuperuserConnection]]", asyncpg.connect)
        return await connect(
            host=LOOPBACK,
            port=self.port,
            user="postgres",
            password=self._known().postgres,
            database=database,
            timeout=10,
        )

    async def create_database(self, name: str, *, template: str = "template0") -> DatabaseUrls:
        """A fresh database, a copy of `template`: owned by kawal_owner, open to Kawal's accounts alone.

        Copied file by file, which takes a third less work than the default way through the log.
        """
        copy = f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER kawal_owner STRATEGY file_copy'
        async with self._superuser() as connection:
            await connection.execute(copy)
            await _open_to_kawal_alone(connection, name)
        return self.urls(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database and whoever is still connected to it."""
        async with self._superuser() as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @asynccontextmanager
    async def _superuser(self) -> AsyncGenerator[SuperuserConnection]:
        connection = await self.connect_as_superuser()
        try:
            yield connection
        finally:
            await connection.close()

    def _known(self) -> Passwords:
        if self._passwords is None:
            raise PostgresError("the server has not been started")
        return self._passwords

    async def _start_on_free_port(self) -> None:
        for attempt in range(1, START_ATTEMPTS + 1):
            self.port = free_port(self.port)
            try:
                await self._start_on(self.port)
            except PostgresError:
                # Somebody else took the port between our look and the server's bind: then look again.
                if attempt == START_ATTEMPTS or is_free(self.port):
                    raise
            else:
                return

    async def _start_on(self, port: int) -> None:
        settings = {**_SETTINGS, **({} if self._durable else _FORGETFUL), "port": str(port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        try:
            await self._pg_ctl_start(options)
        except PostgresError as error:
            raise PostgresError(f"{error}\n{tail(self.log)}") from None

    async def _pg_ctl_start(self, options: str) -> None:
        """The server inherits the log we opened, so that it can write where its account could not open a file."""
        with open_log(self.log) as log:
            await self.cluster.run(
                "pg_ctl",
                *("start", "--pgdata", str(self.cluster.data), "--options", options, "--wait", "--timeout", "60"),
                output=log,
            )

    async def _ensure_roles_and_database(self) -> None:
        async with self._superuser() as connection:
            await connection.execute(ROLES_SQL.read_text())
            for account in LOGINS:
                password = getattr(self._known(), account)
                await connection.execute(await connection.fetchval(_SET_PASSWORD, account, password))
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 OWNER kawal_owner")
            await _open_to_kawal_alone(connection, DATABASE)


def _account(home: Path, wanted: ServiceUser | None) -> ServiceUser | None:
    """Whom to run as: a cluster stays with its owner, also when root finds a fitter account later."""
    account = wanted or service_user()
    if account is None or not (home / "data").exists():
        return account
    return owner_of(home / "data")


async def _open_to_kawal_alone(connection: SuperuserConnection, database: str) -> None:
    await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO {", ".join(LOGINS)}')
