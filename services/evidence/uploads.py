"""Uploads that are resumed: begun, added to piece by piece by whichever process, asked for, and ended.

A piece is put into the store first and counts when the row says so, by comparing what the row said before. So
nothing that was acknowledged is lost with a process, two that write at once never mix, and no connection to the
database is held while a slow line delivers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from db.repositories import uploads
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.errors import (
    ChecksumMismatch,
    ContentRefused,
    DomainError,
    NotPossibleNow,
    TooManyUploads,
    UploadGone,
    UploadOffsetConflict,
    UploadTooLarge,
)
from domain.evidence import FAULT_TEXTS, ContentFault
from domain.ids import new_id
from domain.uploads import PART, SMALL_PART, Upload, UploadInput, device_context, next_part
from services.evidence.checksum import Checksum
from services.evidence.keeping import being_checked, drop_parts, keep_upload
from services.kawal import Kawal
from services.keyed import Call, Created, once

ROUTE: Final = "POST /v1/evidence/uploads"
MOST_LISTED: Final = 100

_SOON: Final = 5.0
"""Seconds after which what has arrived is put away, though it is less than a part, if it is worth one."""
_SILENCE: Final = 60.0
"""Seconds without a byte after which a transfer is taken to have broken off."""


async def begin_upload(kawal: Kawal, call: Call, wanted: UploadInput) -> Upload:
    """Begin an upload, once for each key.

    Raises NotFound outside the actor's areas, Forbidden, UploadTooLarge, TooManyUploads; for a repeat also
    UploadGone.
    """
    call.actor.seat_for(Permission.EVIDENCE_UPLOAD, area_code=wanted.area_code)
    limits = kawal.evidence.limits
    if wanted.length > limits.most_bytes:
        raise UploadTooLarge(
            f"A file may have {limits.most_bytes} bytes at most.",
            data={"most_bytes": limits.most_bytes},
        )
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:

        async def begin() -> Created:
            await kawal.rules.area(connection, wanted.area_code)
            under_way = await uploads.count_unfinished(connection, call.actor.user_id, at=call.at)
            if under_way >= limits.most_uploads:
                raise TooManyUploads(f"You have {under_way} unfinished uploads, as many as you may.")
            upload = _new(kawal, call, wanted)
            await uploads.add_upload(connection, upload, at=call.at)
            return Created(id=upload.id)

        begun, _ = await once(connection, call, wanted, begin, answer=Created, route=ROUTE, vault=kawal.vault)
        return await uploads.read_upload(connection, begun.id, owner=call.actor.user_id)


def _new(kawal: Kawal, call: Call, wanted: UploadInput) -> Upload:
    upload_id = new_id()
    told = wanted.coordinates
    return Upload(
        id=upload_id,
        area_code=wanted.area_code,
        type=wanted.type,
        uploaded_by=call.actor.user_id,
        length=wanted.length,
        parts=(),
        expires_at=call.at + kawal.evidence.limits.upload_ttl,
        finished_at=None,
        fault=None,
        details=None if told is None else kawal.vault.seal(told, context=device_context(upload_id)),
    )


async def read_upload(kawal: Kawal, actor: Actor, upload_id: UUID) -> Upload:
    """An upload of the actor's own, as it stands. Raises NotFound, UploadGone once it has expired."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        upload = await uploads.read_upload(connection, upload_id, owner=actor.user_id)
    if upload.expires_at <= kawal.now():
        raise UploadGone("The upload has expired.")
    return upload


