"""Erasing the traces from which acts came: addresses, clients, accounts and machines."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditOrigin, IdempotencyKey
from db.repositories import trail
from db.repositories.trail import Entry
from domain.audit import AuditType
from services.administration.proof import STREAM


class Erased(NamedTuple):
    """How many traces were erased: beside events, and of acts that the engine carries."""

    events: int
    acts: int


async def erase_traces(connection: AsyncConnection, *, before: datetime, at: datetime) -> Erased:
    """Erase all traces of before a moment, in one transaction with the event that tells of it."""
    events = await connection.execute(delete(AuditOrigin).where(AuditOrigin.at < before))
    acts = await connection.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.created_at < before, IdempotencyKey.origin.is_not(None))
        .values(origin=None),
    )
    erased = Erased(events.rowcount, acts.rowcount)
    entry = Entry(type=AuditType.AUDIT_ORIGINS_ERASED, data={"before": before.isoformat(), **erased._asdict()})
    await trail.record(connection, STREAM, [entry], at=at, area_code=None)
    return erased
