"""The notary: in every interval one signed checkpoint of the audit trail, whichever worker comes first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from db.repositories.checkpoints import checkpoint_if_due
from db.session import Database, Viewer
from domain.checkpoints import Checkpoint, TrailAlteredError
from domain.signing import SigningRing

_LONGEST_PAUSE: Final = timedelta(seconds=30)
_LOOKS: Final = 10
"""How often in an interval it is looked whether its checkpoint is due."""
_log = structlog.get_logger()


class Notary:
    """Signs for as long as the trail continues what it signed before, and says so loudly when it does not."""

    def __init__(self, database: Database, ring: SigningRing, *, every: timedelta) -> None:
        self._database = database
        self._ring = ring
        self._every = every

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, whatever happens meanwhile; a database that is away is waited for."""
        pause = min(self._every / _LOOKS, _LONGEST_PAUSE)
        while not stop.is_set():
            try:
                await self.sign_if_due(datetime.now(UTC))
            except TrailAlteredError as alarm:
                _log.error(
                    "notary.trail_altered", detail=str(alarm), remedy="see docs/operations.md, the trail is in doubt"
                )
            except Exception as fault:  # noqa: BLE001 - whatever it is, the next interval still has to be signed
                _log.error(
                    "notary.not_signed", error=type(fault).__name__, cause=str(getattr(fault, "orig", "")) or None
                )
            try:
                async with asyncio.timeout(pause.total_seconds()):
                    await stop.wait()
            except TimeoutError:
                continue

    async def sign_if_due(self, at: datetime) -> Checkpoint | None:
        """The checkpoint of the interval that `at` lies in; None if there is one. Raises TrailAlteredError."""
        async with self._database.transaction(Viewer.system("worker")) as connection:
            made = await checkpoint_if_due(connection, self._ring, at=at, every=self._every)
        if made is not None:
            _log.info("notary.signed", checkpoint=made.number, streams=made.streams, events=made.events)
        return made