async def list_uploads(kawal: Kawal, actor: Actor) -> list[Upload]:
    """The actor's own uploads that have not expired, the newest first."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        return await uploads.list_uploads(connection, owner=actor.user_id, at=kawal.now(), at_most=MOST_LISTED)


async def settled_upload(kawal: Kawal, actor: Actor, upload_id: UUID) -> Upload:
    """The same; one whose bytes have all arrived is looked at first, if its last request never came so far.

    Raises NotFound, UploadGone, ContentRefused, ContentBeingChecked and EvidenceUnavailable.
    """
    return await _settled(kawal, actor, await read_upload(kawal, actor, upload_id))


async def add_to_upload(
    kawal: Kawal,
    actor: Actor,
    upload_id: UUID,
    *,
    offset: int,
    pieces: AsyncIterator[bytes],
    checksum: Checksum | None = None,
) -> Upload:
    """Add bytes at `offset`, and keep the file when it is whole.

    A transfer that breaks off leaves what has arrived, unless it has a checksum: then all of it or nothing counts.
    Raises NotFound, UploadGone, UploadOffsetConflict, UploadTooLarge, ChecksumMismatch, and as `settled_upload` does.
    """
    upload = await read_upload(kawal, actor, upload_id)
    _require_willing(upload)
    if offset != upload.received:
        raise _conflict(upload)
    if not upload.complete:
        upload = await _Transfer(kawal, actor, upload, checksum).take(pieces)
    return await _settled(kawal, actor, upload)


async def end_upload(kawal: Kawal, actor: Actor, upload_id: UUID) -> None:
    """Give an upload up, with what has arrived.

    Raises NotFound, UploadGone, ContentBeingChecked, NotPossibleNow once the file is kept.
    """
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        parts = await uploads.remove_upload(connection, upload_id, at=at)
        if parts is None:
            upload = await uploads.read_upload(connection, upload_id, owner=actor.user_id)
            raise being_checked() if upload.finished_at is None else _kept_already()
    await drop_parts(kawal, upload_id, parts)


def _kept_already() -> NotPossibleNow:
    return NotPossibleNow(
        "The file is kept already.",
        remedy="Leave it: a file that no update names is erased by itself.",
    )


async def _settled(kawal: Kawal, actor: Actor, upload: Upload) -> Upload:
    if upload.fault is not None:
        raise refused(upload.fault)
    if not upload.complete or upload.finished_at is not None:
        return upload
    kept = await keep_upload(kawal, actor, upload)
    if kept.fault is not None:
        raise refused(kept.fault)
    return kept


def refused(fault: ContentFault) -> ContentRefused:
    """The refusal of a content, in words."""
    text = FAULT_TEXTS[fault]
    return ContentRefused(text.detail, remedy=text.remedy, data={"fault": fault.value})


def _require_willing(upload: Upload) -> None:
    if upload.fault is not None:
        raise refused(upload.fault)


def _conflict(upload: Upload) -> UploadOffsetConflict:
    return UploadOffsetConflict(f"The next byte belongs at {upload.received}.", data={"offset": upload.received})


class _Transfer:
    """One request that delivers bytes, put away part by part.

    Each part counts as soon as it is put away. Under a checksum none does before the last byte has come.
    """

    def __init__(self, kawal: Kawal, actor: Actor, upload: Upload, checksum: Checksum | None) -> None:
        self._kawal = kawal
        self._actor = actor
        self._upload = upload  # as its row is
        self._parts = upload.parts  # as its row is to become
        self._checksum = checksum
        self._waiting = bytearray()
        self._clock = asyncio.get_running_loop().time
        self._put_away_at = self._clock()

    async def take(self, pieces: AsyncIterator[bytes]) -> Upload:
        """Take what is delivered, and answer the upload as it stands then."""
        try:
            whole = await self._receive(pieces)
            if self._checksum is not None and not (whole and self._checksum.matches()):
                raise ChecksumMismatch("What arrived does not have the announced checksum.")
            await self._put_away()
            await self._write_down()
        except DomainError:  # after any other fault the row may name the parts all the same; the sweep looks
            unwritten = [part for part in self._parts if part not in self._upload.parts]
            await drop_parts(self._kawal, self._upload.id, unwritten)
            raise
        return self._upload

    async def _receive(self, pieces: AsyncIterator[bytes]) -> bool:
        """Take pieces as they come; answers whether the last one came, or the line broke or fell silent before."""
        source = aiter(pieces)
        while True:
            try:
                async with asyncio.timeout(_SILENCE):
                    piece = await anext(source, None)
            except (TimeoutError, ConnectionError):
                return False
            if piece is None:
                return True
            await self._add(piece)

    async def _add(self, piece: bytes) -> None:
        if self._end + len(self._waiting) + len(piece) > self._upload.length:
            raise UploadTooLarge(
                f"The upload was announced with {self._upload.length} bytes, and here are more.",
                remedy="Send what was announced, or begin another upload.",
            )
        if self._checksum is not None:
            self._checksum.update(piece)
        self._waiting += piece
        late = self._clock() - self._put_away_at > _SOON
        if len(self._waiting) >= PART or (late and len(self._waiting) >= SMALL_PART):
            await self._put_away()
            if self._checksum is None:
                await self._write_down()

    @property
    def _end(self) -> int:
        return self._parts[-1].stop if self._parts else 0

    async def _put_away(self) -> None:
        """Put what waits into the store, together with a last part that is small."""
        self._put_away_at = self._clock()
        if not self._waiting:
            return
        archive, parts, start = self._kawal.evidence.archive, self._parts, self._end
        content = bytes(self._waiting)
        if parts and parts[-1].length < SMALL_PART:
            content, start = await archive.get_part(self._upload.id, parts[-1]) + content, parts[-1].start
            parts = parts[:-1]
        part = next_part(start, len(content))
        await archive.put_part(self._upload.id, part, content)
        self._parts = (*parts, part)
        self._waiting.clear()

    async def _write_down(self) -> None:
        """Have the row say so. Raises UploadOffsetConflict when another request has moved it meanwhile."""
        before, expires_at = self._upload, self._kawal.now() + self._kawal.evidence.limits.upload_ttl
        if self._parts == before.parts:
            return
        async with self._kawal.database.transaction(Viewer.of(self._actor)) as connection:
            moved = await uploads.replace_parts(connection, before, self._parts, expires_at=expires_at)
            if not moved:
                raise _conflict(await uploads.read_upload(connection, before.id, owner=before.uploaded_by))
        self._upload = replace(before, parts=self._parts, expires_at=expires_at)
        await drop_parts(self._kawal, before.id, [part for part in before.parts if part not in self._parts])
