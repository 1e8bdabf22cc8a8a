"""Appending to the audit trail: the stream's head is locked, so that a chain never forks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from db.models import AuditMark, AuditRecord, AuditStream
from domain.audit import AuditEvent, AuditType, Head, StoredEvent, append, genesis
from domain.audit_export import Mark, Trail
from domain.authority import Actor, Seat
from domain.vocabulary import Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who did it: a person in one of their seats, or a part of Kawal (all None)."""

    user_id: UUID | None = None
    role: Role | None = None
    office_id: UUID | None = None
    on_behalf_of: UUID | None = None

    @classmethod
    def of(cls, actor: Actor, seat: Seat) -> Doer:
        """A person acting in one of their seats, be it lent to them."""
        return cls(
            user_id=actor.user_id,
            role=seat.role,
            office_id=seat.office_id,
            on_behalf_of=seat.on_behalf_of,
        )


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


def stream_of_evidence(evidence_id: UUID) -> str:
    """The name of the trail of one file."""
    return f"evidence:{evidence_id}"


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


async def read_trails(connection: AsyncConnection) -> AsyncIterator[Trail]:
    """Every stream that has an end, a mark or an event, in the bytewise order of names, one at a time.

    The connection has to be one of a snapshot: streams that grow meanwhile would look broken.
    """
    cursors = [
        await _Cursor.over(connection, select(AuditStream.stream, AuditStream.seq, AuditStream.hash)),
        await _Cursor.over(connection, select(AuditMark.__table__), AuditMark.checkpoint),
        await _Cursor.over(connection, select(AuditRecord.__table__), AuditRecord.seq),
    ]
    while names := [cursor.stream.encode() for cursor in cursors if cursor.stream is not None]:
        stream = min(names).decode()
        heads, marks, events = [await cursor.take(stream) for cursor in cursors]
        yield Trail(
            stream=stream,
            head=_head(heads[0]) if heads else None,
            marks=[Mark(row["checkpoint"], _head(row)) for row in marks],
            events=[_stored(row) for row in events],
        )


class _Cursor:
    """Rows that come sorted by their stream, handed out stream by stream."""

    def __init__(self, batches: AsyncIterator[Sequence[RowMapping]]) -> None:
        self._batches = batches
        self._rows: Iterator[RowMapping] = iter(())
        self._next: RowMapping | None = None

    @classmethod
    async def over(
        cls,
        connection: AsyncConnection,
        statement: Select[*tuple[Any, ...]],
        *then: ColumnElement[Any] | InstrumentedAttribute[Any],
    ) -> _Cursor:
        stream = statement.selected_columns["stream"]
        result = await connection.stream(statement.order_by(stream.collate("C"), *then))
        cursor = cls(result.mappings().partitions(1000))
        await cursor._advance()
        return cursor

    @property
    def stream(self) -> str | None:
        """The stream of the next row; None at the end."""
        return None if self._next is None else self._next["stream"]

    async def take(self, stream: str) -> list[RowMapping]:
        """The next rows, as long as they are of this stream."""
        taken: list[RowMapping] = []
        while self._next is not None and self._next["stream"] == stream:
            taken.append(self._next)
            await self._advance()
        return taken

    async def _advance(self) -> None:
        self._next = next(self._rows, None)
        if self._next is None:
            async for batch in self._batches:
                self._rows = iter(batch)
                self._next = next(self._rows, None)
                break


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
            on_behalf_of=entry.by.on_behalf_of,
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


def _head(row: RowMapping) -> Head:
    return Head(row["seq"], row["hash"])


def _stored(row: RowMapping) -> StoredEvent:
    values: dict[str, Any] = {str(column): value for column, value in row.items()}
    prev_hash, own_hash = values.pop("prev_hash"), values.pop("hash")
    return StoredEvent(event=AuditEvent(**values), prev_hash=prev_hash, hash=own_hash)
