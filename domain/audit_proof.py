"""What the audit trail proves against its signed checkpoints, one of them kept outside if there is one.

Records are taken one by one, as they stand in an export or come out of a database, and are not kept: memory is that of
one stream. A chain shows what was changed within it; a checkpoint shows what was written anew, cut or removed as a
whole. What came after the last checkpoint is whole at best, and not proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain.audit import Head
from domain.audit_export import EXPORT_FORMAT, READABLE_EXPORTS, Counts, Covered, Header, Mark, Record, Trail
from domain.audit_verification import Flaw, FlawKind, verify_stream
from domain.checkpoints import FIRST_PREVIOUS, Checkpoint, EndorsedKey, leaf, trusted_keys
from domain.merkle import MerkleTree
from domain.signing import PublicKey

CHECKPOINTS: Final = "checkpoints"
"""What stands for a stream in a flaw of the checkpoints themselves; the seq is then the checkpoint's number."""
MOST_NAMED: Final = 100


class Unproven(NamedTuple):
    """Events of a stream that came after the last checkpoint."""

    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was read and what is wrong with it.

    `proven_by` is the last checkpoint under a trusted key; `unproven` counts the events after it, of which
    `unproven_in` names the first hundred streams.
    """

    streams: int
    events: int
    flaws: list[Flaw]
    checkpoints: int = 0
    proven_by: int | None = None
    unproven: int = 0
    unproven_in: list[Unproven] = field(default_factory=list[Unproven])


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint that was kept outside; `ends` are those that it covers in their order, None if left out."""

    checkpoint: Checkpoint
    keys: list[EndorsedKey]
    ends: Iterator[Covered] | None = None


