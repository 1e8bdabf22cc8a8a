"""What nobody needs of evidence goes: uploads that expired, files that no update ever named, and what they left.

Erasing is two steps. First the rows say so, in one transaction with the trail. Then the contents go, each under a
lock that whoever keeps an equal content takes too, and only while no other file has it. What was erased of late is
looked at in every sweep, so contents that a crash or a store that was away has left go with the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail, uploads
from db.repositories.evidence import erase_orphans, live_digests, lock_contents, read_erased
from db.repositories.trail import Entry, stream_of_evidence
from domain.audit import AuditType
from runtime.evidence.archive import CONTENT, PARTS, Archive, digest_of, is_settled
from runtime.periodic import repeat

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Begins a transaction of a part of Kawal."""

_EVERY: Final = timedelta(hours=1)
_WHOLE: Final = timedelta(days=1)
"""How often files are looked at again that were looked at already: they were passed over while somebody held them."""
_OVERLAP: Final = timedelta(hours=1)
"""How late a transaction may commit what it dated earlier."""
_REACH: Final = timedelta(days=30)
"""How far back a process that has just begun looks for contents of erased files."""
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH: Final = 100
_log = structlog.get_logger()


class Swept(NamedTuple):
    """What a sweep removed: expired uploads, files nobody named, contents, and pieces that belong to nothing."""

    uploads: int
    files: int
    contents: int
    leftovers: int


@dataclass(slots=True, kw_only=True)
class EvidenceSweep:
    """Sweeps, once or for as long as a process runs. Any number may at the same time.

    A file that a case has is never an orphan again, so a sweep looks only at those that came of age since the last.
    """

    begin: Begin
    archive: Archive
    orphan_ttl: timedelta
    every: timedelta = _EVERY
    _swept: datetime | None = field(default=None, init=False)
    _swept_whole: datetime | None = field(default=None, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set."""
        await repeat(self._turn, stop, name="evidence_sweep", every=self.every)

    async def _turn(self, at: datetime) -> bool:
        swept = await self.sweep(at)
        if any(swept):
            _log.info("evidence.swept", **swept._asdict())
        return False

    async def sweep(self, at: datetime, *, thorough: bool = False) -> Swept:
        """Remove what is due `at` this moment; when `thorough`, also contents of which no row knows."""
        whole = self._swept is None or self._swept_whole is None or self._swept_whole <= at - _WHOLE
        async with self.begin() as connection:
            expired = await uploads.remove_expired(connection, at=at)
        since = _EVER if whole or self._swept is None else self._swept - _OVERLAP
        files = await self._erase_orphans(at, since=since)
        contents = await self._drop_erased(since=max(since, at - _REACH))
        pieces = await self._drop_parts(frozenset(map(str, expired)), at)
        if thorough:
            unknown, beside = await self._drop_unknown(at)
            contents, pieces = contents + unknown, pieces + beside
        self._swept, self._swept_whole = at, at if whole else self._swept_whole
        return Swept(len(expired), files, contents, pieces)

    async def _erase_orphans(self, at: datetime, *, since: datetime) -> int:
        of_age = at - self.orphan_ttl
        kept_since = max(since - self.orphan_ttl, _EVER) if since > _EVER else _EVER
        erased, more = 0, True
        while more:
            async with self.begin() as connection:
                files, more = await erase_orphans(
                    connection, kept_since=kept_since, kept_before=of_age, at=at, at_most=_BATCH
                )
                for file in files:
                    entry = Entry(type=AuditType.EVIDENCE_ERASED, data={"cause": "never_named"})
                    await trail.record(
                        connection, stream_of_evidence(file.id), [entry], at=at, area_code=file.area_code
                    )
            erased += len(files)
        return erased

    async def _drop_erased(self, *, since: datetime) -> int:
        """Contents of files that were erased since this moment, by whomever."""
        dropped, last = 0, None
        while True:
            async with self.begin() as connection:
                rows = await read_erased(connection, since=since, after=last, at_most=_BATCH)
            digests = {digest for row in rows for digest in (row.sha256, row.thumbnail_sha256) if digest is not None}
            dropped += await self._drop_contents(digests)
            if len(rows) < _BATCH:
                return dropped
            last = rows[-1]

    async def _drop_contents(self, digests: Iterable[bytes]) -> int:
        return sum([await drop_content(self.begin, self.archive, digest) for digest in digests])

    async def _drop_unknown(self, at: datetime) -> tuple[int, int]:
        """Contents of which no row knows, and what lies among the contents and is none."""
        settled = [held async for held in self.archive.objects.walk(CONTENT) if is_settled(held, at=at)]
        beside = [held.name for held in settled if digest_of(held) is None]
        for name in beside:
            await self.archive.objects.delete(name)
        digests = [digest for digest in map(digest_of, settled) if digest is not None]
        dropped = 0
        for start in range(0, len(digests), _BATCH):
            batch = digests[start : start + _BATCH]
            async with self.begin() as connection:
                known = await live_digests(connection, batch)
            dropped += await self._drop_contents(digest for digest in batch if digest not in known)
        return dropped, len(beside)

    async def _drop_parts(self, expired: frozenset[str], at: datetime) -> int:
        """Parts of uploads that are gone, and parts that no row ever came to know."""
        async with self.begin() as connection:
            known = await uploads.part_names(connection)
        dropped = 0
        async for held in self.archive.objects.walk(PARTS):
            upload_id, _, part = held.name.removeprefix(f"{PARTS}/").partition("/")
            if upload_id in expired or (is_settled(held, at=at) and (upload_id, part) not in known):
                await self.archive.objects.delete(held.name)
                dropped += 1
        return dropped


async def drop_content(begin: Begin, archive: Archive, digest: bytes) -> bool:
    """Remove a content that no file has any more; answers whether it did.

    The store is called inside the transaction, as nowhere else: its lock is what keeps an equal content from being
    written down as kept while this one goes.
    """
    if not await archive.holds(digest.hex()):
        return False
    async with begin() as connection:
        await lock_contents(connection, [digest])
        if digest in await live_digests(connection, [digest]):
            return False
        await archive.erase(digest.hex())
    return True
