"""`kawal evidence`: the store held against the rows, and what nobody needs removed."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from commands.operation import owner_database
from db.repositories.evidence import EvidenceRow, add_evidence
from devstack.demo_people import TARAJU
from domain.ids import new_id
from domain.keyring import generate
from domain.uploads import next_part
from runtime.evidence.archive import Archive
from runtime.evidence.room import open_archive
from runtime.settings import get_settings
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.embedded


async def _kept(archive: Archive, content: bytes) -> str:
    """A file of somebody's, in the store and in its row; its digest."""
    digest = await archive.keep(content)
    user_id, now = new_id(), datetime.now(UTC)
    row = EvidenceRow(
        id=new_id(),
        area_code=TARAJU,
        type="kk",
        uploaded_by=user_id,
        kept_at=now,
        received_sha256=bytes.fromhex(digest),
        sha256=bytes.fromhex(digest),
        size=len(content),
        media_type="image/png",
        width=1,
        height=1,
        pages=None,
        signed=False,
        scanned=False,
        thumbnail_sha256=None,
        thumbnail_size=None,
        capture=None,
    )
    async with owner_database().transaction() as connection:
        columns = "id, username, display_name, password_hash, created_at"
        insert = text(f"INSERT INTO users ({columns}) VALUES (:id, :name, 'x', '', :at)")  # noqa: S608  our own names
        await connection.execute(insert, {"id": user_id, "name": str(user_id), "at": now})
        await add_evidence(connection, row)
    return digest


def _age(folder: Path, *, days: float) -> None:
    then = time.time() - days * 86_400
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


async def test_a_whole_store_has_no_flaw(settings: Path, kawal: Kawal) -> None:
    archive = open_archive(get_settings())
    for content in (os.urandom(10), os.urandom(200_000)):
        await _kept(archive, content)
    result = await kawal("evidence", "verify")
    assert result.exit_code == 0, result.output
    assert "2 files with 200,010 bytes: no flaw." in result.output
    assert (settings / "evidence" / "sha256").is_dir()


async def test_what_is_missing_changed_or_nobodys_is_named_and_the_last_is_swept(settings: Path, kawal: Kawal) -> None:
    archive = open_archive(get_settings())
    missing, changed, whole = [await _kept(archive, os.urandom(100_000)) for _ in range(3)]
    nobodys = await archive.keep(b"nobody's")
    folder = settings / "evidence"
    (folder / "sha256" / missing[:2] / missing).unlink()
    path = folder / "sha256" / changed[:2] / changed
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    left = folder / "uploads" / str(new_id()) / "0000000000-ab"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"part")
    _age(folder, days=2)
    result = await kawal("evidence", "verify", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    found = {(flaw["kind"], flaw["name"].rpartition("/")[2]) for flaw in report["flaws"]}
    assert found == {("missing", missing), ("changed", changed), ("orphaned", nobodys), ("orphaned", left.name)}
    swept = await kawal("evidence", "sweep")
    assert "1 contents and 1 left-over pieces are gone" in swept.output, swept.output
    again = json.loads((await kawal("evidence", "verify", "--json")).stdout)
    assert {flaw["kind"] for flaw in again["flaws"]} == {"missing", "changed"}
    assert (folder / "sha256" / whole[:2] / whole).is_file()


@pytest.mark.parametrize(("days", "settled"), [(0.9, False), (1.1, True)])
async def test_what_a_crash_left_and_what_was_never_a_content_is_named_and_swept_once_it_is_a_day_old(
    settings: Path, kawal: Kawal, *, days: float, settled: bool
) -> None:
    archive = open_archive(get_settings())
    whole = await _kept(archive, os.urandom(1000))
    folder = settings / "evidence" / "sha256" / whole[:2]
    strange = [f".{whole}.0123456789abcdef", "notes.txt", whole[:20], whole.upper() + "00"]
    for name in strange:
        (folder / name).write_bytes(b"?")
    _age(settings / "evidence", days=days)
    report = json.loads((await kawal("evidence", "verify", "--json")).stdout)
    found = {(flaw["kind"], flaw["name"].rpartition("/")[2]) for flaw in report["flaws"]}
    assert found == ({("orphaned", name) for name in strange} if settled else set())
    swept = await kawal("evidence", "sweep")
    assert f"0 contents and {len(strange) if settled else 0} left-over pieces are gone" in swept.output, swept.output
    assert sorted(path.name for path in folder.iterdir()) == sorted([whole, *([] if settled else strange)])
    again = await kawal("evidence", "verify", "--json")
    assert (again.exit_code, json.loads(again.stdout)["files"], json.loads(again.stdout)["bytes"]) == (0, 1, 1000)


async def test_no_key_is_retired_before_the_files_are_under_another(
    settings: Path, kawal: Kawal, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, part, upload_id = os.urandom(200_000), next_part(0, 5), new_id()
    old = os.environ["KAWAL_FIELD_KEYS"]
    digest = await _kept(open_archive(get_settings()), content)
    await open_archive(get_settings()).put_part(upload_id, part, b"piece")
    new = generate(key_id="k2")
    monkeypatch.setenv("KAWAL_FIELD_KEYS", f"{new},{old}")
    get_settings.cache_clear()
    refused = await kawal("keys", "retire", "k1", "--ring", "field")
    assert (refused.exit_code, "files of evidence (2)" in refused.output) == (1, True), refused.output
    assert (await kawal("keys", "reseal")).exit_code == 0
    retired = await kawal("keys", "retire", "k1", "--ring", "field")
    assert retired.exit_code == 0, retired.output
    monkeypatch.setenv("KAWAL_FIELD_KEYS", new)
    get_settings.cache_clear()
    assert "1 files with 200,000 bytes: no flaw." in (await kawal("evidence", "verify")).output
    archive = open_archive(get_settings())
    assert await archive.get_part(upload_id, part) == b"piece"
    file = await archive.open(digest, size=len(content))
    assert b"".join([piece async for piece in file.read(0, len(content))]) == content
    del settings


async def test_a_store_that_is_away_is_said_to_be(
    settings: Path, kawal: Kawal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _kept(open_archive(get_settings()), b"content")
    del settings
    monkeypatch.setenv("KAWAL_EVIDENCE_STORE", "s3://berkas/kawal")
    monkeypatch.setenv("KAWAL_EVIDENCE_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("KAWAL_EVIDENCE_S3_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("KAWAL_EVIDENCE_S3_SECRET_ACCESS_KEY", "b")
    get_settings.cache_clear()
    result = await kawal("evidence", "verify")
    assert result.exit_code == 1
    assert "store of files does not answer" in result.output
