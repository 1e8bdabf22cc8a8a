"""Reading a stream of the audit trail back: every place where it was changed, cut, reordered or padded.

What a chain alone cannot show is a stream that somebody with every right wrote anew from its first event on,
recorded head included; signed checkpoints over all heads answer that, in `domain.audit_proof`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.audit import AuditEvent, Head, StoredEvent, genesis, link


class FlawKind(StrEnum):
    """What is wrong with a trail at one place."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    UNLINKED = "unlinked"
    UNRECORDED = "unrecorded"
    REWRITTEN = "rewritten"
    CUT = "cut"
    VANISHED = "vanished"
    UNSIGNED = "unsigned"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place where a trail is broken: the stream, the seq there, what kind of flaw, and a sentence."""

    stream: str
    seq: int
    kind: FlawKind
    detail: str


def verify_stream(stream: str, events: Iterable[StoredEvent], *, head: Head | None) -> list[Flaw]:
    """Every flaw of a stream, in the order of seq; an empty list means that it is whole.

    `events` are all rows of the stream in the order in which they are kept. `head` is the end recorded beside
    the stream; with None the end is not checked (an export). Cost: one hash per event.
    """
    rows = list(events)
    flaws = _flaws_of_rows(stream, rows)
    flaws += _flaws_of_reading_order(stream, rows)
    in_place = list({row.event.seq: row for row in reversed(rows)}.values())
    in_place.sort(key=lambda row: row.event.seq)
    displaced = {flaw.seq for flaw in flaws if flaw.kind in {FlawKind.CHANGED, FlawKind.REORDERED}}
    flaws += _flaws_of_links(stream, in_place, displaced=displaced)
    if head is not None:
        flaws += _flaws_of_end(stream, in_place, head=head)
    return sorted(flaws, key=lambda flaw: flaw.seq)


def _flaws_of_rows(stream: str, rows: Sequence[StoredEvent]) -> list[Flaw]:
    """Rows whose content does not give their own hash, and rows that stand there more than once."""
    copies = Counter(row.hash for row in rows)
    places = _recorded_places(stream, rows)
    flaws: list[Flaw] = []
    seen: set[int] = set()
    for row in rows:
        seq = row.event.seq
        if seq in seen:
            flaws.append(Flaw(stream, seq, FlawKind.DUPLICATED, f"event {seq} stands there more than once"))
        elif row.event.stream != stream or not _fits(row.prev_hash, row.event, row.hash):
            flaws.append(_flaw_of_content(stream, row, place=places.get(row.hash), copies=copies[row.hash]))
        seen.add(seq)
    return flaws


def _flaw_of_content(stream: str, row: StoredEvent, *, place: int | None, copies: int) -> Flaw:
    """Tell a row whose content was changed from a whole one that was given another seq."""
    seq = row.event.seq
    moved = place is not None and _fits(row.prev_hash, replace(row.event, seq=place), row.hash)
    if not moved or row.event.stream != stream:
        return Flaw(stream, seq, FlawKind.CHANGED, f"event {seq} is not what was recorded")
    if copies > 1:
        return Flaw(stream, seq, FlawKind.DUPLICATED, f"event {seq} is a copy of event {place}")
    return Flaw(stream, seq, FlawKind.REORDERED, f"event {seq} was recorded as event {place}")


def _recorded_places(stream: str, rows: Iterable[StoredEvent]) -> dict[bytes, int]:
    """Where each hash belongs by the links alone, whatever the rows' seq says; without the unreachable."""
    following = {row.prev_hash: row for row in rows}
    places: dict[bytes, int] = {}
    row = following.pop(genesis(stream), None)
    while row is not None:
        places[row.hash] = len(places) + 1
        row = following.pop(row.hash, None)
    return places


def _flaws_of_reading_order(stream: str, rows: Sequence[StoredEvent]) -> list[Flaw]:
    """Rows that come after one with a higher seq."""
    flaws: list[Flaw] = []
    seen: set[int] = set()
    furthest = 0
    for row in rows:
        seq = row.event.seq
        if seq < furthest and seq not in seen:
            flaws.append(Flaw(stream, seq, FlawKind.REORDERED, f"event {seq} stands after event {furthest}"))
        seen.add(seq)
        furthest = max(furthest, seq)
    return flaws


def _flaws_of_links(stream: str, rows: Iterable[StoredEvent], *, displaced: set[int]) -> list[Flaw]:
    """Gaps in the counting, and events that do not continue the one before them. `rows` ascend by seq."""
    flaws: list[Flaw] = []
    before = Head(0, genesis(stream))
    for row in rows:
        seq = row.event.seq
        if seq > before.seq + 1:
            flaws.append(_missing(stream, first=before.seq + 1, last=seq - 1))
        elif row.prev_hash != before.hash and not displaced & {seq, before.seq}:
            detail = f"event {seq} does not continue event {before.seq}: one of the two was replaced"
            flaws.append(Flaw(stream, seq, FlawKind.UNLINKED, detail))
        before = Head(seq, row.hash)
    return flaws


def _flaws_of_end(stream: str, rows: Sequence[StoredEvent], *, head: Head) -> list[Flaw]:
    """The last row against the recorded head. `rows` ascend by seq."""
    last = Head(rows[-1].event.seq, rows[-1].hash) if rows else Head(0, genesis(stream))
    if last.seq < head.seq:
        return [_missing(stream, first=last.seq + 1, last=head.seq)]
    if last.seq > head.seq:
        detail = f"the recorded end is event {head.seq}, yet there are events up to {last.seq}"
        return [Flaw(stream, head.seq + 1, FlawKind.UNRECORDED, detail)]
    if last.hash != head.hash:
        return [Flaw(stream, last.seq, FlawKind.UNLINKED, f"event {last.seq} is not the recorded end")]
    return []


def _missing(stream: str, *, first: int, last: int) -> Flaw:
    which = f"event {first} is" if first == last else f"events {first} to {last} are"
    return Flaw(stream, first, FlawKind.MISSING, f"{which} missing")


def _fits(prev_hash: bytes, event: AuditEvent, expected: bytes) -> bool:
    """Whether the event gives this hash; one that has no canonical form was not written by us."""
    try:
        return link(prev_hash, event) == expected
    except ValueError:
        return False
