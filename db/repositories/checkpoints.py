"""Making a checkpoint: the ends of all streams in one pass, in flat memory, against the checkpoint before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, RowMapping, func, insert, lateral, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AuditCheckpoint, AuditKey, AuditMark, AuditStream
from domain.audit import Head
from domain.checkpoints import (
    FIRST_PREVIOUS,
    Checkpoint,
    EndorsedKey,
    TrailAlteredError,
    endorse,
    leaf,
    signed,
)
from domain.keyring import KeyRingError
from domain.merkle import MerkleTree
from domain.signing import PublicKey, SigningRing

_LOCK: Final = "kawal.audit.checkpoint"
_BATCH: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CHECKPOINT: Final = (
    AuditCheckpoint.number,
    AuditCheckpoint.at,
    AuditCheckpoint.streams,
    AuditCheckpoint.events,
    AuditCheckpoint.root,
    AuditCheckpoint.previous,
    AuditCheckpoint.key_id,
    AuditCheckpoint.signature,
)
_last = lateral(
    select(AuditMark.seq, AuditMark.hash)
    .where(AuditMark.stream == AuditStream.stream)
    .order_by(AuditMark.checkpoint.desc())
    .limit(1),
).alias("last")
_HEADS: Final = (
    select(
        AuditStream.stream,
        AuditStream.seq,
        AuditStream.hash,
        _last.c.seq.label("marked_seq"),
        _last.c.hash.label("marked_hash"),
    )
    .join(_last, true(), isouter=True)
    .where(AuditStream.seq > 0)
    .order_by(AuditStream.stream.collate("C"))
)
"""Every end with the last one a checkpoint covered. One statement, so it sees one moment."""
_covered = (
    select(AuditMark.stream, AuditMark.seq)
    .ext(distinct_on(AuditMark.stream))
    .order_by(
        AuditMark.stream,
        AuditMark.checkpoint.desc(),
    )
    .subquery()
)
_VANISHED: Final = select(_covered.c.stream).where(
    _covered.c.seq > 0,
    ~select(AuditStream.stream).where(AuditStream.stream == _covered.c.stream).exists(),
)


class _End(NamedTuple):
    """Where a stream ends; seq 0 of one that is gone, although a checkpoint covered it."""

    stream: str
    seq: int
    hash: bytes


async def newest_checkpoint(connection: AsyncConnection) -> Checkpoint | None:
    """The last one made."""
    newest = select(*_CHECKPOINT).order_by(AuditCheckpoint.number.desc()).limit(1)
    row = (await connection.execute(newest)).mappings().one_or_none()
    return None if row is None else _checkpoint(row)


async def all_checkpoints(connection: AsyncConnection) -> AsyncIterator[Checkpoint]:
    """Each one, the oldest first."""
    rows = await connection.stream(select(*_CHECKPOINT).order_by(AuditCheckpoint.number))
    async for row in rows.mappings():
        yield _checkpoint(row)


async def listed_keys(connection: AsyncConnection) -> list[EndorsedKey]:
    """Every public key that has signed, the first one first."""
    rows = await connection.execute(select(AuditKey.__table__).order_by(AuditKey.first_used_at, AuditKey.key_id))
    return [
        EndorsedKey(
            key=PublicKey(row.key_id, row.public_key),
            first_used_at=row.first_used_at,
            endorsed_by=row.endorsed_by,
            endorsement=row.endorsement,
        )
        for row in rows
    ]


async def checkpoint_if_due(
    connection: AsyncConnection,
    ring: SigningRing,
    *,
    at: datetime,
    every: timedelta,
) -> Checkpoint | None:
    """Make the checkpoint of the interval that `at` lies in, unless there is one: None.

    Intervals are counted from 1970, so all workers mean the same ones. Raises TrailAlteredError.
    """
    if not await connection.scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(_LOCK, 0)))):
        return None
    newest = await newest_checkpoint(connection)
    if newest is not None and _interval(newest.at, every) >= _interval(at, every):
        return None
    return await _add(connection, ring, newest, at=at, even_if_altered=False)


async def add_checkpoint(
    connection: AsyncConnection,
    ring: SigningRing,
    *,
    at: datetime,
    even_if_altered: bool = False,
) -> Checkpoint:
    """Make one now. Raises TrailAlteredError, unless told to sign all the same."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
    newest = await newest_checkpoint(connection)
    return await _add(connection, ring, newest, at=at, even_if_altered=even_if_altered)


