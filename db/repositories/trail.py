"""Appending to the audit trail: events and the stream's new head in one statement, so that a chain never forks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, RowMapping, Select, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from db.models import AuditMark, AuditOrigin, AuditRecord, AuditStream
from db.writes import Write, send
from domain.audit import AuditEvent, AuditType, Head, StoredEvent, append, genesis
from domain.audit_export import Mark, Trail
from domain.authority import Actor, Seat
from domain.origins import SealedOrigin, SealedTraces, present_sealed_origin
from domain.vocabulary import Role, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who did it: a person or a machine in one of their seats, or a part of Kawal (all None)."""

    user_id: UUID | None = None
    role: Role | None = None
    office_id: UUID | None = None
    on_behalf_of: UUID | None = None
    api_key: UUID | None = None

    @classmethod
    def of(cls, actor: Actor, seat: Seat) -> Doer:
        """A person acting in one of their seats, be it lent to them."""
        return cls(
            user_id=actor.user_id,
            role=seat.role,
            office_id=seat.office_id,
            on_behalf_of=seat.on_behalf_of,
            api_key=actor.api_key,
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


def stream_of_minutes(minutes_id: UUID) -> str:
    """The name of the trail of a village's minutes."""
    return f"minutes:{minutes_id}"


HEAD_COLUMNS = (AuditStream.seq.label("head_seq"), AuditStream.hash.label("head_hash"))
"""The end of a stream, for statements that read something else along with it."""


def head_of(row: Row[*tuple[Any, ...]]) -> Head | None:
    """The end of the stream in a row with `HEAD_COLUMNS`, where the stream has one."""
    return None if row.head_seq is None else Head(row.head_seq, row.head_hash)


_LOCK_HEAD = (
    select(AuditStream.seq, AuditStream.hash).where(AuditStream.stream == bindparam("wanted")).with_for_update()
)
_BEGIN = upsert(AuditStream).on_conflict_do_nothing()
_MOVE_HEAD = text(
    "UPDATE audit_streams SET seq = :last_seq, hash = :last_hash"
    " WHERE stream = :stream AND seq = :held_seq RETURNING stream",
)
_BEGIN_HEAD = text(
    "INSERT INTO audit_streams (stream, area_code, seq, hash)"
    " VALUES (:stream, :area_code, :last_seq, :last_hash) RETURNING stream",
)
_KEEP_TRACES = text("""
INSERT INTO audit_origins (stream, commitment, area_code, at, sealed)
SELECT trail_head.stream, :commitment, :area_code, :at, :sealed
FROM trail_head ON CONFLICT (stream, commitment) DO NOTHING RETURNING 1
""")
_ADD_EVENTS = text("""
INSERT INTO audit_events (stream, seq, at, type, actor_id, actor_role, office_id, on_behalf_of, area_code, status, data,
    origin, prev_hash, hash)
SELECT trail_head.stream, link.seq, :at, link.type, link.actor_id, link.actor_role, link.office_id, link.on_behalf_of,
    :area_code, link.status, CAST(link.data AS jsonb), CAST(:origin AS jsonb), link.prev_hash, link.hash
FROM trail_head, unnest(
    CAST(:seq AS int[]), CAST(:type AS text[]), CAST(:actor_id AS uuid[]), CAST(:actor_role AS text[]),
    CAST(:office_id AS uuid[]), CAST(:on_behalf_of AS uuid[]), CAST(:status AS text[]), CAST(:data AS text[]),
    CAST(:prev_hash AS bytea[]), CAST(:hash AS bytea[])
) AS link(seq, type, actor_id, actor_role, office_id, on_behalf_of, status, data, prev_hash, hash)
RETURNING 1
""")


async def record(
    connection: AsyncConnection,
    stream: str,
    entries: Sequence[Entry],
    *,
    at: datetime,
    area_code: str | None,
    head: Head | None = None,
    origin: SealedOrigin | None = None,
) -> None:
    """Append `entries` to `stream` in their order, in the transaction of what they tell.

    They came from `origin`, or else from where the process acts at present (`domain.origins.acting_from`).
    `head` spares the question for it where it was read under a lock that everybody takes who appends here.
    """
    if entries:
        held = head or await lock_head(connection, stream, area_code=area_code)
        await send(connection, appended(stream, entries, held, at=at, area_code=area_code, origin=origin))


def appended(
    stream: str,
    entries: Sequence[Entry],
    head: Head,
    *,
    at: datetime,
    area_code: str | None,
    origin: SealedOrigin | None = None,
) -> list[Write]:
    """What `record` writes, some entries after `head`.

    Were that not the head any more, the events would not be written, which ends the transaction: a chain never forks.
    """
    come_from = origin or present_sealed_origin()
    links = _linked(stream, entries, head, at, area_code, come_from)
    moved = {"stream": stream, "held_seq": head.seq, **_end_of(links)}
    return [Write("trail_head", _MOVE_HEAD, moved), *_events(links, come_from)]


async def begin(
    connection: AsyncConnection,
    stream: str,
    entries: Sequence[Entry],
    *,
    at: datetime,
    area_code: str | None,
) -> None:
    """The same for the first events of a stream that cannot be there yet."""
    await send(connection, begun(stream, entries, at=at, area_code=area_code))


def begun(stream: str, entries: Sequence[Entry], *, at: datetime, area_code: str | None) -> list[Write]:
    """What `begin` writes."""
    come_from = present_sealed_origin()
    links = _linked(stream, entries, Head(0, genesis(stream)), at, area_code, come_from)
    first = {"stream": stream, "area_code": area_code, **_end_of(links)}
    return [Write("trail_head", _BEGIN_HEAD, first), *_events(links, come_from)]


async def read_stream(connection: AsyncConnection, stream: str) -> tuple[list[StoredEvent], Head | None]:
    """The stored events of a stream in their order, and its recorded head (None when there is none)."""
    rows = await connection.execute(
        select(AuditRecord.__table__).where(AuditRecord.stream == stream).order_by(AuditRecord.seq),
    )
    head = (
        await connection.execute(select(AuditStream.seq, AuditStream.hash).where(AuditStream.stream == stream))
    ).one_or_none()
    return [_stored(row) for row in rows.mappings()], None if head is None else Head(head.seq, head.hash)


async def read_traces(connection: AsyncConnection, stream: str) -> list[SealedTraces]:
    """What is kept of the traces in a stream and may be seen; what was erased is missing."""
    rows = await connection.execute(
        select(AuditOrigin.commitment, AuditOrigin.sealed).where(AuditOrigin.stream == stream),
    )
    return [SealedTraces(*row) for row in rows]


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


async def lock_head(connection: AsyncConnection, stream: str, *, area_code: str | None) -> Head:
    """The end of a stream, which is begun where it has not been, locked until the transaction ends."""
    found = (await connection.execute(_LOCK_HEAD, {"wanted": stream})).one_or_none()
    if found is None:
        first = {"stream": stream, "area_code": area_code, "seq": 0, "hash": genesis(stream)}
        await connection.execute(_BEGIN, first)
        found = (await connection.execute(_LOCK_HEAD, {"wanted": stream})).one()
    return Head(found.seq, found.hash)


def _linked(
    stream: str,
    entries: Sequence[Entry],
    head: Head,
    at: datetime,
    area_code: str | None,
    origin: SealedOrigin | None,
) -> list[StoredEvent]:
    """The events of `entries`, each linked to the one before it, the first to `head`."""
    told = None if origin is None else origin.told
    links: list[StoredEvent] = []
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
            data=entry.data if entry.by.api_key is None else {**entry.data, "api_key": str(entry.by.api_key)},
            origin=told,
        )
        links.append(append(head, event))
        head = Head(event.seq, links[-1].hash)
    return links


