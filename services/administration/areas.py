"""What is written down of a change to the tree of areas."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.trail import Entry
from domain.audit import AuditType

_STREAM = "areas"


async def note_areas_loaded(connection: AsyncConnection, changed: int, *, at: datetime) -> None:
    """Record that so many areas are new or changed, in the transaction that made them so."""
    loaded = Entry(type=AuditType.AREAS_LOADED, data={"changed": changed})
    await trail.record(connection, _STREAM, [loaded], at=at, area_code=None)
