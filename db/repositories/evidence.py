"""Files that are kept, and the cases they stand behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, Update, any_, bindparam, literal, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Uuid

from db.models import ClockOrderRecord, Evidence, EvidenceUpload, MinutesRecord, UpdateEvidence
from db.vault import Vault
from domain.errors import InvalidInput, Violation
from domain.evidence import (
    Capture,
    EvidenceRef,
    EvidenceType,
    HeldEvidence,
    Naming,
    capture_context,
    check_named,
    evidence_ids,
)


class EvidenceRow(NamedTuple):
    """A file as it is first written down."""

    id: UUID
    area_code: str
    type: str
    uploaded_by: UUID
    kept_at: datetime
    received_sha256: bytes
    sha256: bytes
    size: int
    media_type: str
    width: int | None
    height: int | None
    pages: int | None
    signed: bool
    scanned: bool
    thumbnail_sha256: bytes | None
    thumbnail_size: int | None
    capture: bytes | None


class OrphanRow(NamedTuple):
    """A file that no case had."""

    id: UUID
    area_code: str


class ErasedRow(NamedTuple):
    """A file that was erased, with the digests of what it held."""

    erased_at: datetime
    id: UUID
    sha256: bytes
    thumbnail_sha256: bytes | None


_BOUND: Final = or_(
    select(UpdateEvidence.evidence_id).where(UpdateEvidence.evidence_id == Evidence.id).exists(),
    select(ClockOrderRecord.id).where(ClockOrderRecord.evidence_id == Evidence.id).exists(),
    select(MinutesRecord.scan_id).where(MinutesRecord.scan_id == Evidence.id).exists(),
)
_WANTED: Final = bindparam("ids", type_=ARRAY(Uuid))
_HELD: Final = (
    select(
        Evidence.id,
        Evidence.area_code,
        Evidence.type,
        Evidence.uploaded_by,
        UpdateEvidence.update_id,
        Evidence.erased_at,
    )
    .outerjoin(UpdateEvidence, UpdateEvidence.evidence_id == Evidence.id)
    .where(Evidence.id == any_(_WANTED))
)
_UNFINISHED: Final = select(EvidenceUpload.id).where(
    EvidenceUpload.id == any_(_WANTED), EvidenceUpload.finished_at.is_(None)
)
_LOCK_CONTENT: Final = text("SELECT pg_advisory_xact_lock(:key)")


async def check_evidence(
    connection: AsyncConnection,
    named: Sequence[EvidenceRef],
    naming: Naming,
) -> list[Violation]:
    """Everything that keeps the named files from standing behind the case. Asks nothing where no file is named."""
    ids = evidence_ids(named)
    if not ids:
        return []
    rows = (await connection.execute(_HELD, {"ids": ids})).all()
    held = {
        row.id: HeldEvidence(
            row.id, row.area_code, EvidenceType(row.type), row.uploaded_by, row.update_id, row.erased_at
        )
        for row in rows
    }
    unfinished = await _unfinished(connection, [each for each in ids if each not in held])
    return check_named(named, held, naming, unfinished=unfinished)


def photos_named(photos: Iterable[UUID]) -> list[EvidenceRef]:
    """Photos of a report from the field as evidence of its case."""
    return [EvidenceRef(type=EvidenceType.HOUSE_PHOTO, evidence_id=photo) for photo in dict.fromkeys(photos)]


async def check_photos(connection: AsyncConnection, photos: Sequence[UUID], naming: Naming) -> list[Violation]:
    """Everything that keeps photos from standing behind the case, each at its place among `photos`."""
    found = await check_evidence(connection, photos_named(photos), naming)
    place = {f"/evidence/{at}/evidence_id": photos.index(photo) for at, photo in enumerate(dict.fromkeys(photos))}
    return [each.model_copy(update={"pointer": f"/photos/{place[each.pointer]}"}) for each in found]


async def _unfinished(connection: AsyncConnection, ids: list[UUID]) -> frozenset[UUID]:
    return frozenset(await connection.scalars(_UNFINISHED, {"ids": ids})) if ids else frozenset()


async def bind_evidence(
    connection: AsyncConnection,
    named: Sequence[EvidenceRef],
    naming: Naming,
    *,
    update_id: UUID,
    revision: int,
    at: datetime,
) -> dict[UUID, bytes]:
    """Put the named files behind the case; answers the SHA-256 of each that was not there before, by its id.

    Raises InvalidInput when another case, or an erasure, was first.
    """
    ids = evidence_ids(named)
    if not ids:
        return {}
    free = select(
        Evidence.id,
        literal(update_id, Uuid),
        Evidence.area_code,
        literal(revision),
        Evidence.sha256,
        literal(naming.user_id, Uuid),
        literal(at),
    ).where(Evidence.id == any_(literal(ids, ARRAY(Uuid))), Evidence.area_code == naming.area_code)
    columns = ["evidence_id", "update_id", "area_code", "revision", "sha256", "bound_by", "bound_at"]
    statement = (
        upsert(UpdateEvidence)
        .from_select(columns, free)
        .on_conflict_do_nothing()
        .returning(UpdateEvidence.evidence_id, UpdateEvidence.sha256)
    )
    bound = {row.evidence_id: row.sha256 for row in await connection.execute(statement)}
    if len(bound) < len(ids):
        violations = await check_evidence(connection, named, naming._replace(update_id=update_id))
        if violations:
            raise InvalidInput(violations)
    return bound


async def read_captures(connection: AsyncConnection, update_id: UUID, *, vault: Vault) -> dict[UUID, Capture]:
    """Where and when the files behind a case were taken, by their ids, as far as that is known."""
    known = (
        select(Evidence.id, Evidence.capture)
        .join(UpdateEvidence, UpdateEvidence.evidence_id == Evidence.id)
        .where(UpdateEvidence.update_id == update_id, Evidence.capture.is_not(None))
        .order_by(Evidence.id)
    )
    rows = await connection.execute(known)
    return {row.id: vault.open(row.capture, Capture, context=capture_context(row.id)) for row in rows}


async def captures_of(connection: AsyncConnection, ids: Iterable[UUID], *, vault: Vault) -> dict[UUID, Capture]:
    """Where and when these files were taken, by their ids, as far as that is known."""
    wanted = list(ids)
    if not wanted:
        return {}
    known = select(Evidence.id, Evidence.capture).where(Evidence.id.in_(wanted), Evidence.capture.is_not(None))
    rows = await connection.execute(known)
    return {row.id: vault.open(row.capture, Capture, context=capture_context(row.id)) for row in rows}


def files_in_trail(bound: Mapping[UUID, bytes]) -> list[JsonValue]:
    """How the trail of a case names its files: by id and content."""
    return [{"id": str(each), "sha256": bound[each].hex()} for each in sorted(bound)]


async def add_evidence(connection: AsyncConnection, row: EvidenceRow) -> bool:
    """Write a file down; False when it was before."""
    added = await connection.execute(upsert(Evidence).values(**row._asdict()).on_conflict_do_nothing())
    return bool(added.rowcount)


async def lock_contents(connection: AsyncConnection, digests: Iterable[bytes]) -> None:
    """Let nobody else keep or erase these contents until the transaction ends."""
    for key in sorted({int.from_bytes(digest[:8], signed=True) for digest in digests}):
        await connection.execute(_LOCK_CONTENT, {"key": key})


async def erase_orphans(
    connection: AsyncConnection,
    *,
    kept_since: datetime,
    kept_before: datetime,
    at: datetime,
    at_most: int,
) -> tuple[list[OrphanRow], bool]:
    """Mark files that were kept in this time and stand behind nothing as erased; answers which, and if there are more.

    What is locked is passed over: a case is about to have it, or another sweep.
    """
    orphans = (
        select(Evidence.id)
        .where(Evidence.erased_at.is_(None), Evidence.kept_at >= kept_since, Evidence.kept_at < kept_before, ~_BOUND)
        .order_by(Evidence.kept_at)
        .limit(at_most)
        .with_for_update(skip_locked=True, of=Evidence)
    )
    locked = list(await connection.scalars(orphans))
    # A case may have come to have one after the statement above began and before it locked: looked at once more.
    erasing = _erasing(locked, at=at).where(~_BOUND).returning(Evidence.id, Evidence.area_code)
    return [OrphanRow(*row) for row in await connection.execute(erasing)], len(locked) == at_most


async def erase_evidence(connection: AsyncConnection, ids: Sequence[UUID], *, at: datetime) -> list[bytes]:
    """Mark files as erased, with where and when they were taken; answers the digests of what they held.

    The contents themselves go afterwards, where no other file has the same (`live_digests`).
    """
    erasing = _erasing(ids, at=at).returning(Evidence.sha256, Evidence.thumbnail_sha256)
    return _digests(await connection.execute(erasing))


def _erasing(ids: Sequence[UUID], *, at: datetime) -> Update:
    return (
        update(Evidence)
        .where(Evidence.id == any_(literal(list(ids), ARRAY(Uuid))), Evidence.erased_at.is_(None))
        .values(erased_at=at, capture=None)
    )


async def read_erased(
    connection: AsyncConnection, *, since: datetime, after: ErasedRow | None, at_most: int
) -> list[ErasedRow]:
    """Files that were erased since this moment, in that order, from after the last one that was read."""
    erased = (
        select(Evidence.erased_at, Evidence.id, Evidence.sha256, Evidence.thumbnail_sha256)
        .where(Evidence.erased_at >= since)
        .order_by(Evidence.erased_at, Evidence.id)
        .limit(at_most)
    )
    if after is not None:
        erased = erased.where(tuple_(Evidence.erased_at, Evidence.id) > (after.erased_at, after.id))
    return [ErasedRow(*row) for row in await connection.execute(erased)]


async def live_digests(connection: AsyncConnection, digests: Iterable[bytes]) -> set[bytes]:
    """Which of these contents some file that is not erased still has."""
    wanted = literal(list(digests), ARRAY(BYTEA))
    found = await connection.execute(
        select(Evidence.sha256, Evidence.thumbnail_sha256).where(
            Evidence.erased_at.is_(None),
            or_(Evidence.sha256 == any_(wanted), Evidence.thumbnail_sha256 == any_(wanted)),
        ),
    )
    return set(_digests(found))


def _digests(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[bytes]:
    return [digest for row in rows for digest in (row.sha256, row.thumbnail_sha256) if digest is not None]
