"""The whole audit trail, read back stream by stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import Text, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditRecord, AuditStream, Update
from db.repositories.trail import read_stream, stream_names
from domain.audit_verification import Flaw, FlawKind, verify_stream
from domain.errors import NotFound


class StreamReport(NamedTuple):
    """What one stream is: its name, how many events it holds, and every flaw of it."""

    stream: str
    events: int
    flaws: list[Flaw]


async def count_streams(connection: AsyncConnection) -> int:
    """How many reports `verify_all` will give."""
    names = select(AuditStream.stream).union(select(AuditRecord.stream)).subquery()
    known = await connection.scalar(select(func.count()).select_from(names))
    return (known or 0) + len(await _cases_without_trail(connection))


async def verify_all(connection: AsyncConnection) -> AsyncIterator[StreamReport]:
    """A report of every stream that has a head or a row, and of every case that has neither.

    The connection has to be one of a snapshot: streams that grow meanwhile would look broken.
    """
    async for stream in stream_names(connection):
        yield await verify_one(connection, stream)
    for stream in await _cases_without_trail(connection):
        flaw = Flaw(stream, 1, FlawKind.MISSING, "the case is there, but its whole trail is missing")
        yield StreamReport(stream, 0, [flaw])


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


async def _cases_without_trail(connection: AsyncConnection) -> list[str]:
    name = literal("update:") + cast(Update.id, Text)  # as trail.stream_of_update has it
    head = select(AuditStream.stream).where(AuditStream.stream == name).exists()
    row = select(AuditRecord.stream).where(AuditRecord.stream == name).exists()
    return list(await connection.scalars(select(name).where(~head, ~row).order_by(name)))
