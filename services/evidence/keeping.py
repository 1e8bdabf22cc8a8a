"""A file whose bytes have all arrived: scanned, examined, kept, and written down with its event in the trail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import evidence, trail, uploads
from db.repositories.evidence import EvidenceRow
from db.repositories.trail import Doer, Entry, stream_of_evidence
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission
from domain.errors import ContentBeingChecked, DomainError, EvidenceUnavailable, UploadGone
from domain.evidence import Capture, ContentFault, Coordinates, capture_context
from domain.uploads import Part, Upload, device_context
from runtime.evidence.examination import Examined
from runtime.evidence.objects import MissingObjectError
from runtime.evidence.verdicts import Refused
from services.kawal import Kawal

_WITHIN: Final = timedelta(minutes=2)
"""So long a request may take to look at a file before another takes it to have died; it takes seconds."""
_log = structlog.get_logger()


async def keep_upload(kawal: Kawal, actor: Actor, upload: Upload) -> Upload:
    """Keep the file, or note why it cannot be kept; answers the upload as it stands then.

    Safe to repeat after a process died at any point: content goes into the store first, then its row, and only then
    is the upload ended. Raises ContentBeingChecked while another request does the same, UploadGone when it was given up
    meanwhile, EvidenceUnavailable.
    """
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        claim = await uploads.claim_check(connection, upload, at=kawal.now(), within=_WITHIN)
    if claim is None:
        raise being_checked()
    try:
        return await _keep(kawal, actor, upload, claim)
    except BaseException:
        async with kawal.database.transaction(Viewer.of(actor)) as connection:
            await uploads.release_check(connection, upload.id, claim)
        raise


def being_checked() -> ContentBeingChecked:
    """Another request is looking at the file."""
    return ContentBeingChecked("The file has arrived and is being looked at.")


async def drop_parts(kawal: Kawal, upload_id: UUID, parts: Iterable[Part]) -> None:
    """Remove parts that are no longer needed; what cannot be removed now is found by the sweep."""
    try:
        for part in parts:
            await kawal.evidence.archive.drop_part(upload_id, part)
    except EvidenceUnavailable:
        _log.warning("evidence.parts_left", upload=str(upload_id))


async def _keep(kawal: Kawal, actor: Actor, upload: Upload, claim: datetime) -> Upload:
    received = await _received(kawal, actor, upload, claim)
    try:
        examined = await kawal.evidence.examination.examine(received)
    except Refused as refused:
        ended = await _refuse(kawal, actor, upload, claim, refused.fault)
    else:
        ended = await _accept(kawal, actor, upload, claim, examined, received=received)
    await drop_parts(kawal, upload.id, upload.parts)
    return ended


async def _received(kawal: Kawal, actor: Actor, upload: Upload, claim: datetime) -> bytes:
    archive = kawal.evidence.archive
    try:
        return b"".join([await archive.get_part(upload.id, part) for part in upload.parts])
    except MissingObjectError:
        async with kawal.database.transaction(Viewer.of(actor)) as connection:
            if await uploads.hold_claim(connection, upload.id, claim):
                raise
            raise await _overtaken(connection, upload) from None


async def _refuse(kawal: Kawal, actor: Actor, upload: Upload, claim: datetime, fault: ContentFault) -> Upload:
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        if not await uploads.end_upload(connection, upload.id, claim, fault=fault):
            raise await _overtaken(connection, upload)
        entry = Entry(
            type=AuditType.EVIDENCE_REFUSED,
            by=_doer(actor, upload),
            data={"type": upload.type.value, "fault": fault.value},
        )
        await _tell(connection, upload, entry, at=at)
    return replace(upload, parts=(), fault=fault)


async def _accept(
    kawal: Kawal,
    actor: Actor,
    upload: Upload,
    claim: datetime,
    examined: Examined,
    *,
    received: bytes,
) -> Upload:
    contents = [each for each in (examined.content, examined.thumbnail) if each]
    digests = [bytes.fromhex(await kawal.evidence.archive.keep(each)) for each in contents]
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        if not await uploads.hold_claim(connection, upload.id, claim):
            raise await _overtaken(connection, upload)
        facts = await kawal.rules.area(connection, upload.area_code)
        capture = _capture(kawal, upload, examined, zone=ZoneInfo(facts.zone))
        row = _row(kawal, upload, examined, capture, received=hashlib.sha256(received).digest(), at=at)
        await evidence.lock_contents(connection, digests)
        if await evidence.add_evidence(connection, row):
            await _tell(connection, upload, _kept(actor, upload, row), at=at)
    # The sweep may have erased an equal content just before the row was there. From here on it will not.
    for each in contents:
        await kawal.evidence.archive.keep(each)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        if not await uploads.end_upload(connection, upload.id, claim, finished_at=at):
            raise await _overtaken(connection, upload)
    return replace(upload, parts=(), finished_at=at)


async def _overtaken(connection: AsyncConnection, upload: Upload) -> DomainError:
    """What to tell a request that took so long that another took the upload over, or gave it up."""
    try:
        await uploads.read_upload(connection, upload.id, owner=upload.uploaded_by)
    except UploadGone as gone:
        return gone
    return being_checked()


def _row(
    kawal: Kawal,
    upload: Upload,
    examined: Examined,
    capture: Capture,
    *,
    received: bytes,
    at: datetime,
) -> EvidenceRow:
    facts, thumbnail = examined.facts, examined.thumbnail
    return EvidenceRow(
        id=upload.id,
        area_code=upload.area_code,
        type=upload.type.value,
        uploaded_by=upload.uploaded_by,
        kept_at=at,
        received_sha256=received,
        sha256=hashlib.sha256(examined.content).digest(),
        size=len(examined.content),
        media_type=facts.media_type.value,
        width=facts.width,
        height=facts.height,
        pages=facts.pages,
        signed=facts.signed,
        scanned=examined.scanned,
        thumbnail_sha256=hashlib.sha256(thumbnail).digest() if thumbnail else None,
        thumbnail_size=len(thumbnail) or None,
        capture=kawal.vault.seal(capture, context=capture_context(upload.id)) if capture.known else None,
    )


def _capture(kawal: Kawal, upload: Upload, examined: Examined, *, zone: ZoneInfo) -> Capture:
    """Where the picture says it was taken, else where the device says; a time without an offset is the area's."""
    place = examined.facts.coordinates
    if place is None and upload.details is not None:
        place = kawal.vault.open(upload.details, Coordinates, context=device_context(upload.id))
    taken_at = None if examined.facts.taken_at is None else datetime.fromisoformat(examined.facts.taken_at)
    if taken_at is not None and taken_at.tzinfo is None:
        taken_at = taken_at.replace(tzinfo=zone)
    return Capture(coordinates=place, taken_at=taken_at)


def _kept(actor: Actor, upload: Upload, row: EvidenceRow) -> Entry:
    return Entry(
        type=AuditType.EVIDENCE_KEPT,
        by=_doer(actor, upload),
        data={
            "type": row.type,
            "media_type": row.media_type,
            "size": row.size,
            "sha256": row.sha256.hex(),
            "received_sha256": row.received_sha256.hex(),
            "scanned": row.scanned,
        },
    )


def _doer(actor: Actor, upload: Upload) -> Doer:
    seat = actor.seat_for(Permission.EVIDENCE_UPLOAD, area_code=upload.area_code)
    return Doer.of(actor, seat)


async def _tell(connection: AsyncConnection, upload: Upload, entry: Entry, *, at: datetime) -> None:
    await trail.record(connection, stream_of_evidence(upload.id), [entry], at=at, area_code=upload.area_code)
