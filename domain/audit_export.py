"""The form of an export of the audit trail, and of a checkpoint kept outside: one JSON record a line.

An export is a header, the public keys, the checkpoints, then stream by stream its end, its marks and its events, and a
last line with the counts. A checkpoint kept outside is a header, the public keys, the checkpoint and the ends that it
covers. Streams come in the bytewise order of their names, so that whoever reads needs memory for one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from domain.audit import AuditEvent, Head, StoredEvent
from domain.canonical import canonical_time
from domain.checkpoints import Checkpoint, EndorsedKey
from domain.signing import PublicKey

EXPORT_FORMAT: Final = "kawal.audit.export.v2"
READABLE_EXPORTS: Final = frozenset({"kawal.audit.export.v1", EXPORT_FORMAT})
"""The first had no origins of events; all else is the same."""
CHECKPOINT_FORMAT: Final = "kawal.audit.checkpoint-file.v1"


class Mark(NamedTuple):
    """The end of a stream as a checkpoint covers it, and every later one until the next mark; seq 0: it was gone."""

    checkpoint: int
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """One stream with all that is kept of it. `head` is None where none is recorded."""

    stream: str
    head: Head | None
    marks: list[Mark] = field(default_factory=list[Mark])
    events: list[StoredEvent] = field(default_factory=list[StoredEvent])


class Header(NamedTuple):
    """The first line: which form, and when it was written."""

    format: str
    at: datetime


class Counts(NamedTuple):
    """The last line of an export: how many streams and events stand before it."""

    streams: int
    events: int


class Covered(NamedTuple):
    """One line of a checkpoint kept outside: the end of a stream."""

    stream: str
    head: Head


Record = Header | EndorsedKey | Checkpoint | Trail | Covered | Counts


class DamagedExportError(ValueError):
    """A line is not what an export or a checkpoint holds there."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line


def write(record: Record) -> Iterator[str]:
    """The lines of a record, each with its end."""
    match record:
        case Header():
            yield _line("header", format=record.format, at=canonical_time(record.at))
        case EndorsedKey():
            yield _key_line(record)
        case Checkpoint():
            yield _checkpoint_line(record)
        case Covered():
            yield _line("end", stream=record.stream, seq=record.head.seq, hash=record.head.hash.hex())
        case Trail():
            yield from _trail_lines(record)
        case Counts():
            yield _line("counts", streams=record.streams, events=record.events)


def read(lines: Iterable[str]) -> Iterator[Record]:
    """The records of an export or of a checkpoint, one stream at a time. Raises DamagedExportError."""
    trail: Trail | None = None
    for number, text in enumerate(lines, start=1):
        kind, values = _parsed(number, text)
        if kind == "event":
            if trail is None:
                raise DamagedExportError(number, "an event without its stream")
            trail.events.append(_made(number, _event, {**values, "stream": trail.stream}))
            continue
        if trail is not None:
            yield trail
            trail = None
        if kind == "stream":
            trail = _made(number, _trail, values)
        elif kind in _READERS:
            yield _made(number, _READERS[kind], values)
        else:
            raise DamagedExportError(number, f"there is no record {kind!r}")
    if trail is not None:
        yield trail


def _line(record: str, **values: object) -> str:
    return json.dumps({"record": record, **values}, ensure_ascii=False, separators=(",", ":")) + "\n"


def _key_line(listed: EndorsedKey) -> str:
    return _line(
        "key",
        key=str(listed.key),
        first_used_at=canonical_time(listed.first_used_at),
        endorsed_by=listed.endorsed_by,
        endorsement=None if listed.endorsement is None else listed.endorsement.hex(),
    )


def _checkpoint_line(made: Checkpoint) -> str:
    return _line(
        "checkpoint",
        number=made.number,
        at=canonical_time(made.at),
        streams=made.streams,
        events=made.events,
        root=made.root.hex(),
        previous=made.previous.hex(),
        key_id=made.key_id,
        signature=made.signature.hex(),
    )


def _trail_lines(trail: Trail) -> Iterator[str]:
    head = None if trail.head is None else [trail.head.seq, trail.head.hash.hex()]
    marks = [[mark.checkpoint, mark.head.seq, mark.head.hash.hex()] for mark in trail.marks]
    yield _line("stream", stream=trail.stream, head=head, marks=marks)
    for stored in trail.events:
        event = stored.event
        yield _line(
            "event",
            seq=event.seq,
            at=canonical_time(event.at),
            type=event.type,
            actor_id=_text(event.actor_id),
            actor_role=event.actor_role,
            office_id=_text(event.office_id),
            on_behalf_of=_text(event.on_behalf_of),
            area_code=event.area_code,
            status=event.status,
            data=event.data,
            **({} if event.origin is None else {"origin": event.origin}),
            prev_hash=stored.prev_hash.hex(),
            hash=stored.hash.hex(),
        )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _parsed(number: int, text: str) -> tuple[str, dict[str, Any]]:
    try:
        values: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise DamagedExportError(number, "no JSON, or cut short") from None
    if not isinstance(values, dict):
        raise DamagedExportError(number, "no record")
    fields = cast("dict[str, Any]", values)
    return str(fields.pop("record", None)), fields


def _made(number: int, reader: Any, values: dict[str, Any]) -> Any:
    try:
        return reader(values)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DamagedExportError(number, "a value is missing or of another form") from None


def _header(values: dict[str, Any]) -> Header:
    return Header(values["format"], _moment(values["at"]))


def _key(values: dict[str, Any]) -> EndorsedKey:
    endorsement = values["endorsement"]
    return EndorsedKey(
        key=PublicKey.parse(values["key"]),
        first_used_at=_moment(values["first_used_at"]),
        endorsed_by=values["endorsed_by"],
        endorsement=None if endorsement is None else bytes.fromhex(endorsement),
    )


def _checkpoint(values: dict[str, Any]) -> Checkpoint:
    values |= {name: bytes.fromhex(values[name]) for name in ("root", "previous", "signature")}
    values |= {"at": _moment(values["at"])}
    return Checkpoint(**values)


def _covered(values: dict[str, Any]) -> Covered:
    return Covered(values["stream"], _head(values["seq"], values["hash"]))


def _counts(values: dict[str, Any]) -> Counts:
    return Counts(int(values["streams"]), int(values["events"]))


def _trail(values: dict[str, Any]) -> Trail:
    if not isinstance(values["stream"], str):
        raise TypeError("a stream has a name")
    head = values["head"]
    marks = [Mark(int(checkpoint), _head(seq, digest)) for checkpoint, seq, digest in values["marks"]]
    return Trail(stream=values["stream"], head=None if head is None else _head(*head), marks=marks)


def _event(values: dict[str, Any]) -> StoredEvent:
    prev_hash, own_hash = bytes.fromhex(values.pop("prev_hash")), bytes.fromhex(values.pop("hash"))
    for name in ("actor_id", "office_id", "on_behalf_of"):
        values[name] = None if values[name] is None else UUID(values[name])
    values |= {"at": _moment(values["at"]), "seq": int(values["seq"])}
    event = AuditEvent(**values)
    return StoredEvent(event=event, prev_hash=prev_hash, hash=own_hash)


def _head(seq: object, digest: object) -> Head:
    return Head(int(str(seq)), bytes.fromhex(str(digest)))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment has its zone")
    return moment


_READERS: Final = {"header": _header, "key": _key, "checkpoint": _checkpoint, "end": _covered, "counts": _counts}
