"""What nobody needs of evidence goes: uploads that expired, files that no update ever named, and what they left.

Erasing is two steps. First the rows say so, in one transaction with the trail. Then the contents go, each under a
lock that whoever keeps an equal content takes too, and only while no other file has it. A process that dies between
the two leaves contents that a thorough sweep finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail, uploads
from db.repositories.evidence import erase_evidence, live_digests, lock_contents, lock_orphans
from db.repositories.trail import Entry, stream_of_evidence
from domain.audit import AuditType
from runtime.evidence.archive import CONTENT, PARTS, Archive
from runtime.evidence.objects import ObjectInfo
from runtime.periodic import repeat

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Begins a transaction of a part of Kawal."""

_EVERY: Final = timedelta(hours=1)
_BATCH: Final = 100
_SETTLED: Final = timedelta(days=1)
"""What is younger in the store may belong to a transaction that has not committed yet."""
_log = structlog.get_logger()


class Swept(NamedTuple):
    """What a sweep removed: expired uploads, files nobody named, contents, and pieces that belong to nothing."""

    uploads: int
    files: int
    contents: int
    leftovers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSweep:
    """Sweeps, once or for as long as a process runs. Any number may at the same time."""

    begin: Begin
    archive: Archive
    orphan_ttl: timedelta
    every: timedelta = _EVERY

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
        async with self.begin() as connection:
            expired = await uploads.remove_expired(connection, at=at)
        files, digests = await self._erase_orphans(at)
        contents = await self._drop_contents(digests)
        if thorough:
            contents += await self._drop_contents(await self._unknown_contents(at))
        return Swept(len(expired), files, contents, await self._drop_leftovers(frozenset(expired), at))

    async def _erase_orphans(self, at: datetime) -> tuple[int, list[bytes]]:
        erased, digests = 0, list[bytes]()
        while True:
            async with self.begin() as connection:
                found = await lock_orphans(connection, before=at - self.orphan_ttl, at_most=_BATCH)
                digests += await erase_evidence(connection, [each for each, _ in found], at=at)
                for evidence_id, area_code in found:
                    entry = Entry(type=AuditType.EVIDENCE_ERASED, data={"cause": "never_named"})
                    stream = stream_of_evidence(evidence_id)
                    await trail.record(connection, stream, [entry], at=at, area_code=area_code)
            erased += len(found)
            if len(found) < _BATCH:
                return erased, digests

    async def _drop_contents(self, digests: Iterable[bytes]) -> int:
        return sum([await drop_content(self.begin, self.archive, digest) for digest in dict.fromkeys(digests)])

    async def _unknown_contents(self, at: datetime) -> list[bytes]:
        settled = [_digest_of(held) async for held in self.archive.objects.walk(CONTENT) if _is_settled(held, at)]
        known = set[bytes]()
        for start in range(0, len(settled), _BATCH):
            async with self.begin() as connection:
                known |= await live_digests(connection, filter(None, settled[start : start + _BATCH]))
        return [digest for digest in settled if digest and digest not in known]

    async def _drop_leftovers(self, expired: frozenset[UUID], at: datetime) -> int:
        """Parts of uploads that are gone, and parts that no row ever came to know."""
        async with self.begin() as connection:
            known = await uploads.part_names(connection)
        dropped = 0
        async for held in self.archive.objects.walk(PARTS):
            upload_id, _, part = held.name.removeprefix(f"{PARTS}/").partition("/")
            gone = upload_id in {str(each) for each in expired}
            if gone or (_is_settled(held, at) and (upload_id, part) not in known):
                await self.archive.objects.delete(held.name)
                dropped += 1
        return dropped


async def drop_content(begin: Begin, archive: Archive, digest: bytes) -> bool:
    """Remove a content that no file has any more; answers whether it did.

    The store is called inside the transaction, as nowhere else: its lock is what keeps an equal content from being
    written down as kept while this one goes.
    """
    async with begin() as connection:
        await lock_contents(connection, [digest])
        if digest in await live_digests(connection, [digest]):
            return False
        await archive.erase(digest.hex())
    return True


def _is_settled(held: ObjectInfo, at: datetime) -> bool:
    return held.written_at < at - _SETTLED


def _digest_of(held: ObjectInfo) -> bytes | None:
    """The digest that an object is named by; None for what a crash left beside it."""
    try:
        return bytes.fromhex(held.name.rpartition("/")[2])
    except ValueError:
        return None
