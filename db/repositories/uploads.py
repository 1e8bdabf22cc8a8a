"""Uploads under way. A part counts once the row says so, and only if nobody was there before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import EvidenceUpload
from domain.errors import NotFound
from domain.evidence import ContentFault, EvidenceType
from domain.uploads import Part, Upload

_COLUMNS: Final = (
    EvidenceUpload.id,
    EvidenceUpload.area_code,
    EvidenceUpload.type,
    EvidenceUpload.uploaded_by,
    EvidenceUpload.length,
    EvidenceUpload.parts,
    EvidenceUpload.expires_at,
    EvidenceUpload.finished_at,
    EvidenceUpload.fault,
    EvidenceUpload.details,
)
_LOCK_ACCOUNT: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('evidence_uploads:' || :account, 0))")


async def count_unfinished(connection: AsyncConnection, user_id: UUID, *, at: datetime) -> int:
    """How many uploads of the account are under way. No other of the account begins until the transaction ends."""
    await connection.execute(_LOCK_ACCOUNT, {"account": str(user_id)})
    count = select(func.count()).where(
        EvidenceUpload.uploaded_by == user_id,
        EvidenceUpload.finished_at.is_(None),
        EvidenceUpload.fault.is_(None),
        EvidenceUpload.expires_at > at,
    )
    return await connection.scalar(count) or 0


async def add_upload(connection: AsyncConnection, upload: Upload, *, at: datetime) -> None:
    """Begin an upload."""
    await connection.execute(
        insert(EvidenceUpload).values(
            id=upload.id,
            area_code=upload.area_code,
            type=upload.type.value,
            uploaded_by=upload.uploaded_by,
            length=upload.length,
            parts=[],
            details=upload.details,
            created_at=at,
            expires_at=upload.expires_at,
        ),
    )


async def read_upload(connection: AsyncConnection, upload_id: UUID, *, owner: UUID) -> Upload:
    """An upload of this owner. Raises NotFound where there is none (any more)."""
    found = await connection.execute(
        select(*_COLUMNS).where(EvidenceUpload.id == upload_id, EvidenceUpload.uploaded_by == owner),
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("You have no such upload, or it has expired.", remedy="Begin the upload anew.")
    return _upload(row)


async def list_uploads(connection: AsyncConnection, *, owner: UUID, at: datetime, at_most: int) -> list[Upload]:
    """The uploads of this owner that have not expired, the newest first."""
    rows = await connection.execute(
        select(*_COLUMNS)
        .where(EvidenceUpload.uploaded_by == owner, EvidenceUpload.expires_at > at)
        .order_by(EvidenceUpload.id.desc())
        .limit(at_most),
    )
    return [_upload(row) for row in rows]


async def replace_parts(
    connection: AsyncConnection,
    upload: Upload,
    parts: Sequence[Part],
    *,
    expires_at: datetime,
) -> bool:
    """Write down the parts as they are now; False when they are no longer those that `upload` knows."""
    moved = await connection.execute(
        update(EvidenceUpload)
        .where(
            EvidenceUpload.id == upload.id,
            EvidenceUpload.parts == _document(upload.parts),
            EvidenceUpload.finished_at.is_(None),
            EvidenceUpload.fault.is_(None),
        )
        .values(parts=_document(parts), expires_at=expires_at),
    )
    return bool(moved.rowcount)


async def claim_check(
    connection: AsyncConnection, upload: Upload, *, at: datetime, within: timedelta
) -> datetime | None:
    """Take it on to look at the whole file, until the moment answered; None while another request does, or did.

    The moment is what tells one claim from another: a request that comes too late finds the claim of the next.
    """
    until = at + within
    claimed = await connection.execute(
        update(EvidenceUpload)
        .where(
            EvidenceUpload.id == upload.id,
            EvidenceUpload.finished_at.is_(None),
            EvidenceUpload.fault.is_(None),
            _unclaimed(at),
        )
        .values(checking_until=until),
    )
    return until if claimed.rowcount else None


async def hold_claim(connection: AsyncConnection, upload_id: UUID, claim: datetime) -> bool:
    """Whether the claim still stands; nobody takes it over until the transaction ends."""
    held = select(EvidenceUpload.id).where(*_claimed(upload_id, claim)).with_for_update()
    return await connection.scalar(held) is not None


async def release_check(connection: AsyncConnection, upload_id: UUID, claim: datetime) -> None:
    """Give it up: the next request looks at the file."""
    await connection.execute(update(EvidenceUpload).where(*_claimed(upload_id, claim)).values(checking_until=None))


async def end_upload(
    connection: AsyncConnection,
    upload_id: UUID,
    claim: datetime,
    *,
    finished_at: datetime | None = None,
    fault: ContentFault | None = None,
) -> bool:
    """Say that the file is kept, or why it is not; False when the claim was lost.

    The row stays until it expires, to be asked for.
    """
    ended = await connection.execute(
        update(EvidenceUpload)
        .where(*_claimed(upload_id, claim))
        .values(parts=[], details=None, checking_until=None, finished_at=finished_at, fault=fault and fault.value),
    )
    return bool(ended.rowcount)


async def remove_upload(connection: AsyncConnection, upload_id: UUID, *, at: datetime) -> tuple[Part, ...] | None:
    """Forget an upload, and answer its parts; None when its file is kept or being looked at, or it is gone."""
    gone = await connection.execute(
        delete(EvidenceUpload)
        .where(EvidenceUpload.id == upload_id, EvidenceUpload.finished_at.is_(None), _unclaimed(at))
        .returning(EvidenceUpload.parts),
    )
    row = gone.one_or_none()
    return None if row is None else _parts(row)


def _unclaimed(at: datetime) -> ColumnElement[bool]:
    return or_(EvidenceUpload.checking_until.is_(None), EvidenceUpload.checking_until < at)


def _claimed(upload_id: UUID, claim: datetime) -> tuple[ColumnElement[bool], ...]:
    return (EvidenceUpload.id == upload_id, EvidenceUpload.checking_until == claim)


async def remove_expired(connection: AsyncConnection, *, at: datetime) -> list[UUID]:
    """Forget every upload that has expired; answers their ids, whose parts are still in the store."""
    gone = await connection.execute(
        delete(EvidenceUpload).where(EvidenceUpload.expires_at <= at).returning(EvidenceUpload.id),
    )
    return list(gone.scalars())


async def part_names(connection: AsyncConnection) -> set[tuple[str, str]]:
    """Every part that a row knows, as the id of its upload and its name."""
    rows = await connection.execute(select(EvidenceUpload.id, EvidenceUpload.parts))
    return {(str(row.id), str(part[0])) for row in rows for part in row.parts}


def _document(parts: Sequence[Part]) -> list[list[Any]]:
    return [list(part) for part in parts]


def _parts(row: Row[*tuple[Any, ...]]) -> tuple[Part, ...]:
    return tuple(Part(*part) for part in row.parts)


def _upload(row: Row[*tuple[Any, ...]]) -> Upload:
    return Upload(
        id=row.id,
        area_code=row.area_code,
        type=EvidenceType(row.type),
        uploaded_by=row.uploaded_by,
        length=row.length,
        parts=_parts(row),
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        fault=row.fault and ContentFault(row.fault),
        details=row.details,
    )
