"""A trail that was signed, exported and kept outside: whoever owns the database and not the key is found out."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.trail import Entry
from db.session import Database, Viewer
from devstack.postgres import DatabaseUrls, PostgresServer
from domain.audit import AuditType, Head, append, genesis
from domain.checkpoints import Checkpoint, TrailAlteredError, leaf, signed
from domain.keyring import generate
from domain.merkle import MerkleTree
from domain.signing import SigningRing
from duties.notary import Notary
from runtime.settings import get_settings
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.usefixtures("settings")

FIRST, SECOND, THIRD = (f"update:019a0000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
SET_BACK = """
    UPDATE audit_streams s SET seq = e.seq, hash = e.hash FROM audit_events e
    WHERE s.stream = '{0}' AND e.stream = '{0}' AND e.seq = 3
"""
Found = tuple[int, dict[str, Any]]
Tamper = Callable[..., Awaitable[None]]


async def happen(database: DatabaseUrls, stream: str, count: int) -> None:
    async with OwnerDatabase(database.migrator).transaction() as connection:
        entries = [Entry(type=AuditType.TASK_CLAIMED, data={"turn": turn}) for turn in range(count)]
        await trail.record(connection, stream, entries, at=NOW, area_code="32.06.13.2001")


@pytest.fixture(autouse=True)
async def trails(database: DatabaseUrls) -> None:
    """Three streams of five events."""
    for stream in (FIRST, SECOND, THIRD):
        await happen(database, stream, 5)


@pytest.fixture
def tamper(postgres_server: PostgresServer, database: DatabaseUrls) -> Tamper:
    """As the superuser, past every grant and trigger."""

    async def run(*statements: str) -> None:
        connection = await postgres_server.connect_as_superuser(database.migrator.rpartition("/")[2])
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    return run


@pytest.fixture
async def key(kawal: Kawal, tmp_path: Path) -> str:
    """A first checkpoint, kept in `kept.gz` with the ends and in `short` without; the key that the operator pins."""
    made = await kawal("audit", "checkpoint", "--out", str(tmp_path / "kept.gz"), "--json")
    assert made.exit_code == 0, made.stderr
    lines = gzip.decompress((tmp_path / "kept.gz").read_bytes()).decode().splitlines(keepends=True)
    (tmp_path / "short").write_text("".join(line for line in lines if '"record":"end"' not in line))
    return json.loads(made.stdout)["key"]


async def export(kawal: Kawal, file: Path) -> Path:
    written = await kawal("audit", "export", str(file))
    assert written.exit_code == 0, written.stderr
    return file


async def verify(kawal: Kawal, file: Path, key: str, *more: str) -> Found:
    result = await kawal("audit", "verify", "--export", str(file), "--key", key, "--json", *more)
    assert result.exit_code in {0, 1}, result.stderr
    return result.exit_code, json.loads(result.stdout)


def kinds(found: dict[str, Any], stream: str) -> set[str]:
    return {flaw["kind"] for flaw in found["flaws"] if flaw["stream"] == stream}


def blamed(found: dict[str, Any]) -> set[str]:
    return {flaw["stream"] for flaw in found["flaws"]} - {"checkpoints"}


async def rewrite(tamper: Tamper, stream: str, count: int) -> Head:
    """Write a whole chain anew, as valid as the true one, recorded end and all."""
    head, rows = Head(0, genesis(stream)), list[str]()
    for seq in range(1, count + 1):
        event = trail.AuditEvent(stream=stream, seq=seq, at=NOW, type="task.claimed", data={"turn": seq + 100})
        stored = append(head, event)
        rows.append(
            f"('{stream}', {seq}, '{NOW.isoformat()}', 'task.claimed', '{json.dumps(event.data)}', "
            f"'\\x{stored.prev_hash.hex()}', '\\x{stored.hash.hex()}')",
        )
        head = Head(seq, stored.hash)
    await tamper(
        f"DELETE FROM audit_events WHERE stream = '{stream}'",  # noqa: S608 - the test's own names
        f"INSERT INTO audit_events (stream, seq, at, type, data, prev_hash, hash) VALUES {', '.join(rows)}",  # noqa: S608
        f"UPDATE audit_streams SET seq = {count}, hash = '\\x{head.hash.hex()}' WHERE stream = '{stream}'",  # noqa: S608
    )
    return head


@pytest.mark.parametrize("name", ["export.ndjson", "export.ndjson.gz"])
async def test_a_whole_export_is_proven_and_what_came_later_is_said_to_be_unproven(
    kawal: Kawal,
    database: DatabaseUrls,
    key: str,
    tmp_path: Path,
    name: str,
) -> None:
    await happen(database, SECOND, 2)
    file = await export(kawal, tmp_path / name)
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert (code, found["flaws"]) == (0, [])
    assert (found["streams"], found["events"], found["proven_by"], found["unproven"]) == (4, 18, 1, 3)
    assert {"stream": SECOND, "first": 6, "last": 7} in found["unproven_in"]
    assert file.stat().st_mode & 0o077 == 0


async def test_nothing_but_the_export_and_the_key_is_needed(
    kawal: Kawal,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = await export(kawal, tmp_path / "export")
    for name in ("DATABASE_APP_URL", "DATABASE_MIGRATOR_URL", "CHECKPOINT_KEYS"):
        monkeypatch.delenv(f"KAWAL_{name}")
    get_settings.cache_clear()
    (tmp_path / "pinned").write_text(f"{key}\n")
    code, found = await verify(kawal, file, str(tmp_path / "pinned"), "--checkpoint", str(tmp_path / "short"))
    assert (code, found["proven_by"]) == (0, 1)
    unpinned = await kawal("audit", "verify", "--export", str(file))
    assert (unpinned.exit_code, "cannot vouch for itself" in unpinned.stderr) == (1, True)


async def test_an_export_under_a_key_that_is_not_pinned_proves_nothing(kawal: Kawal, key: str, tmp_path: Path) -> None:
    file = await export(kawal, tmp_path / "export")
    stranger = str(SigningRing.parse(generate(), setting="test").active)
    code, found = await verify(kawal, file, stranger)
    assert (code, found["proven_by"], kinds(found, "checkpoints")) == (1, None, {"unsigned"})
    del key


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["UPDATE audit_events SET at = at + interval '1 day' WHERE stream = '{0}' AND seq = 2"], "changed"),
        (["DELETE FROM audit_events WHERE stream = '{0}' AND seq = 2"], "missing"),
        (
            [
                "DELETE FROM audit_events WHERE stream = '{0}' AND seq > 3",
                SET_BACK,
            ],
            "cut",
        ),
        (
            ["DELETE FROM audit_events WHERE stream = '{0}'", "DELETE FROM audit_streams WHERE stream = '{0}'"],
            "vanished",
        ),
        (["DELETE FROM audit_{table} WHERE stream = '{0}'"], "vanished"),
    ],
    ids=["changed", "removed", "tail cut, end set back", "stream deleted", "stream deleted with its marks"],
)
async def test_what_the_owner_of_the_database_does_to_one_stream_is_named(
    kawal: Kawal,
    tamper: Tamper,
    key: str,
    tmp_path: Path,
    statements: list[str],
    kind: str,
) -> None:
    for statement in statements:
        for table in ("events", "streams", "marks") if "{table}" in statement else ("",):
            await tamper(statement.format(SECOND, table=table))
    file = await export(kawal, tmp_path / "export")
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert code == 1
    assert blamed(found) == {SECOND}
    assert kind in kinds(found, SECOND)
    bare, without_ends = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "short"))
    assert (bare, bool(without_ends["flaws"])) == (1, True)
    live = await kawal("audit", "verify", "--checkpoint", str(tmp_path / "kept.gz"), "--json")
    assert (live.exit_code, kinds(json.loads(live.stdout), SECOND)) == (1, kinds(found, SECOND))


async def test_a_chain_written_anew_is_named_even_when_its_marks_are_too(
    kawal: Kawal,
    tamper: Tamper,
    key: str,
    tmp_path: Path,
) -> None:
    head = await rewrite(tamper, SECOND, 5)
    code, found = await verify(kawal, await export(kawal, tmp_path / "one"), key)
    assert (code, kinds(found, SECOND)) == (1, {"rewritten"})
    await tamper(f"UPDATE audit_marks SET hash = '\\x{head.hash.hex()}' WHERE stream = '{SECOND}'")  # noqa: S608
    file = await export(kawal, tmp_path / "two")
    code, found = await verify(kawal, file, key)
    assert (code, blamed(found), kinds(found, "checkpoints")) == (1, set(), {"changed"})
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert (code, kinds(found, SECOND)) == (1, {"rewritten"})


async def test_a_thief_without_the_key_cannot_sign_what_he_wrote(
    kawal: Kawal,
    tamper: Tamper,
    database: DatabaseUrls,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """He rewrites a chain, throws every checkpoint away and signs anew, under the same name and another key."""
    await rewrite(tamper, SECOND, 5)
    await tamper("DELETE FROM audit_marks", "DELETE FROM audit_checkpoints", "DELETE FROM audit_keys")
    own = get_settings().checkpoint_keys
    assert own is not None
    monkeypatch.setenv("KAWAL_CHECKPOINT_KEYS", generate(key_id=own.active.key_id))
    get_settings.cache_clear()
    assert (await kawal("audit", "checkpoint")).exit_code == 0
    file = await export(kawal, tmp_path / "export")
    code, found = await verify(kawal, file, key)
    assert (code, "unsigned" in kinds(found, "checkpoints")) == (1, True)
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert (code, kinds(found, SECOND)) == (1, {"rewritten"})
    assert {"unsigned", "contradicted"} <= kinds(found, "checkpoints")
    del database


async def test_checkpoints_that_were_taken_away_are_missed(
    kawal: Kawal,
    tamper: Tamper,
    database: DatabaseUrls,
    key: str,
    tmp_path: Path,
) -> None:
    await happen(database, FIRST, 1)
    second = await kawal("audit", "checkpoint", "--out", str(tmp_path / "second"))
    assert second.exit_code == 0
    await tamper("DELETE FROM audit_marks WHERE checkpoint = 2", "DELETE FROM audit_checkpoints WHERE number = 2")
    file = await export(kawal, tmp_path / "export")
    assert (await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz")))[0] == 0
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "second"))
    assert (code, "contradicted" in kinds(found, "checkpoints")) == (1, True)


@pytest.mark.parametrize(
    "change",
    ["root = sha256('else')", "at = at - interval '1 day'", "signature = sha256('a') || sha256('b')", "events = 99"],
)
async def test_a_checkpoint_that_was_changed_no_longer_fits_its_signature(
    kawal: Kawal,
    tamper: Tamper,
    key: str,
    tmp_path: Path,
    change: str,
) -> None:
    await tamper(f"UPDATE audit_checkpoints SET {change}")  # noqa: S608 - the test's own
    code, found = await verify(kawal, await export(kawal, tmp_path / "export"), key)
    assert (code, "unsigned" in kinds(found, "checkpoints")) == (1, True)


async def test_a_later_export_continues_an_earlier_checkpoint_and_a_rotated_key(
    kawal: Kawal,
    database: DatabaseUrls,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old key vouches for the new one once; whoever pinned the old one trusts what the new one signs."""
    ring = os.environ["KAWAL_CHECKPOINT_KEYS"]
    new = generate(key_id="k2")
    for setting in (f"{new},{ring}", new):
        monkeypatch.setenv("KAWAL_CHECKPOINT_KEYS", setting)
        get_settings.cache_clear()
        await happen(database, THIRD, 1)
        assert (await kawal("audit", "checkpoint")).exit_code == 0
    file = await export(kawal, tmp_path / "export")
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert (code, found["flaws"], found["checkpoints"], found["proven_by"]) == (0, [], 3, 3)
    listed = json.loads((await kawal("audit", "keys", "--json")).stdout)
    assert [(item["key"], item["endorsed_by"]) for item in listed] == [(key, None), (listed[1]["key"], "k1")]
    code, found = await verify(kawal, file, listed[1]["key"])
    assert (code, found["proven_by"]) == (0, 3)


