"""Real servers for every test that asks: PostgreSQL and Temporal once a session, a fresh database for each test.

They start only when a test uses them, and end with the session however that ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from db import migrate
from devstack.postgres import DatabaseUrls, PostgresServer
from devstack.scratch import scratch_postgres, scratch_temporal
from devstack.seed import World
from devstack.temporal import TemporalServer
from tests.audited import silent_changes, watched
from tests.scene import Scene, seed_world
from tests.witnesses import take, unlike_what_is_declared

TEMPLATE = "migrated"
SEEDED = "seeded"
_numbers = count(1)

WHOLE_STACKS = ("tests/faults/", "tests/readme/", "tests/devstack/test_up.py")
"""Where tests start many processes and wait for them."""
LONGEST = (*WHOLE_STACKS, "tests/stateful/")


class Shares(LoadScopeScheduling):
    """What each process of `make test` takes next: a file, or all tests with whole stacks, which thus run in turn."""

    def _split_scope(self, nodeid: str) -> str:
        return "whole stacks" if nodeid.startswith(WHOLE_STACKS) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that no process is left with it while the others are done."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _watched() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]  pytest calls it
    """Every transaction of Kawal's own code is watched."""
    with watched():
        yield


@pytest.fixture(autouse=True)
def _nothing_in_silence(  # pyright: ignore[reportUnusedFunction]
    _watched: None, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Whatever a test is about: nothing that counts was changed without an event, nor by a call told otherwise."""
    yield
    assert silent_changes() == []
    found = take()
    assert unlike_what_is_declared(request.node.name.partition("[")[0], found) == []


@pytest.fixture(scope="session")
async def postgres_server() -> AsyncIterator[PostgresServer]:
    """A PostgreSQL without durability, shared by the session."""
    async with scratch_postgres() as server:
        yield server


@pytest.fixture(scope="session")
async def migrated_template(postgres_server: PostgresServer) -> str:
    """The name of a database at the newest revision, to be copied and never connected to."""
    urls = await postgres_server.create_database(TEMPLATE)
    await asyncio.to_thread(migrate.upgrade, urls.migrator)
    return TEMPLATE


@pytest.fixture
async def database(postgres_server: PostgresServer, migrated_template: str) -> AsyncIterator[DatabaseUrls]:
    """A migrated, empty database of the test's own; its URLs by account."""
    name = f"test_{next(_numbers)}"
    yield await postgres_server.create_database(name, template=migrated_template)
    await postgres_server.drop_database(name)


@pytest.fixture(scope="session")
async def temporal_server() -> AsyncIterator[TemporalServer]:
    """A Temporal server in memory, shared by the session, on which workflows may skip time."""
    async with scratch_temporal() as server:
        yield server


@pytest.fixture(scope="session")
async def seeded_template(postgres_server: PostgresServer, migrated_template: str) -> World:
    """What stands in the database `seeded`: the demo's people, rules and some households; to be copied."""
    return await seed_world(await postgres_server.create_database(SEEDED, template=migrated_template))


@pytest.fixture
async def scene(postgres_server: PostgresServer, seeded_template: World) -> AsyncIterator[Scene]:
    """A seeded database of the test's own."""
    name = f"scene_{next(_numbers)}"
    scene = Scene.at(
        await postgres_server.create_database(name, template=SEEDED),
        seeded_template.policy_version_id,
    )
    yield scene
    await scene.close()
    await postgres_server.drop_database(name)
