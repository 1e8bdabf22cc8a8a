"""deploy/postgres/bootstrap.sql and deploy/temporal/namespace.sh, run against real servers."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db import migrate
from devstack.binaries import temporal_program
from devstack.ports import LOOPBACK
from devstack.postgres import PostgresServer
from devstack.scratch import scratch_postgres
from devstack.temporal import SEARCH_ATTRIBUTES, TemporalServer
from tests.deploy.compose import TREE

pytestmark = pytest.mark.embedded

PASSWORDS = {
    "DB_MIGRATOR_PASSWORD": "migrates",
    "DB_APP_PASSWORD": "serves",
    "DB_WORKER_PASSWORD": "it's work",
    "DB_TEMPORAL_PASSWORD": "keeps time",
}
ENTER: Any = asyncpg.connect  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - asyncpg has no types


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[PostgresServer]:
    """A server of our own: other tests rely on the passwords of theirs."""
    async with scratch_postgres() as running:
        yield running


def run(command: list[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own scripts and the wheels' programs
        command,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def bootstrap(server: PostgresServer, passwords: dict[str, str]) -> None:
    psql = server.cluster.programs / "psql"
    done = await asyncio.to_thread(
        run,
        [psql, "--no-psqlrc", "--dbname", "postgres", "--file", TREE / "deploy/postgres/bootstrap.sql"],
        PGHOST=LOOPBACK,
        PGPORT=str(server.port),
        PGUSER="postgres",
        PGPASSWORD=server._known().postgres,  # pyright: ignore[reportPrivateUsage] - nobody else is told
        **passwords,
    )
    assert (done.returncode, done.stderr) == (0, "")


async def can_enter(server: PostgresServer, account: str, password: str, database: str) -> bool:
    try:
        connection = await ENTER(
            host=LOOPBACK, port=server.port, user=account, password=password, database=database, timeout=5
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InsufficientPrivilegeError):
        return False
    await connection.close()
    return True


async def test_bootstrap_lets_each_account_into_its_own_database_alone(server: PostgresServer) -> None:
    await bootstrap(server, PASSWORDS)

    for account in ("migrator", "app", "worker"):
        password = PASSWORDS[f"DB_{account.upper()}_PASSWORD"]
        assert await can_enter(server, f"kawal_{account}", password, "kawal")
        assert not await can_enter(server, f"kawal_{account}", password, "temporal")
    for database in ("temporal", "temporal_visibility"):
        assert await can_enter(server, "temporal", PASSWORDS["DB_TEMPORAL_PASSWORD"], database)
    assert not await can_enter(server, "temporal", PASSWORDS["DB_TEMPORAL_PASSWORD"], "kawal")


async def test_bootstrap_is_repeated_without_harm_and_takes_over_a_new_password(server: PostgresServer) -> None:
    await bootstrap(server, PASSWORDS)
    await bootstrap(server, PASSWORDS | {"DB_APP_PASSWORD": "serves anew"})

    assert await can_enter(server, "kawal_app", "serves anew", "kawal")
    assert not await can_enter(server, "kawal_app", PASSWORDS["DB_APP_PASSWORD"], "kawal")


async def test_migrations_run_on_what_bootstrap_made(server: PostgresServer) -> None:
    await bootstrap(server, PASSWORDS)
    password = PASSWORDS["DB_MIGRATOR_PASSWORD"]
    url = f"postgresql+asyncpg://kawal_migrator:{password}@{LOOPBACK}:{server.port}/kawal"

    await asyncio.to_thread(migrate.upgrade, url)
    await asyncio.to_thread(migrate.upgrade, url)

    connection = await ENTER(
        host=LOOPBACK, port=server.port, user="kawal_migrator", password=password, database="kawal", timeout=5
    )
    owners = await connection.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert [row["tableowner"] for row in owners] == ["kawal_owner"]


async def test_namespace_and_search_attributes_are_registered_once_however_often(
    temporal_server: TemporalServer,
) -> None:
    programs = temporal_program().parent
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TEMPORAL_ADDRESS": temporal_server.address,
        "TEMPORAL_NAMESPACE": "deployed",
        "RETENTION": "720h",
    }
    script: list[str | Path] = ["sh", TREE / "deploy/temporal/namespace.sh"]

    for _ in range(2):
        done = await asyncio.to_thread(run, script, **environment)
        assert done.returncode == 0, done.stderr

    look: list[str | Path] = ["temporal", "operator", "search-attribute", "list", "--namespace", "deployed"]
    listed = await asyncio.to_thread(run, look, **environment)
    for name, kind in SEARCH_ATTRIBUTES.items():
        assert [name, kind] in [line.split() for line in listed.stdout.splitlines()]


@pytest.mark.parametrize("script", ["make_env.sh", "temporal/schema.sh", "temporal/namespace.sh"])
def test_scripts_are_plain_shell(script: str) -> None:
    done = run(["sh", "-n", TREE / "deploy" / script])

    assert (done.returncode, done.stderr) == (0, "")
