"""Data folders and a server that tests start and break themselves."""

import shutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from devstack.cluster import cluster_home
from devstack.ports import any_free_port
from devstack.postgres import PostgresServer
from devstack.service_user import service_user


def remove(folder: Path) -> None:
    """The folder, and the cluster that it may link to."""
    if (folder / "postgres").exists():
        shutil.rmtree((folder / "postgres").resolve())


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    remove(tmp_path / "data")


@pytest.fixture(scope="module")
async def durable_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[PostgresServer]:
    """A PostgreSQL server as `kawal up` has it."""
    folder = tmp_path_factory.mktemp("durable") / "data"
    server = PostgresServer(cluster_home(folder, service_user()), port=any_free_port(), log=folder / "postgres.log")
    yield server
    await server.stop()
    remove(folder)


@pytest.fixture
async def server(durable_server: PostgresServer) -> PostgresServer:
    """The same, started, whatever the test before did to it."""
    await durable_server.start()
    return durable_server
