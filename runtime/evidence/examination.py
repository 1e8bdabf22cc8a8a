"""How a file is looked at: scanned, then taken apart in a process of its own, a few at a time."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Final, NamedTuple

import structlog

from domain.evidence import ContentFault
from runtime.evidence.scanner import Scanner
from runtime.evidence.verdicts import VERDICT, Facts, Refusal, Refused
from runtime.settings import TREE

AT_ONCE: Final = 2
"""Files that one process has looked at side by side; others wait their turn."""

_PATIENCE: Final = 40.0
"""Seconds; the examiner's own limit of processor time is met long before unless the machine is overloaded."""
_log = structlog.get_logger()


class Examined(NamedTuple):
    """A file as it is to be kept; `thumbnail` is empty for a document, `scanned` whether a scanner let it pass."""

    facts: Facts
    content: bytes
    thumbnail: bytes
    scanned: bool


class Examination:
    """Looks at files."""

    def __init__(self, scanner: Scanner, *, at_once: int = AT_ONCE) -> None:
        self._scanner = scanner
        self._gate = asyncio.Semaphore(at_once)

    async def examine(self, content: bytes) -> Examined:
        """The file as it is to be kept. Raises Refused, and EvidenceUnavailable when it cannot be scanned now."""
        async with self._gate:
            infection = await self._scanner.infection(content)
            if infection is not None:
                _log.warning("evidence.malware", name=infection[:200])
                raise Refused(ContentFault.MALWARE)
            facts, kept, thumbnail = _read(await _run_examiner(content))
        return Examined(facts, kept, thumbnail, self._scanner.scans)


async def _run_examiner(content: bytes) -> bytes:
    """What the examiner's process said. Raises Refused when it met its limits, or did not survive the file."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runtime.evidence.examiner"),
        cwd=TREE,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            said, complaint = await process.communicate(content)
    except TimeoutError:
        raise Refused(ContentFault.TOO_DEMANDING) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        _log.error("evidence.examiner_ended", code=process.returncode, error=last[:200])
        raise Refused(ContentFault.TOO_DEMANDING)
    return said


def _read(said: bytes) -> tuple[Facts, bytes, bytes]:
    line, _, rest = said.partition(b"\n")
    verdict = VERDICT.validate_json(line)
    if isinstance(verdict, Refusal):
        raise Refused(verdict.fault)
    return verdict, rest[: verdict.content], rest[verdict.content :]
