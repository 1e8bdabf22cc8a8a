"""Appending to the audit trail: the stream's head is locked, so that a chain never forks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditRecord, AuditStream
from domain.audit import AuditEvent, AuditType, Head, StoredEvent, append, genesis
from domain.vocabulary import Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who did it: a person in one of their seats, or a part of Kawal (all None)."""

    user_id: UUID | None = None
    role: Role | None = None
    office_id: UUID | None = None


SYSTEM = Doer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event to be appended; its place in the chain is given when it is written."""

    type: AuditType
    by: Doer = SYSTEM
    status: Status | None = None
    data: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])


def stream_of_update(update_id: UUID) -> str:
    """The name of the trail of one case."""
    return f"update:{update_id}"


_LOCK_HEAD = (
    select(AuditStream.seq, AuditStream.hash).where(AuditStream.stream == bindparam("wanted")).with_for_update()
)
_MOVE_HEAD = update(AuditStream).where(AuditStream.stream == bindparam("wanted"))
_BEGIN = upsert(AuditStream).on_conflict_do_nothing()
_BEGIN_NEW = insert(AuditStream)
_APPEND = insert(AuditRecord)


async def record(
    connection: AsyncConnection,
    stream: str,
    entries: Sequence[Entry],
    *,
    at: datetime,
    area_code: str | None,
) -> None:
    """Append `entries` to `stream` in their order, in the transaction of what they tell."""
    if not entries:
        return
    head, rows = _link(stream, entries, await _lock_head(connection, stream, area_code=area_code), at, area_code)
    await connection.execute(_APPEND, rows)
    await connection.execute(_MOVE_HEAD, {"wanted": stream, "seq": head.seq, "hash": head.hash})


async def begin(
    connection: AsyncConnection,
    stream: str,
    entries: Sequence[Entry],
    *,
    at: datetime,
    area_code: str | None,
) -> None:
    """The same for the first events of a stream that cannot be there yet, in two statements instead of five."""
    head, rows = _link(stream, entries, Head(0, genesis(stream)), at, area_code)
    started = {"stream": stream, "area_code": area_code, "seq": head.seq, "hash": head.hash}
    await connection.execute(_BEGIN_NEW, started)
    await connection.execute(_APPEND, rows)


async def read_stream(connection: AsyncConnection, stream: str) -> tuple[list[StoredEvent], Head | None]:
    """The stored events of a stream in their order, and its recorded head (None when there is none)."""
    rows = await connection.execute(
        select(AuditRecord.__table__).where(AuditRecord.stream == stream).order_by(AuditRecord.seq),
    )
    head = (
        await connection.execute(select(AuditStream.seq, AuditStream.hash).where(AuditStream.stream == stream))
    ).one_or_none()
    return [_stored(row) for row in rows.mappings()], None if head is None else Head(head.seq, head.hash)


async def stream_names(connection: AsyncConnection) -> AsyncIterator[str]:
    """Every stream that has a head or a row, so that neither can vanish without the other telling."""
    names = select(AuditStream.stream).union(select(AuditRecord.stream)).order_by("stream")
    result = await connection.stream(names)
    async for (name,) in result:
        yield name


async def _lock_head(connection: AsyncConnection, stream: str, *, area_code: str | None) -> Head:
    found = (await connection.execute(_LOCK_HEAD, {"wanted": stream})).one_or_none()
    if found is None:
        first = {"stream": stream, "area_code": area_code, "seq": 0, "hash": genesis(stream)}
        await connection.execute(_BEGIN, first)
        found = (await connection.execute(_LOCK_HEAD, {"wanted": stream})).one()
    return Head(found.seq, found.hash)


def _link(
    stream: str,
    entries: Sequence[Entry],
    head: Head,
    at: datetime,
    area_code: str | None,
) -> tuple[Head, list[dict[str, object]]]:
    """The rows of `entries` after `head`, and the head after them."""
    rows: list[dict[str, object]] = []
    for entry in entries:
        event = AuditEvent(
            stream=stream,
            seq=head.seq + 1,
            at=at,
            type=entry.type.value,
            actor_id=entry.by.user_id,
            actor_role=entry.by.role,
            office_id=entry.by.office_id,
            area_code=area_code,
            status=entry.status,
            data=entry.data,
        )
        stored = append(head, event)
        rows.append(_row(stored))
        head = Head(event.seq, stored.hash)
    return head, rows


def _row(stored: StoredEvent) -> dict[str, object]:
    event = stored.event
    return {
        "stream": event.stream,
        "seq": event.seq,
        "at": event.at,
        "type": event.type,
        "actor_id": event.actor_id,
        "actor_role": event.actor_role,
        "office_id": event.office_id,
        "on_behalf_of": event.on_behalf_of,
        "area_code": event.area_code,
        "status": event.status,
        "data": event.data,
        "prev_hash": stored.prev_hash,
        "hash": stored.hash,
    }


def _stored(row: RowMapping) -> StoredEvent:
    values: dict[str, Any] = {str(column): value for column, value in row.items()}
    prev_hash, own_hash = values.pop("prev_hash"), values.pop("hash")
    return StoredEvent(event=AuditEvent(**values), prev_hash=prev_hash, hash=own_hash)
