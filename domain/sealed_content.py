"""The content of a file at rest: sealed in chunks, so that a part of it is read without the rest.

Each file has a key of its own, which the ring seals into the header; the ring's keys so never seal more than a few
bytes of a file. The chunks follow as in STREAM (Hoang et al., 2015, as age and Tink use it): AES-256-GCM, the nonce
is the number of the chunk and whether it is the last. A chunk that is altered, moved, or missing at the end does not
open, and a header opens for the content alone whose SHA-256 it was made for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.keyring import KEY_BYTES, NONCE_BYTES, TAG_BYTES, KeyRing, SealError

CHUNK: Final = 64 * 1024
"""Bytes of content in each chunk but the last."""
SEALED_CHUNK: Final = CHUNK + TAG_BYTES
MOST_HEADER: Final = 256
"""A header is never longer, whatever the key's id: the first read of a file takes so much."""

_MAGIC: Final = b"KWL1"
_LENGTH_BYTES: Final = 2
_PREFIX: Final = len(_MAGIC) + _LENGTH_BYTES


class Header(NamedTuple):
    """The key of a file, and where its first chunk begins."""

    key: bytes
    length: int


class Span(NamedTuple):
    """A run of chunks, `first` to `last`, and the bytes that hold them in the sealed file, `start` to `stop`."""

    first: int
    last: int
    start: int
    stop: int


def seal_content(content: bytes, *, digest: str, ring: KeyRing) -> bytes:
    """The whole sealed file; `digest` is the SHA-256 of the content in hex. The content is not empty."""
    key = os.urandom(KEY_BYTES)
    cipher, last = AESGCM(key), _last_chunk(len(content))
    sealed = [_header(key, digest=digest, ring=ring)]
    for number in range(last + 1):
        chunk = content[number * CHUNK : (number + 1) * CHUNK]
        sealed.append(cipher.encrypt(_nonce(number, last=last), chunk, None))
    return b"".join(sealed)


def open_header(beginning: bytes, *, digest: str, ring: KeyRing) -> Header:
    """The header of a file from its first `MOST_HEADER` bytes. Raises SealError, and UnknownKeyError."""
    envelope = sealed_key(beginning)
    return Header(ring.open(envelope, context=_context(digest)), _PREFIX + len(envelope))


def sealed_key(beginning: bytes) -> bytes:
    """The envelope of the file's key, from its first `MOST_HEADER` bytes. Raises SealError where there is none."""
    length = int.from_bytes(beginning[len(_MAGIC) : _PREFIX])
    envelope = beginning[_PREFIX : _PREFIX + length]
    if not beginning.startswith(_MAGIC) or len(envelope) < length:
        raise SealError("not the content of a file as it is kept")
    return envelope


def with_key_resealed(sealed: bytes, *, digest: str, ring: KeyRing) -> bytes:
    """The same file under the ring's active key: only its header changes. Raises SealError."""
    header = open_header(sealed[:MOST_HEADER], digest=digest, ring=ring)
    return _header(header.key, digest=digest, ring=ring) + sealed[header.length :]


def span_of(start: int, stop: int, *, size: int, header: Header) -> Span:
    """The chunks that hold the bytes `start` to `stop` of a content of `size` bytes."""
    first, last = start // CHUNK, (stop - 1) // CHUNK
    end = min((last + 1) * SEALED_CHUNK, size + (_last_chunk(size) + 1) * TAG_BYTES)
    return Span(first, last, header.length + first * SEALED_CHUNK, header.length + end)


def open_span(sealed: bytes, span: Span, *, size: int, header: Header) -> Iterator[bytes]:
    """The content of each chunk of the span. Raises SealError for one that is not as it was sealed."""
    cipher, last = AESGCM(header.key), _last_chunk(size)
    for place, number in enumerate(range(span.first, span.last + 1)):
        chunk = sealed[place * SEALED_CHUNK : (place + 1) * SEALED_CHUNK]
        try:
            yield cipher.decrypt(_nonce(number, last=last), chunk, None)
        except InvalidTag:
            raise SealError(f"chunk {number} of the content was altered, moved or cut") from None


def _header(key: bytes, *, digest: str, ring: KeyRing) -> bytes:
    envelope = ring.seal(key, context=_context(digest))
    return _MAGIC + len(envelope).to_bytes(_LENGTH_BYTES) + envelope


def _context(digest: str) -> str:
    return f"evidence.content:{digest}"


def _last_chunk(size: int) -> int:
    if size <= 0:
        raise ValueError("an empty content is not kept")
    return (size - 1) // CHUNK


def _nonce(number: int, *, last: int) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1) + bytes((number == last,))
