"""A folder and a real S3-compatible store, held to the same; and the archive on top of both."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import EvidenceUnavailable
from domain.ids import new_id
from domain.keyring import KeyRing, SealError, generate
from domain.uploads import next_part
from runtime.evidence.archive import Archive, content_name, part_name
from runtime.evidence.objects import MissingObjectError, Objects, S3Access, open_objects
from tests.evidence.s3 import BUCKET, running_s3

RING = KeyRing.parse(generate(), setting="test")


@pytest.fixture(scope="module")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Access]:
    async with running_s3(tmp_path_factory.mktemp("s3") / "store") as access:
        yield access


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Access) -> Objects:
    if request.param == "folder":
        return open_objects(str(tmp_path / "berkas"), S3Access())
    return open_objects(f"s3://{BUCKET}/{new_id()}/kawal", s3)


async def names(objects: Objects, prefix: str) -> list[str]:
    return sorted([held.name async for held in objects.walk(prefix)])


async def test_what_was_put_is_got_whole_in_part_and_by_name(objects: Objects) -> None:
    content = os.urandom(300_000)
    await objects.put("sha256/ab/abcd", content)
    assert await objects.get("sha256/ab/abcd") == content
    assert await objects.get_range("sha256/ab/abcd", 100, 250) == content[100:250]
    assert await objects.get_range("sha256/ab/abcd", 299_990, 400_000) == content[299_990:]
    assert await objects.exists("sha256/ab/abcd")
    (held,) = [held async for held in objects.walk("sha256")]
    assert (held.name, held.size) == ("sha256/ab/abcd", len(content))
    assert abs(held.written_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_name_is_written_over_and_removed(objects: Objects) -> None:
    await objects.put("uploads/a/1", b"first")
    await objects.put("uploads/a/1", b"second")
    await objects.put("uploads/b/1", b"other")
    assert await objects.get("uploads/a/1") == b"second"
    await objects.delete("uploads/a/1")
    await objects.delete("uploads/a/1")
    assert await names(objects, "uploads") == ["uploads/b/1"]
    assert not await objects.exists("uploads/a/1")


async def test_what_is_not_there_is_said_to_be_missing(objects: Objects) -> None:
    with pytest.raises(MissingObjectError):
        await objects.get("sha256/no/nothing")
    with pytest.raises(MissingObjectError):
        await objects.get_range("sha256/no/nothing", 0, 5)
    assert await names(objects, "sha256") == []


async def test_many_write_one_name_at_once_and_one_is_whole(objects: Objects) -> None:
    contents = [bytes([n]) * 100_000 for n in range(8)]
    await asyncio.gather(*(objects.put("sha256/ab/same", content) for content in contents))
    assert await objects.get("sha256/ab/same") in contents
    assert await names(objects, "sha256") == ["sha256/ab/same"]


async def test_a_wrong_secret_and_a_store_that_is_away_are_outages(s3: S3Access) -> None:
    wrong = open_objects(f"s3://{BUCKET}/x", s3._replace(secret_access_key="another"))
    with pytest.raises(EvidenceUnavailable):
        await wrong.put("a", b"1")
    away = open_objects(f"s3://{BUCKET}/x", s3._replace(endpoint="http://127.0.0.1:9"))
    with pytest.raises(EvidenceUnavailable):
        await away.get("a")


async def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EvidenceUnavailable):
        await open_objects(str(tmp_path / "file"), S3Access()).put("a/b", b"1")


async def read(archive: Archive, digest: str, size: int, start: int, stop: int) -> bytes:
    file = await archive.open(digest, size=size)
    return b"".join([piece async for piece in file.read(start, stop)])


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 2_500_000])
async def test_a_content_is_sealed_kept_once_and_read_from_anywhere(objects: Objects, size: int) -> None:
    archive, content = Archive(objects, RING), os.urandom(size)
    digest = await archive.keep(content)
    assert digest == hashlib.sha256(content).hexdigest()
    sealed = await objects.get(content_name(digest))
    assert content[:64] not in sealed or size < 8
    assert await archive.keep(content) == digest
    assert await objects.get(content_name(digest)) == sealed, "an equal content was written again"
    for start, stop in ((0, size), (0, 1), (size - 1, size), (size // 3, size - size // 4), (size // 2, size)):
        assert await read(archive, digest, size, start, stop) == content[start:stop], (start, stop)
    await archive.erase(digest)
    with pytest.raises(MissingObjectError):
        await archive.open(digest, size=size)


@pytest.mark.parametrize("change", ["flip", "cut", "append", "swap", "other"])
async def test_an_altered_content_does_not_open(tmp_path: Path, change: str) -> None:
    objects = open_objects(str(tmp_path), S3Access())
    archive, content = Archive(objects, RING), os.urandom(200_000)
    digest = await archive.keep(content)
    sealed = bytearray(await objects.get(content_name(digest)))
    chunk, header = 65_552, len(sealed) - 200_000 - 4 * 16
    match change:
        case "flip":
            sealed[-100_000] ^= 1
        case "cut":
            del sealed[header + 3 * chunk :]
        case "append":
            sealed += sealed[-chunk:]
        case "swap":
            first, second = sealed[header : header + chunk], sealed[header + chunk : header + 2 * chunk]
            sealed[header : header + 2 * chunk] = second + first
        case _:
            sealed = bytearray(await objects.get(content_name(await archive.keep(os.urandom(200_000)))))
    await objects.put(content_name(digest), bytes(sealed))
    if change == "append":  # what stands behind the last chunk is never read
        assert await read(archive, digest, 200_000, 0, 200_000) == content
        return
    with pytest.raises(SealError):
        await read(archive, digest, 200_000, 0, 200_000)


async def test_a_part_opens_in_its_place_alone(tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path), S3Access())
    archive, upload_id = Archive(objects, RING), new_id()
    part, other = next_part(0, 5), next_part(0, 5)
    await archive.put_part(upload_id, part, b"bytes")
    assert await archive.get_part(upload_id, part) == b"bytes"
    sealed: Any = await objects.get(part_name(upload_id, part))
    assert b"bytes" not in sealed
    await objects.put(part_name(upload_id, other), sealed)
    with pytest.raises(SealError):
        await archive.get_part(upload_id, other)