class Proof:
    """Takes the records of an export in their order, and answers what they prove.

    `pinned` are the public keys that the operator knows from elsewhere; with None those that are listed are believed.
    """

    def __init__(self, *, pinned: Iterable[PublicKey] | None, kept: Kept | None = None) -> None:
        self._pinned = None if pinned is None else list(pinned)
        self._kept = kept
        self._listed: list[EndorsedKey] = list(kept.keys) if kept else []
        self._trusted: dict[str, PublicKey] = {}
        self._newest: Checkpoint | None = None
        self._proving: Checkpoint | None = None
        self._met_kept = False
        self._roots: dict[int, tuple[Checkpoint, MerkleTree]] = {}
        self._ends = _Ends(kept.ends) if kept and kept.ends else None
        self._header: Header | None = None
        self._counts: Counts | None = None
        self._last_stream = ""
        self._streams = self._events = self._unproven = 0
        self._unproven_in: list[Unproven] = []
        self._flaws: list[Flaw] = []

    def take(self, record: Record) -> None:
        """The next record."""
        match record:
            case Header():
                self._header = record
                if record.format not in READABLE_EXPORTS:
                    self._flaw(FlawKind.CHANGED, 0, f"the file is {record.format}, not {EXPORT_FORMAT}")
            case EndorsedKey():
                self._listed.append(record)
            case Checkpoint():
                self._take_checkpoint(record)
            case Trail():
                self._take_trail(record)
            case Counts():
                self._counts = record
            case Covered():
                self._flaw(FlawKind.CHANGED, 0, "an export holds no ends of streams of their own")

    def add(self, flaw: Flaw) -> None:
        """A flaw that was found beside the records."""
        self._flaws.append(flaw)

    def verdict(self) -> Verdict:
        """What all records prove. Call once, after the last."""
        self._check_roots()
        self._check_kept()
        self._check_trust()
        if self._header and self._counts != Counts(self._streams, self._events):
            self._flaw(FlawKind.MISSING, 0, "the export is cut short, or its last line was changed")
        return Verdict(
            streams=self._streams,
            events=self._events,
            checkpoints=0 if self._newest is None else self._newest.number,
            proven_by=None if self._proving is None else self._proving.number,
            unproven=self._unproven,
            unproven_in=self._unproven_in,
            flaws=self._flaws,
        )

    def _flaw(self, kind: FlawKind, number: int, detail: str) -> None:
        self._flaws.append(Flaw(CHECKPOINTS, number, kind, detail))

    # Checkpoints

    def _trust(self) -> dict[str, PublicKey]:
        if not self._trusted:
            pinned = [item.key for item in self._listed] if self._pinned is None else self._pinned
            self._trusted = dict(trusted_keys(pinned, self._listed))
        return self._trusted

    def _take_checkpoint(self, made: Checkpoint) -> None:
        before = self._newest
        number = made.number
        if number != (before.number if before else 0) + 1:
            self._flaw(FlawKind.MISSING, number, f"checkpoint {number} follows {before.number if before else 'none'}")
        elif made.previous != (before.hash if before else FIRST_PREVIOUS):
            self._flaw(FlawKind.UNLINKED, number, f"checkpoint {number} does not continue the one before it")
        key = self._trust().get(made.key_id)
        if key is not None and key.fits(made.signature, made.statement):
            self._proving = made
        elif key is not None:
            self._flaw(FlawKind.UNSIGNED, number, f"checkpoint {number} was not signed by the key {made.key_id!r}")
        if self._kept and number == self._kept.checkpoint.number:
            self._met_kept = True
            if made.hash != self._kept.checkpoint.hash:
                self._flaw(FlawKind.CONTRADICTED, number, f"checkpoint {number} is another one than was kept outside")
        self._newest = made

    def _begin_roots(self) -> None:
        """Which checkpoints are computed again: the last, the last under a trusted key, the one kept outside."""
        for made in (self._newest, self._proving, self._kept.checkpoint if self._kept else None):
            if made is not None:
                self._roots.setdefault(made.number, (made, MerkleTree()))

    def _check_roots(self) -> None:
        if not self._streams:
            self._begin_roots()
        for number, (made, tree) in sorted(self._roots.items()):
            if (tree.root(), tree.leaves) != (made.root, made.streams):
                detail = (
                    f"the ends of streams do not give the root of checkpoint {number}, "
                    f"which covers {made.streams} streams; here are {tree.leaves}"
                )
                self._flaw(FlawKind.CHANGED, number, detail)

    def _check_kept(self) -> None:
        if self._kept is None:
            return
        made = self._kept.checkpoint
        key = self._trust().get(made.key_id)
        if key is None or not key.fits(made.signature, made.statement):
            detail = f"the checkpoint kept outside, {made.number}, was not signed by a key that is trusted"
            self._flaw(FlawKind.UNSIGNED, made.number, detail)
        if not self._met_kept:
            detail = f"checkpoint {made.number}, which was kept outside, is missing"
            self._flaw(FlawKind.CONTRADICTED, made.number, detail)
        if self._ends is not None:
            for gone in self._ends.rest():
                self._flaws.append(_vanished(gone.stream, gone.head, made.number))
            if (self._ends.tree.root(), self._ends.tree.leaves) != (made.root, made.streams):
                detail = "the ends in the file kept outside do not give its root: the file was changed"
                self._flaw(FlawKind.CHANGED, made.number, detail)

    def _check_trust(self) -> None:
        newest = self._newest
        if newest is not None and newest is not self._proving:
            which = f"checkpoints {self._proving.number + 1 if self._proving else 1} to {newest.number}"
            detail = f"{which} are under the key {newest.key_id!r}, which is neither pinned nor vouched for"
            self._flaw(FlawKind.UNSIGNED, newest.number, detail)

    # Streams

    def _take_trail(self, trail: Trail) -> None:
        if not self._streams:
            self._begin_roots()
        self._streams += 1
        self._events += len(trail.events)
        flaws = verify_stream(trail.stream, trail.events, head=trail.head)
        if trail.head is None and trail.events:
            last = trail.events[-1].event.seq
            flaws.append(
                Flaw(trail.stream, last, FlawKind.UNRECORDED, f"no end is recorded of the events up to {last}")
            )
        if trail.stream.encode() <= self._last_stream.encode() and self._streams > 1:
            flaws.append(Flaw(trail.stream, 1, FlawKind.REORDERED, "the stream stands twice, or out of its order"))
        self._last_stream = trail.stream
        flaws += self._flaws_of_marks(trail)
        self._flaws += dict.fromkeys(flaws)
        for number, (_, tree) in self._roots.items():
            mark = _mark_at(trail.marks, number)
            if mark is not None and mark.head.seq:
                tree.add(leaf(trail.stream, mark.head))
        self._note_unproven(trail)

    def _flaws_of_marks(self, trail: Trail) -> Iterator[Flaw]:
        hashes = {row.event.seq: row.hash for row in reversed(trail.events)}
        last = max(hashes, default=0)
        covered = [(mark.checkpoint, mark.head) for mark in trail.marks if mark.head.seq]
        if self._ends is not None and self._kept is not None:
            number = self._kept.checkpoint.number
            for gone in self._ends.before(trail.stream):
                yield _vanished(gone.stream, gone.head, number)
            if (end := self._ends.of(trail.stream)) is not None:
                covered.append((number, end))
        for number, head in covered:
            if not hashes:
                yield _vanished(trail.stream, head, number)
            elif head.seq > last:
                detail = f"checkpoint {number} covers {head.seq} events, and the last one here is {last}"
                yield Flaw(trail.stream, last + 1, FlawKind.CUT, detail)
            elif hashes.get(head.seq) != head.hash:
                detail = f"up to event {head.seq} it is not what checkpoint {number} covers: it was written anew"
                yield Flaw(trail.stream, head.seq, FlawKind.REWRITTEN, detail)

    def _note_unproven(self, trail: Trail) -> None:
        mark = _mark_at(trail.marks, self._proving.number) if self._proving else None
        proven = mark.head.seq if mark else 0
        later = [row.event.seq for row in trail.events if row.event.seq > proven]
        self._unproven += len(later)
        if later and len(self._unproven_in) < MOST_NAMED:
            self._unproven_in.append(Unproven(trail.stream, min(later), max(later)))


class _Ends:
    """The ends in a checkpoint kept outside, read beside the streams, both in the order of names."""

    def __init__(self, ends: Iterator[Covered]) -> None:
        self.tree = MerkleTree()
        self._ends = ends
        self._next = self._read()

    def before(self, stream: str) -> Iterator[Covered]:
        """Those whose stream should have come before this one."""
        while self._next is not None and self._next.stream.encode() < stream.encode():
            yield self._next
            self._next = self._read()

    def of(self, stream: str) -> Head | None:
        """The end of this stream, if it is covered."""
        if self._next is None or self._next.stream != stream:
            return None
        head = self._next.head
        self._next = self._read()
        return head

    def rest(self) -> Iterator[Covered]:
        """All that is left."""
        while self._next is not None:
            yield self._next
            self._next = self._read()

    def _read(self) -> Covered | None:
        end = next(self._ends, None)
        if end is not None:
            self.tree.add(leaf(end.stream, end.head))
        return end


def _mark_at(marks: list[Mark], number: int) -> Mark | None:
    """The mark that holds at a checkpoint: the last one up to it."""
    return max((mark for mark in marks if mark.checkpoint <= number), default=None)


def _vanished(stream: str, head: Head, number: int) -> Flaw:
    detail = f"checkpoint {number} covers {head.seq} events, and the stream is gone"
    return Flaw(stream, 1, FlawKind.VANISHED, detail)
