"""Checkpoints of the audit trail: what was the end of every stream at one moment, in one signed statement.

A checkpoint holds the root of a Merkle tree over all heads, in the bytewise order of the streams' names, and the
hash of the checkpoint before it. Whoever keeps one outside can later tell whether anything that it covers was changed,
cut or removed, whatever rights in the database somebody had: without the private key no other one can be made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from domain.audit import Head
from domain.canonical import canonical_json, canonical_time
from domain.signing import PublicKey, SigningRing

FORMAT: Final = "kawal.audit.checkpoint.v1"
FIRST_PREVIOUS: Final = hashlib.sha256(b"kawal.audit.checkpoint.first.v1\0").digest()
"""What the first checkpoint continues."""

_NAMED: Final = 10
_STATEMENT: Final = b"kawal.audit.checkpoint.v1\0"
_ENDORSEMENT: Final = b"kawal.audit.key.v1\0"


class TrailAlteredError(Exception):
    """The trail is not what the last checkpoint signed, so that no further one is made of it by itself."""

    def __init__(self, number: int, streams: Sequence[str]) -> None:
        shown = ", ".join(streams[:_NAMED]) + (f" and {len(streams) - _NAMED} more" if len(streams) > _NAMED else "")
        super().__init__(f"the trail is not what checkpoint {number} signed: {shown or 'its own marks were altered'}")
        self.streams = tuple(streams)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One signed statement about all streams.

    `number` counts from 1; `streams` and `events` are how many the root covers; `previous` is the hash of the
    checkpoint before. What is hashed and signed is everything but the signature.
    """

    number: int
    at: datetime
    streams: int
    events: int
    root: bytes
    previous: bytes
    key_id: str
    signature: bytes = b""

    @property
    def statement(self) -> bytes:
        """The bytes that are signed: a fixed prefix, so that no other signature of the key fits, and canonical JSON."""
        return _STATEMENT + canonical_json(
            {
                "at": canonical_time(self.at),
                "events": self.events,
                "format": FORMAT,
                "key_id": self.key_id,
                "number": self.number,
                "previous": self.previous.hex(),
                "root": self.root.hex(),
                "streams": self.streams,
            },
        )

    @property
    def hash(self) -> bytes:
        """What the next checkpoint continues."""
        return hashlib.sha256(self.statement).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsedKey:
    """A public key that signs checkpoints; every one but the first is vouched for by one that was known before."""

    key: PublicKey
    first_used_at: datetime
    endorsed_by: str | None = None
    endorsement: bytes | None = None


def signed(checkpoint: Checkpoint, ring: SigningRing) -> Checkpoint:
    """The checkpoint with the signature of the key that it names."""
    return replace(checkpoint, signature=ring.sign(checkpoint.statement, key_id=checkpoint.key_id))


def leaf(stream: str, head: Head) -> bytes:
    """What the tree holds for one stream."""
    fields: dict[str, JsonValue] = {"hash": head.hash.hex(), "seq": head.seq, "stream": stream}
    return canonical_json(fields)


def endorsement_of(key: PublicKey) -> bytes:
    """What an older key signs to vouch for a newer one."""
    return _ENDORSEMENT + canonical_json({"key_id": key.key_id, "public_key": key.raw.hex()})


def endorse(ring: SigningRing, known: Iterable[PublicKey]) -> tuple[str, bytes] | None:
    """A signature of a key already `known` under the ring's active one, and whose it is; None if none can give it."""
    for key in known:
        if key in ring.public_keys and key != ring.active:
            return key.key_id, ring.sign(endorsement_of(ring.active), key_id=key.key_id)
    return None


def trusted_keys(pinned: Iterable[PublicKey], listed: Sequence[EndorsedKey]) -> Mapping[str, PublicKey]:
    """The pinned keys, and of those listed each one that a trusted key vouches for. A pinned name wins."""
    trusted = {key.key_id: key for key in pinned}
    pending = [item for item in listed if item.key.key_id not in trusted]
    while vouched := [item for item in pending if _is_endorsed(item, trusted)]:
        trusted |= {item.key.key_id: item.key for item in vouched}
        pending = [item for item in pending if item.key.key_id not in trusted]
    return trusted


def _is_endorsed(item: EndorsedKey, trusted: Mapping[str, PublicKey]) -> bool:
    voucher = trusted.get(item.endorsed_by or "")
    return voucher is not None and voucher.fits(item.endorsement or b"", endorsement_of(item.key))