async def test_a_key_that_nobody_vouches_for_is_not_trusted(
    kawal: Kawal,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAWAL_CHECKPOINT_KEYS", generate(key_id="k2"))
    get_settings.cache_clear()
    assert (await kawal("audit", "checkpoint")).exit_code == 0
    code, found = await verify(kawal, await export(kawal, tmp_path / "export"), key)
    assert (code, found["proven_by"], kinds(found, "checkpoints")) == (1, 1, {"unsigned"})


async def test_no_checkpoint_is_made_of_an_altered_trail_unless_somebody_says_why(
    kawal: Kawal,
    tamper: Tamper,
    key: str,
    tmp_path: Path,
) -> None:
    for table in ("events", "streams"):
        await tamper(f"DELETE FROM audit_{table} WHERE stream = '{SECOND}'")  # noqa: S608 - the test's own names
    refused = await kawal("audit", "checkpoint")
    assert (refused.exit_code, SECOND in refused.stderr) == (1, True)
    accepted = await kawal("audit", "checkpoint", "--despite", "restored from the copy of Monday")
    assert accepted.exit_code == 0, accepted.stderr
    assert (await kawal("audit", "checkpoint")).exit_code == 0
    file = await export(kawal, tmp_path / "export")
    code, found = await verify(kawal, file, key)
    assert (code, blamed(found), kinds(found, SECOND)) == (1, {SECOND}, {"vanished"})
    assert kinds(found, "checkpoints") == set()
    assert "restored from the copy of Monday" in file.read_text()


def without_the_last_line(lines: list[str]) -> list[str]:
    return lines[:-1]


def without_a_stream(lines: list[str]) -> list[str]:
    return [line for line in lines if f'"stream":"{SECOND}"' not in line]


def with_another_turn(lines: list[str]) -> list[str]:
    return [line.replace('"turn":3', '"turn":4') for line in lines]


@pytest.mark.parametrize(
    ("change", "what"),
    [(without_the_last_line, "missing"), (without_a_stream, "vanished"), (with_another_turn, "changed")],
)
async def test_an_export_that_was_changed_on_its_way_is_found(
    kawal: Kawal,
    key: str,
    tmp_path: Path,
    change: Callable[[list[str]], list[str]],
    what: str,
) -> None:
    file = await export(kawal, tmp_path / "export")
    file.write_text("".join(change(file.read_text().splitlines(keepends=True))))
    code, found = await verify(kawal, file, key, "--checkpoint", str(tmp_path / "kept.gz"))
    assert (code, what in {flaw["kind"] for flaw in found["flaws"]}) == (1, True)


async def test_a_file_that_is_no_export_is_refused_with_its_line(kawal: Kawal, key: str, tmp_path: Path) -> None:
    file = await export(kawal, tmp_path / "export")
    whole = file.read_text()
    for broken in (whole[: len(whole) // 2], whole.replace('"head":[', '"head":[[', 1), "x", '{"record":"event"}'):
        file.write_text(broken)
        result = await kawal("audit", "verify", "--export", str(file), "--key", key)
        assert (result.exit_code, "is damaged: line " in result.stderr) == (1, True), result.output
    file.write_text(whole)
    other = await kawal("audit", "verify", "--export", str(file), "--key", key, "--checkpoint", str(file))
    assert (other.exit_code, "holds no checkpoint" in other.stderr) == (1, True)


async def test_of_two_workers_one_signs_each_interval(database: DatabaseUrls) -> None:
    ring = SigningRing.parse(generate(), setting="test")
    connections = [
        Database(database.worker, application="test", pool_size=2, always=Viewer.system("worker")) for _ in range(2)
    ]
    hour = timedelta(hours=1)
    notaries = [Notary(connection, ring, every=hour) for connection in connections for _ in range(2)]
    made: list[Checkpoint] = []
    for at in (NOW, NOW + hour / 2, NOW + hour, NOW + 5 * hour):
        signings = await asyncio.gather(*(notary.sign_if_due(at) for notary in notaries))
        made += [signing for signing in signings if signing is not None]
    assert [(item.number, item.at) for item in made] == [(1, NOW), (2, NOW + hour), (3, NOW + 5 * hour)]
    assert [item.previous for item in made[1:]] == [made[0].hash, made[1].hash]
    for connection in connections:
        await connection.close()


async def test_the_notary_signs_by_itself_and_refuses_what_was_altered(
    database: DatabaseUrls,
    tamper: Tamper,
) -> None:
    connection = Database(database.worker, application="test", pool_size=2, always=Viewer.system("worker"))
    notary = Notary(connection, SigningRing.parse(generate(), setting="test"), every=timedelta(seconds=1))
    stop = asyncio.Event()
    running = asyncio.create_task(notary.run(stop))
    async with asyncio.timeout(20):
        while await count(database) < 2:  # noqa: ASYNC110 - the notary tells nobody, so we look
            await asyncio.sleep(0.05)
    stop.set()
    await running
    await rewrite(tamper, FIRST, 5)
    with pytest.raises(TrailAlteredError, match=FIRST):
        await notary.sign_if_due(datetime.now(UTC) + timedelta(hours=1))
    await connection.close()


async def count(database: DatabaseUrls) -> int:
    async with OwnerDatabase(database.migrator).transaction() as connection:
        return await connection.scalar(text("SELECT count(*) FROM audit_checkpoints")) or 0


def test_a_signature_is_of_every_field() -> None:
    ring = SigningRing.parse(generate(), setting="test")
    tree = MerkleTree()
    tree.add(leaf(FIRST, Head(1, bytes(32))))
    plain = Checkpoint(
        number=1, at=NOW, streams=1, events=1, root=tree.root(), previous=bytes(32), key_id=ring.active.key_id
    )
    made = signed(plain, ring)
    assert ring.active.fits(made.signature, made.statement)
    for change in (
        {"number": 2},
        {"at": NOW + timedelta(microseconds=1)},
        {"streams": 2},
        {"events": 2},
        {"root": bytes(32)},
        {"previous": bytes(31) + b"1"},
        {"key_id": "other"},
    ):
        assert not ring.active.fits(made.signature, replace(made, **change).statement), change


async def test_an_export_goes_to_the_standard_output_where_no_file_would_last(kawal: Kawal, tmp_path: Path) -> None:
    told = await kawal("audit", "export", "-")
    assert (told.exit_code, "are in -" in told.stderr) == (0, True)
    copy = tmp_path / "copy.ndjson"
    copy.write_text(told.stdout)
    made = await kawal("audit", "checkpoint", "--out", "-")
    kept = tmp_path / "kept.ndjson"
    kept.write_text(made.stdout)
    verified = await kawal("audit", "verify", "--export", str(copy), "--checkpoint", str(kept))
    assert verified.exit_code == 1, "the copy is older than the checkpoint"
    later = tmp_path / "later.ndjson"
    later.write_text((await kawal("audit", "export", "-")).stdout)
    assert (await kawal("audit", "verify", "--export", str(later), "--checkpoint", str(kept))).exit_code == 0
