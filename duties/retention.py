"""What has had its time is erased: files of evidence, contents of cases, and rows beside them.

The database says what is due (`kawal_due`), and refuses to erase anything else. Each chunk is one transaction with its
events, so a sweep that is cut off goes on where it stood, and any number may run at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.evidence import erase_evidence
from db.repositories.retention import OF_ROWS, Erased, erase_contents, erase_reports, erase_rows, lock_due_files
from db.repositories.trail import Entry, stream_of_evidence, stream_of_update
from domain.audit import AuditType
from domain.policy import RetentionSubject
from duties.evidence_sweep import Begin, drop_content
from runtime.evidence.archive import Archive
from runtime.periodic import repeat

CHUNK: Final = 100
"""Cases, files or rows of one transaction."""
_EVERY: Final = timedelta(hours=6)
_STREAM: Final = "retention"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSweep:
    """Sweeps, once or for as long as a process runs."""

    begin: Begin
    archive: Archive
    every: timedelta = _EVERY

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set."""
        await repeat(self._turn, stop, name="retention", every=self.every)

    async def _turn(self, at: datetime) -> bool:
        erased = await self.sweep(at)
        if erased:
            _log.info("retention.swept", **{subject.value: count for subject, count in erased.items()})
        return False

    async def sweep(self, at: datetime) -> Counter[RetentionSubject]:
        """Erase everything that is due; how much of each subject. The database's own clock says what is due."""
        erased = Counter[RetentionSubject]()
        async for subject, count in self.chunks(at):
            erased[subject] += count
        return erased

    async def chunks(self, at: datetime) -> AsyncGenerator[tuple[RetentionSubject, int]]:
        """The same chunk by chunk, each committed when it is told."""
        while reports := await self._erase_reports(at):
            yield RetentionSubject.EVIDENCE, reports
        while files := await self._erase_files(at):
            yield RetentionSubject.EVIDENCE, files
        while cases := await self._erase_contents(at):
            yield RetentionSubject.CONTENTS, cases
        for subject in OF_ROWS:
            while rows := await self._erase_rows(subject, at):
                yield subject, rows

    async def _erase_files(self, at: datetime) -> int:
        async with self.begin() as connection:
            files = await lock_due_files(connection, at_most=CHUNK)
            digests = await erase_evidence(connection, [file.evidence_id for file in files], at=at)
            for update_id, group in groupby(files, key=lambda file: file.update_id):
                of_case = list(group)
                area_code = of_case[0].area_code
                for file in of_case:
                    gone = Entry(type=AuditType.EVIDENCE_ERASED, data={"cause": "retention"})
                    stream = stream_of_evidence(file.evidence_id)
                    await trail.record(connection, stream, [gone], at=at, area_code=area_code)
                told = _erased(RetentionSubject.EVIDENCE, len(of_case))
                await trail.record(connection, stream_of_update(update_id), [told], at=at, area_code=area_code)
        for digest in dict.fromkeys(digests):
            await drop_content(self.begin, self.archive, digest)
        return len(files)

    async def _erase_contents(self, at: datetime) -> int:
        async with self.begin() as connection:
            cases = await erase_contents(connection, at_most=CHUNK)
            await _tell_erased(connection, RetentionSubject.CONTENTS, cases, at=at)
        return len(cases)

    async def _erase_reports(self, at: datetime) -> int:
        async with self.begin() as connection:
            cases = await erase_reports(connection, at_most=CHUNK)
            await _tell_erased(connection, RetentionSubject.EVIDENCE, cases, at=at)
        return len(cases)

    async def _erase_rows(self, subject: RetentionSubject, at: datetime) -> int:
        async with self.begin() as connection:
            rows = await erase_rows(connection, subject, at_most=CHUNK)
            if rows:
                await _tell_swept(connection, subject, rows, at=at)
        return rows


async def _tell_erased(
    connection: AsyncConnection, subject: RetentionSubject, cases: list[Erased], *, at: datetime
) -> None:
    for case in cases:
        stream = stream_of_update(case.update_id)
        told = _erased(subject, case.items)
        await trail.record(connection, stream, [told], at=at, area_code=case.area_code)


def _erased(subject: RetentionSubject, items: int) -> Entry:
    return Entry(type=AuditType.UPDATE_ERASED, data={"subject": subject.value, "items": items})


async def _tell_swept(connection: AsyncConnection, subject: RetentionSubject, rows: int, *, at: datetime) -> None:
    entry = Entry(type=AuditType.RETENTION_SWEPT, data={"subject": subject.value, "rows": rows})
    await trail.record(connection, _STREAM, [entry], at=at, area_code=None)
