"""Tampering with the trail, by somebody whom no grant and no trigger stops, is found and named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from db.models import Update
from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.trail import Entry
from devstack.demo_people import TARAJU, demo_id
from devstack.postgres import DatabaseUrls, PostgresServer
from domain.audit import AuditType
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.usefixtures("settings")

STREAM = "update:019a0000-0000-7000-8000-000000000001"
OTHER = "update:019a0000-0000-7000-8000-000000000002"
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def trails(database: DatabaseUrls) -> None:
    """Two streams of five events."""
    async with OwnerDatabase(database.migrator).transaction() as connection:
        for stream in (STREAM, OTHER):
            entries = [Entry(type=AuditType.TASK_CLAIMED, data={"turn": turn}) for turn in range(5)]
            await trail.record(connection, stream, entries, at=NOW, area_code=TARAJU)


async def tamper(server: PostgresServer, database: DatabaseUrls, *statements: str) -> None:
    """As the superuser, past every trigger."""
    connection = await server.connect_as_superuser(database.migrator.rpartition("/")[2])
    await connection.execute("SET session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement.format(stream=STREAM))
    await connection.close()


async def verdict(kawal: Kawal, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = await kawal("audit", "verify", "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


async def test_a_whole_trail_has_no_flaw(kawal: Kawal) -> None:
    code, found = await verdict(kawal)
    assert (code, found["streams"], found["events"], found["flaws"]) == (0, 2, 10, [])
    assert (found["checkpoints"], found["unproven"]) == (0, 10)


@pytest.mark.parametrize(
    ("statements", "kind", "seq"),
    [
        (["""UPDATE audit_events SET data = '{{"turn": 9}}' WHERE stream = '{stream}' AND seq = 3"""], "changed", 3),
        (["UPDATE audit_events SET at = at + interval '1 day' WHERE stream = '{stream}' AND seq = 2"], "changed", 2),
        (["DELETE FROM audit_events WHERE stream = '{stream}' AND seq = 3"], "missing", 3),
        (["DELETE FROM audit_events WHERE stream = '{stream}' AND seq = 5"], "missing", 5),
        (["DELETE FROM audit_events WHERE stream = '{stream}'"], "missing", 1),
        (["DELETE FROM audit_streams WHERE stream = '{stream}'"], "unrecorded", 5),
        (["UPDATE audit_streams SET seq = 4 WHERE stream = '{stream}'"], "unrecorded", 5),
        (
            [
                "UPDATE audit_events SET seq = seq + 10 WHERE stream = '{stream}' AND seq IN (2, 3)",
                "UPDATE audit_events SET seq = 15 - seq WHERE stream = '{stream}' AND seq > 10",
            ],
            "reordered",
            2,
        ),
    ],
    ids=[
        "content changed",
        "time changed",
        "row removed",
        "last row removed",
        "all rows removed",
        "head removed",
        "head set back",
        "rows swapped",
    ],
)
async def test_tampering_is_found_and_named(
    kawal: Kawal,
    postgres_server: PostgresServer,
    database: DatabaseUrls,
    statements: list[str],
    kind: str,
    seq: int,
) -> None:
    await tamper(postgres_server, database, *statements)
    code, found = await verdict(kawal)
    assert code == 1
    assert {flaw["stream"] for flaw in found["flaws"]} == {STREAM}
    assert (kind, seq) in {(flaw["kind"], flaw["seq"]) for flaw in found["flaws"]}


async def test_a_row_that_was_padded_in_is_found(
    kawal: Kawal,
    postgres_server: PostgresServer,
    database: DatabaseUrls,
) -> None:
    copied = (
        "stream, 6, at, type, actor_id, actor_role, office_id, on_behalf_of, area_code, status, data, prev_hash, hash"
    )
    await tamper(
        postgres_server,
        database,
        f"INSERT INTO audit_events (stream, seq, {copied.partition(', 6, ')[2]}) "  # noqa: S608 - column names
        f"SELECT {copied} FROM audit_events WHERE stream = '{{stream}}' AND seq = 5",
    )
    code, found = await verdict(kawal)
    assert code == 1
    assert 6 in {flaw["seq"] for flaw in found["flaws"]}


async def test_a_case_whose_whole_trail_was_removed_is_found(
    kawal: Kawal,
    postgres_server: PostgresServer,
    database: DatabaseUrls,
) -> None:
    await kawal("demo", "seed", "--households-per-village", "1")
    await add_case(database, UUID(STREAM.partition(":")[2]))
    await tamper(
        postgres_server,
        database,
        "DELETE FROM audit_events WHERE stream = '{stream}'",
        "DELETE FROM audit_streams WHERE stream = '{stream}'",
    )
    code, found = await verdict(kawal)
    assert code == 1
    assert [(flaw["stream"], flaw["kind"]) for flaw in found["flaws"]] == [(STREAM, "missing")]


async def add_case(database: DatabaseUrls, update_id: UUID) -> None:
    async with OwnerDatabase(database.migrator).transaction() as connection:
        await connection.execute(
            insert(Update).values(
                id=update_id,
                tracking_code="0000-0000-0000-0000",
                area_code=TARAJU,
                kind="death",
                policy_version_id=await connection.scalar(text("SELECT id FROM policies")),
                status="received",
                revision=1,
                submitted_by=demo_id("user", "operator.taraju"),
                submitted_at=NOW,
                version=1,
            ),
        )


async def test_one_stream_can_be_looked_at_alone(kawal: Kawal) -> None:
    code, found = await verdict(kawal, "--stream", OTHER)
    assert (code, found["streams"], found["events"]) == (0, 1, 5)
    unknown = await kawal("audit", "verify", "--stream", "update:none")
    assert unknown.exit_code == 1
    assert "no stream 'update:none'" in unknown.stderr


async def test_a_person_reads_a_table_of_the_flaws(
    kawal: Kawal,
    postgres_server: PostgresServer,
    database: DatabaseUrls,
) -> None:
    await tamper(postgres_server, database, "DELETE FROM audit_events WHERE stream = '{stream}' AND seq = 3")
    shown = await kawal("audit", "verify")
    assert f"{STREAM}\t3\tmissing\tevent 3 is missing" in shown.stdout
    assert "2 streams with 9 events: 1 flaw(s)." in shown.stdout
