"""The notary: in every interval one signed checkpoint of the audit trail, whichever worker comes first."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from db.repositories.checkpoints import checkpoint_if_due
from db.session import Database, Viewer
from domain.checkpoints import Checkpoint, TrailAlteredError
from domain.signing import SigningRing
from runtime.periodic import repeat

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
        """Until `stop` is set."""
        await repeat(self._turn, stop, name="notary", every=min(self._every / _LOOKS, _LONGEST_PAUSE))

    async def _turn(self, at: datetime) -> bool:
        try:
            await self.sign_if_due(at)
        except TrailAlteredError as alarm:
            remedy = "see docs/operations.md, the trail is in doubt"
            _log.error("notary.trail_altered", detail=str(alarm), remedy=remedy)
        return False

    async def sign_if_due(self, at: datetime) -> Checkpoint | None:
        """The checkpoint of the interval that `at` lies in; None if there is one. Raises TrailAlteredError."""
        async with self._database.transaction(Viewer.system("worker")) as connection:
            made = await checkpoint_if_due(connection, self._ring, at=at, every=self._every)
        if made is not None:
            _log.info("notary.signed", checkpoint=made.number, streams=made.streams, events=made.events)
        return made
