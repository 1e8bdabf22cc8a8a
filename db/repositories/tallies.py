"""Tallies of failed attempts to sign in, each held against everybody else while it changes."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import SignInTally
from domain.lockout import Tally

_AT_A_TIME: Final = 50
_LOCK = (
    select(SignInTally.failures, SignInTally.last_at, SignInTally.paused_until)
    .where(SignInTally.subject == bindparam("wanted"))
    .with_for_update()
)
_BEGIN = upsert(SignInTally).on_conflict_do_nothing()


async def lock_tally(connection: AsyncConnection, subject: str, *, at: datetime) -> Tally:
    """The tally of a subject, made when there is none, and locked to the end of the transaction."""
    await connection.execute(_BEGIN, {"subject": subject, "failures": 0, "last_at": at, "paused_until": None})
    row = (await connection.execute(_LOCK, {"wanted": subject})).one()
    return Tally(row.failures, row.last_at, row.paused_until)


async def write_tally(connection: AsyncConnection, subject: str, tally: Tally) -> None:
    """Write a tally that is locked."""
    await connection.execute(
        update(SignInTally)
        .where(SignInTally.subject == subject)
        .values(failures=tally.failures, last_at=tally.last_at, paused_until=tally.paused_until),
    )


async def forget_tally(connection: AsyncConnection, subject: str) -> bool:
    """Forget the failures of a subject; whether there were any."""
    return (await connection.execute(delete(SignInTally).where(SignInTally.subject == subject))).rowcount > 0


async def forget_old_tallies(connection: AsyncConnection, *, before: datetime) -> None:
    """Forget some of the tallies that have not moved since `before`; those that are in use are left for later."""
    old = (
        select(SignInTally.subject)
        .where(SignInTally.last_at < before)
        .limit(_AT_A_TIME)
        .with_for_update(skip_locked=True)
    )
    await connection.execute(delete(SignInTally).where(SignInTally.subject.in_(old)))
