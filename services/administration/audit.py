"""The audit trail, read back: one stream, and the cases that have none."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Text, cast, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditRecord, AuditStream, Update
from db.repositories.trail import read_stream
from domain.audit_verification import Flaw, FlawKind, verify_stream
from domain.errors import NotFound


class StreamReport(NamedTuple):
    """What one stream is: its name, how many events it holds, and every flaw of it."""

    stream: str
    events: int
    flaws: list[Flaw]


async def verify_one(connection: AsyncConnection, stream: str) -> StreamReport:
    """The report of one stream. Raises NotFound when it has neither a head nor a row."""
    events, head = await read_stream(connection, stream)
    if not events and head is None:
        raise NotFound(f"There is no stream {stream!r}.", remedy="Streams are named update:ID, account:ID, policy:ID.")
    flaws = verify_stream(stream, events, head=head)
    if head is None:
        last = events[-1].event.seq
        flaws.append(Flaw(stream, last, FlawKind.UNRECORDED, f"no end is recorded of the events up to {last}"))
    return StreamReport(stream, len(events), flaws)


async def cases_without_trail(connection: AsyncConnection) -> list[Flaw]:
    """A flaw for every case of which neither an event nor an end is left."""
    name = literal("update:") + cast(Update.id, Text)  # as trail.stream_of_update has it
    head = select(AuditStream.stream).where(AuditStream.stream == name).exists()
    row = select(AuditRecord.stream).where(AuditRecord.stream == name).exists()
    gone = await connection.scalars(select(name).where(~head, ~row).order_by(name))
    detail = "the case is there, but its whole trail is missing"
    return [Flaw(stream, 1, FlawKind.MISSING, detail) for stream in gone]
