"""Verifying an export needs memory for one stream, however many there are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

from domain.audit import AuditEvent, Head, StoredEvent, append, genesis
from domain.audit_export import EXPORT_FORMAT, Counts, Header, Mark, Record, Trail, read, write
from domain.audit_proof import MOST_NAMED, Proof, Verdict
from domain.checkpoints import FIRST_PREVIOUS, Checkpoint, EndorsedKey, leaf, signed
from domain.keyring import generate
from domain.merkle import MerkleTree
from domain.signing import SigningRing

NOW = datetime(2026, 3, 2, 1, 15, tzinfo=UTC)
RING = SigningRing.parse(generate(), setting="test")
EVENTS = 5


def a_trail(number: int) -> Trail:
    """A stream of five events, of which the last came after the checkpoint."""
    stream = f"update:{number:08}"
    heads, events = [Head(0, genesis(stream))], list[StoredEvent]()
    for seq in range(1, EVENTS + 1):
        events.append(append(heads[-1], AuditEvent(stream=stream, seq=seq, at=NOW, type="task.claimed")))
        heads.append(Head(seq, events[-1].hash))
    return Trail(stream=stream, head=heads[-1], marks=[Mark(1, heads[-2])], events=events)


def records(streams: int) -> Iterator[Record]:
    tree = MerkleTree()
    for number in range(streams):
        made = a_trail(number)
        tree.add(leaf(made.stream, made.marks[0].head))
    yield Header(EXPORT_FORMAT, NOW)
    yield EndorsedKey(key=RING.active, first_used_at=NOW)
    yield signed(
        Checkpoint(
            number=1,
            at=NOW,
            streams=streams,
            events=streams * (EVENTS - 1),
            root=tree.root(),
            previous=FIRST_PREVIOUS,
            key_id=RING.active.key_id,
        ),
        RING,
    )
    for number in range(streams):
        yield a_trail(number)
    yield Counts(streams, streams * EVENTS)


def verdict_on(streams: int) -> tuple[Verdict, int]:
    """What is found in that many streams, and the most memory that it took."""
    tracemalloc.start()
    proof = Proof(pinned=[RING.active])
    for record in read(line for item in records(streams) for line in write(item)):
        proof.take(record)
    verdict = proof.verdict()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return verdict, peak


def test_memory_does_not_grow_with_the_trail() -> None:
    few, little = verdict_on(MOST_NAMED)
    many, most = verdict_on(MOST_NAMED * 20)
    assert (few.flaws, many.flaws, many.unproven, len(many.unproven_in)) == ([], [], MOST_NAMED * 20, MOST_NAMED)
    assert most < little + 50_000
