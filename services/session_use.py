"""Sessions of browsers go on while they are used: written beside the requests, at most once a minute a session."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.repositories.sessions import BrowserSession, carry_on
from db.session import Database
from domain.sessions import Lifetime
from services.sessions import own

NOTED_EVERY: Final = timedelta(minutes=1)

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("api")


class SessionUses:
    """Carries sessions on without anybody waiting for it. What cannot be written is lost, and said in the log."""

    def __init__(self, database: Database, lifetime: Lifetime) -> None:
        self._database = database
        self._lifetime = lifetime
        self._writing: dict[UUID, asyncio.Task[None]] = {}

    def note(self, session: BrowserSession, *, at: datetime) -> None:
        """A session is in use; it is written down unless that was done within a minute, or is being done."""
        if at - session.seen_at < NOTED_EVERY or session.id in self._writing:
            return
        task = asyncio.create_task(self._write(session, at=at))
        self._writing[session.id] = task
        task.add_done_callback(lambda _: self._writing.pop(session.id, None))

    async def settle(self) -> None:
        """Wait until everything that was noted is written."""
        await asyncio.gather(*self._writing.values())

    async def _write(self, session: BrowserSession, *, at: datetime) -> None:
        expires_at = self._lifetime.expires_at(ends_at=session.ends_at, now=at)
        try:
            async with self._database.transaction(own(session.actor.user_id)) as connection:
                await carry_on(connection, session.id, at=at, expires_at=expires_at)
        except (SQLAlchemyError, OSError) as fault:
            _log.warning("session_use_not_written", error=type(fault).__name__)