def _end_of(links: Sequence[StoredEvent]) -> dict[str, object]:
    return {"last_seq": links[-1].event.seq, "last_hash": links[-1].hash}


def _events(links: Sequence[StoredEvent], origin: SealedOrigin | None) -> list[Write]:
    """The writes of events, and of the traces that they came with, after the one of the head."""
    first = links[0].event
    shared = {"at": first.at, "area_code": first.area_code}
    events = [link.event for link in links]
    columns = {
        **shared,
        "origin": None if first.origin is None else json.dumps(first.origin),
        "seq": [event.seq for event in events],
        "type": [event.type for event in events],
        "actor_id": [event.actor_id for event in events],
        "actor_role": [event.actor_role for event in events],
        "office_id": [event.office_id for event in events],
        "on_behalf_of": [event.on_behalf_of for event in events],
        "status": [event.status for event in events],
        "data": [json.dumps(event.data) for event in events],
        "prev_hash": [link.prev_hash for link in links],
        "hash": [link.hash for link in links],
    }
    written = [Write("trail_events", _ADD_EVENTS, columns, rows=len(links))]
    if origin is not None and origin.traces is not None:
        traces = {**shared, "commitment": origin.traces.commitment, "sealed": origin.traces.envelope}
        written.append(Write("trail_traces", _KEEP_TRACES, traces))
    return written


def _head(row: RowMapping) -> Head:
    return Head(row["seq"], row["hash"])


def _stored(row: RowMapping) -> StoredEvent:
    values: dict[str, Any] = {str(column): value for column, value in row.items()}
    prev_hash, own_hash = values.pop("prev_hash"), values.pop("hash")
    return StoredEvent(event=AuditEvent(**values), prev_hash=prev_hash, hash=own_hash)
