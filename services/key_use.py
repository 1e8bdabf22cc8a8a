"""When and from where a key was last used: written beside the requests that use it, at most once a minute a key."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.repositories.api_keys import note_use
from db.session import Database, Viewer
from domain.api_keys import USE_NOTED_EVERY

_REMEMBERED: Final = 10_000

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("api")


class KeyUses:
    """Notes the uses of keys without anybody waiting for it. What cannot be written is lost, and said in the log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: OrderedDict[bytes, datetime] = OrderedDict()
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, digest: bytes, *, network: str, at: datetime) -> None:
        """A secret was used; it is written down unless this process did so within a minute."""
        before = self._noted.get(digest)
        if before is not None and at - before < USE_NOTED_EVERY:
            return
        self._noted[digest] = at
        self._noted.move_to_end(digest)
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        task = asyncio.create_task(self._write(digest, network=network, at=at))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def settle(self) -> None:
        """Wait until everything that was noted is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, digest: bytes, *, network: str, at: datetime) -> None:
        try:
            async with self._database.transaction(Viewer.nobody()) as connection:
                await note_use(connection, digest, network=network, at=at)
        except (SQLAlchemyError, OSError) as fault:
            _log.warning("key_use_not_written", error=type(fault).__name__)
