"""The fixtures that everybody stands on."""

from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client

from devstack import scratch
from devstack.postgres import DatabaseUrls, PostgresServer
from devstack.temporal import TemporalServer
from tests.devstack.connections import connect

pytestmark = pytest.mark.embedded


async def test_a_fresh_database_is_migrated_and_owned_by_nobody_who_logs_in(database: DatabaseUrls) -> None:
    async with connect(database.app) as app:
        owners = await app.fetch("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert [row["tableowner"] for row in owners] == ["kawal_owner"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute("CREATE TABLE mine (id int)")


async def test_each_test_has_a_database_of_its_own(postgres_server: PostgresServer, migrated_template: str) -> None:
    first = await postgres_server.create_database("first", template=migrated_template)
    second = await postgres_server.create_database("second", template=migrated_template)
    async with connect(first.migrator) as one, connect(second.migrator) as two:
        await one.execute("CREATE TABLE only_here (id int)")
        assert await two.fetchval("SELECT to_regclass('only_here')") is None
    await postgres_server.drop_database("first")
    await postgres_server.drop_database("second")


async def test_the_time_skipping_server_answers_and_knows_the_search_attributes(
    temporal_server: TemporalServer,
) -> None:
    client = await Client.connect(temporal_server.address)
    assert await client.service_client.check_health()
    found = await client.count_workflows("KawalStage = 'x' AND KawalArea = 'x' AND KawalKind = 'x' AND KawalLevel = 1")
    assert found.count == 0


@pytest.mark.parametrize(("room", "in_memory"), [(0, True), (2**60, False)])
def test_scratch_data_lie_in_memory_where_there_is_room_for_them(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    room: int,
    in_memory: bool,  # noqa: FBT001  a column of the table above
) -> None:
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr(scratch, "ROOM", room)
    with scratch.scratch_folder() as home:
        assert (home.parent == tmp_path) is in_memory