async def heads_at(connection: AsyncConnection, number: int) -> AsyncIterator[tuple[str, Head]]:
    """The end of every stream that a checkpoint covers, in the order of its tree."""
    wanted = (
        select(AuditMark.stream, AuditMark.seq, AuditMark.hash)
        .ext(distinct_on(AuditMark.stream.collate("C")))
        .where(AuditMark.checkpoint <= number)
        .order_by(AuditMark.stream.collate("C"), AuditMark.checkpoint.desc())
    )
    async for row in await connection.stream(wanted):
        if row.seq:
            yield row.stream, Head(row.seq, row.hash)


def _interval(at: datetime, every: timedelta) -> int:
    return (at - _EPOCH) // every


def _checkpoint(row: RowMapping) -> Checkpoint:
    return Checkpoint(**{column.key: row[column.key] for column in _CHECKPOINT})


async def _add(
    connection: AsyncConnection,
    ring: SigningRing,
    newest: Checkpoint | None,
    *,
    at: datetime,
    even_if_altered: bool,
) -> Checkpoint:
    number = 1 if newest is None else newest.number + 1
    before, now, events = MerkleTree(), MerkleTree(), 0
    altered: list[str] = []
    async for rows in (await connection.stream(_HEADS)).partitions(_BATCH):
        for row in rows:
            now.add(leaf(row.stream, Head(row.seq, row.hash)))
            events += row.seq
            if row.marked_seq is not None:
                before.add(leaf(row.stream, Head(row.marked_seq, row.marked_hash)))
                if not _continues(row):
                    altered.append(row.stream)
        await _mark(
            connection, [row for row in rows if (row.seq, row.hash) != (row.marked_seq, row.marked_hash)], number
        )
    if altered or (newest is not None and before.root() != newest.root):
        vanished = list(await connection.scalars(_VANISHED))
        if not even_if_altered:
            raise TrailAlteredError(number - 1, sorted({*altered, *vanished}))
        await _mark(connection, [_End(stream, 0, b"") for stream in vanished], number)
    await _list_key(connection, ring, at=at)
    made = signed(
        Checkpoint(
            number=number,
            at=at,
            streams=now.leaves,
            events=events,
            root=now.root(),
            previous=FIRST_PREVIOUS if newest is None else newest.hash,
            key_id=ring.active.key_id,
        ),
        ring,
    )
    await connection.execute(insert(AuditCheckpoint).values({c.key: getattr(made, c.key) for c in _CHECKPOINT}))
    return made


def _continues(row: Row[*tuple[Any, ...]]) -> bool:
    """Whether a stream ends where the last checkpoint saw its end, or further on."""
    return row.seq > row.marked_seq or row.hash == row.marked_hash


async def _mark(connection: AsyncConnection, ends: Iterable[Row[*tuple[Any, ...]] | _End], number: int) -> None:
    marks = [{"stream": end.stream, "checkpoint": number, "seq": end.seq, "hash": end.hash} for end in ends]
    if marks:
        await connection.execute(insert(AuditMark), marks)


async def _list_key(connection: AsyncConnection, ring: SigningRing, *, at: datetime) -> None:
    """Add the active key to the list when it signs for the first time, vouched for by a listed one that is held."""
    listed = {item.key.key_id: item.key for item in await listed_keys(connection)}
    if ring.active.key_id in listed:
        if listed[ring.active.key_id] != ring.active:
            raise KeyRingError(
                f"another key has signed under the id {ring.active.key_id!r}: give the new one another id"
            )
        return
    endorsed_by, endorsement = endorse(ring, reversed(listed.values())) or (None, None)
    await connection.execute(
        insert(AuditKey).values(
            key_id=ring.active.key_id,
            public_key=ring.active.raw,
            first_used_at=at,
            endorsed_by=endorsed_by,
            endorsement=endorsement,
        ),
    )
