"""The store of files against the rows that tell of them: everything read back, opened and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from db.models import Evidence
from db.owner import OwnerDatabase
from db.repositories.evidence import live_digests
from db.repositories.uploads import part_names
from domain.keyring import SealError
from runtime.evidence.archive import CONTENT, PARTS, Archive, content_name, digest_of, is_settled
from runtime.evidence.objects import MissingObjectError

_BATCH: Final = 200


class StoreFlawKind(StrEnum):
    """What is wrong with a name of the store."""

    MISSING = "missing"
    CHANGED = "changed"
    ORPHANED = "orphaned"


class StoreFlaw(NamedTuple):
    """One thing wrong, and the file it concerns (None for what belongs to none)."""

    kind: StoreFlawKind
    name: str
    evidence_id: UUID | None
    detail: str


class CheckedFile(NamedTuple):
    """A file whose contents were read back: how many bytes, and what was wrong."""

    evidence_id: UUID
    size: int
    flaws: list[StoreFlaw]


async def count_files(database: OwnerDatabase) -> int:
    """How many files `verify_files` will read back."""
    async with database.transaction() as connection:
        return await connection.scalar(select(func.count()).where(Evidence.erased_at.is_(None))) or 0


async def verify_files(database: OwnerDatabase, archive: Archive) -> AsyncIterator[CheckedFile]:
    """Every file that is not erased, with its small picture, read back from the store. Raises EvidenceUnavailable."""
    last: UUID | None = None
    while True:
        wanted = (
            select(Evidence.id, Evidence.sha256, Evidence.size, Evidence.thumbnail_sha256, Evidence.thumbnail_size)
            .where(Evidence.erased_at.is_(None), Evidence.id > last if last else Evidence.id.is_not(None))
            .order_by(Evidence.id)
            .limit(_BATCH)
        )
        async with database.transaction() as connection:
            rows = (await connection.execute(wanted)).all()
        for row in rows:
            held = [(row.sha256, row.size), (row.thumbnail_sha256, row.thumbnail_size)]
            flaws = [await _flaw(archive, row.id, digest.hex(), size) for digest, size in held if digest is not None]
            yield CheckedFile(row.id, row.size, [flaw for flaw in flaws if flaw is not None])
        if len(rows) < _BATCH:
            return
        last = rows[-1].id


async def find_orphans(database: OwnerDatabase, archive: Archive, *, at: datetime) -> list[StoreFlaw]:
    """What lies in the store and belongs to no file and no upload. Raises EvidenceUnavailable."""
    contents = [held async for held in archive.objects.walk(CONTENT) if is_settled(held, at=at)]
    parts = [held async for held in archive.objects.walk(PARTS) if is_settled(held, at=at)]
    digests = [digest for digest in map(digest_of, contents) if digest is not None]
    async with database.transaction() as connection:
        known = {
            content_name(digest.hex())
            for start in range(0, len(digests), _BATCH)
            for digest in await live_digests(connection, digests[start : start + _BATCH])
        }
        known |= {f"{PARTS}/{upload_id}/{name}" for upload_id, name in await part_names(connection)}
    return [
        StoreFlaw(StoreFlawKind.ORPHANED, held.name, None, "no file and no upload has it")
        for held in (*contents, *parts)
        if held.name not in known
    ]


async def _flaw(archive: Archive, evidence_id: UUID, digest: str, size: int) -> StoreFlaw | None:
    name = content_name(digest)
    counted = hashlib.sha256()
    try:
        file = await archive.open(digest, size=size)
        async for piece in file.read(0, size):
            counted.update(piece)
    except MissingObjectError:
        return StoreFlaw(StoreFlawKind.MISSING, name, evidence_id, "the content is not in the store")
    except SealError as fault:
        return StoreFlaw(StoreFlawKind.CHANGED, name, evidence_id, str(fault))
    if counted.hexdigest() != digest:
        return StoreFlaw(StoreFlawKind.CHANGED, name, evidence_id, "the content has another SHA-256")
    return None
