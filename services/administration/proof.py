"""Taking the audit trail out of the database so that it can be checked without it, and checking it inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import TextIO

from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories import trail
from db.repositories.checkpoints import add_checkpoint, all_checkpoints, heads_at, listed_keys
from db.repositories.trail import Entry
from domain.audit import AuditType
from domain.audit_export import CHECKPOINT_FORMAT, EXPORT_FORMAT, Counts, Covered, Header, Record, Trail, write
from domain.audit_proof import Kept, Proof, Verdict
from domain.checkpoints import Checkpoint, EndorsedKey
from domain.signing import PublicKey, SigningRing
from services.administration.audit import cases_without_trail

STREAM = "audit"
"""The stream of what was done with the trail itself."""


async def records(connection: AsyncConnection) -> AsyncIterator[Record]:
    """All that proves the trail, in the order of an export. The connection has to be one of a snapshot."""
    for key in await listed_keys(connection):
        yield key
    async for made in all_checkpoints(connection):
        yield made
    async for stream in trail.read_trails(connection):
        yield stream


async def prove(
    connection: AsyncConnection,
    *,
    pinned: Iterable[PublicKey] | None = None,
    kept: Kept | None = None,
) -> Verdict:
    """What the trail in the database proves; cases without any trail are flaws. Inside a snapshot, as `records`."""
    proof = Proof(pinned=pinned, kept=kept)
    async for record in records(connection):
        proof.take(record)
    for flaw in await cases_without_trail(connection):
        proof.add(flaw)
    return proof.verdict()


async def public_keys(connection: AsyncConnection) -> list[EndorsedKey]:
    """Every public key that has signed a checkpoint, the first one first."""
    return await listed_keys(connection)


async def note_export(connection: AsyncConnection, *, at: datetime) -> None:
    """Record that the whole trail is taken out, before it is."""
    await trail.record(connection, STREAM, [Entry(type=AuditType.AUDIT_EXPORTED)], at=at, area_code=None)


async def write_export(connection: AsyncConnection, to: TextIO, *, at: datetime) -> Counts:
    """Write the whole trail as NDJSON, one stream in memory at a time; answers what was written."""
    to.writelines(write(Header(EXPORT_FORMAT, at)))
    streams = events = 0
    async for record in records(connection):
        if isinstance(record, Trail):
            streams += 1
            events += len(record.events)
        to.writelines(write(record))
    written = Counts(streams, events)
    to.writelines(write(written))
    return written


async def sign_now(
    connection: AsyncConnection,
    ring: SigningRing,
    *,
    at: datetime,
    despite: str | None = None,
) -> Checkpoint:
    """Make a checkpoint now. Raises TrailAlteredError, unless `despite` says why to go on from an altered trail."""
    if despite is not None:
        accepted = Entry(type=AuditType.AUDIT_ALTERATION_ACCEPTED, data={"reason": despite})
        await trail.record(connection, STREAM, [accepted], at=at, area_code=None)
    return await add_checkpoint(connection, ring, at=at, even_if_altered=despite is not None)


async def write_checkpoint(connection: AsyncConnection, made: Checkpoint, to: TextIO, *, ends: bool) -> None:
    """Write a checkpoint to be kept outside, with the public keys, and with the ends of all streams if wanted."""
    to.writelines(write(Header(CHECKPOINT_FORMAT, made.at)))
    for key in await listed_keys(connection):
        to.writelines(write(key))
    to.writelines(write(made))
    if ends:
        async for stream, head in heads_at(connection, made.number):
            to.writelines(write(Covered(stream, head)))
