"""What is kept of evidence, sealed: whole files by the SHA-256 of their content, and the parts of uploads."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.keyring import KeyRing, key_id_of
from domain.sealed_content import (
    MOST_HEADER,
    Header,
    open_header,
    open_span,
    seal_content,
    sealed_key,
    span_of,
    with_key_resealed,
)
from domain.uploads import Part, part_context
from runtime.evidence.objects import MissingObjectError, ObjectInfo, Objects

CONTENT: Final = "sha256"
PARTS: Final = "uploads"
SETTLED: Final = timedelta(days=1)
"""What is younger in the store may belong to a transaction that has not committed yet, or to an upload under way."""

_AT_ONCE: Final = 16 * 64 * 1024
"""Bytes of content that are fetched, opened and handed out together."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is there and opens; `read` gives its content."""

    objects: Objects
    digest: str
    size: int
    header: Header

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The content from `start` to before `stop`, piece by piece. Raises SealError where it was altered."""
        for begin in range(start, stop, _AT_ONCE):
            end = min(begin + _AT_ONCE, stop)
            span = span_of(begin, end, size=self.size, header=self.header)
            sealed = await self.objects.get_range(content_name(self.digest), span.start, span.stop)
            piece = b"".join(open_span(sealed, span, size=self.size, header=self.header))
            skipped = begin % (64 * 1024)
            yield piece[skipped : skipped + end - begin]


@dataclass(frozen=True, slots=True)
class Archive:
    """The store behind the ring that seals what goes into it. Raises EvidenceUnavailable while it does not answer."""

    objects: Objects
    ring: KeyRing

    async def keep(self, content: bytes) -> str:
        """Keep a content and answer its SHA-256 in hex; one that is there already is not written again."""
        digest = hashlib.sha256(content).hexdigest()
        if not await self.holds(digest):
            await self.objects.put(content_name(digest), seal_content(content, digest=digest, ring=self.ring))
        return digest

    async def open(self, digest: str, *, size: int) -> OpenFile:
        """A kept content. Raises MissingObjectError when it is not there, SealError when it is another."""
        beginning = await self.objects.get_range(content_name(digest), 0, MOST_HEADER)
        return OpenFile(self.objects, digest, size, open_header(beginning, digest=digest, ring=self.ring))

    async def holds(self, digest: str) -> bool:
        """Whether a content is there."""
        return await self.objects.exists(content_name(digest))

    async def erase(self, digest: str) -> None:
        """Remove a content; that it was not there is no fault."""
        await self.objects.delete(content_name(digest))

    async def put_part(self, upload_id: UUID, part: Part, content: bytes) -> None:
        """Put a part of an upload away."""
        sealed = self.ring.seal(content, context=part_context(upload_id, part.name))
        await self.objects.put(part_name(upload_id, part), sealed)

    async def get_part(self, upload_id: UUID, part: Part) -> bytes:
        """A part that was put away. Raises MissingObjectError or SealError."""
        sealed = await self.objects.get(part_name(upload_id, part))
        return self.ring.open(sealed, context=part_context(upload_id, part.name))

    async def drop_part(self, upload_id: UUID, part: Part) -> None:
        """Remove a part; that it was not there is no fault."""
        await self.objects.delete(part_name(upload_id, part))

    async def keys_in_use(self) -> dict[str, int]:
        """Under which keys of the ring how many names of the store are."""
        used: Counter[str] = Counter()
        async for held in self._everything():
            with suppress(MissingObjectError):  # removed meanwhile
                used[_key_id(held, await self.objects.get_range(held.name, 0, MOST_HEADER))] += 1
        return dict(used)

    async def reseal(self) -> AsyncIterator[None]:
        """Put everything under the active key; one turn for each name that was under another. Raises SealError.

        Only the few bytes in front of a file change, which hold the key of its own.
        """
        async for held in self._everything():
            with suppress(MissingObjectError):
                if _key_id(held, await self.objects.get_range(held.name, 0, MOST_HEADER)) != self.ring.active_key_id:
                    await self.objects.put(held.name, self._anew(held, await self.objects.get(held.name)))
                    yield

    def _anew(self, held: ObjectInfo, sealed: bytes) -> bytes:
        last = held.name.rpartition("/")[2]
        if held.name.startswith(f"{CONTENT}/"):
            return with_key_resealed(sealed, digest=last, ring=self.ring)
        context = part_context(UUID(held.name.split("/")[1]), last)
        return self.ring.seal(self.ring.open(sealed, context=context), context=context)

    async def _everything(self) -> AsyncIterator[ObjectInfo]:
        """Contents and parts, without what a crash left beside them."""
        async for held in self.objects.walk(CONTENT):
            if digest_of(held) is not None:
                yield held
        async for held in self.objects.walk(PARTS):
            if not held.name.rpartition("/")[2].startswith("."):
                yield held

    async def close(self) -> None:
        """Let go of the store."""
        await self.objects.close()


def _key_id(held: ObjectInfo, beginning: bytes) -> str:
    return key_id_of(sealed_key(beginning) if held.name.startswith(f"{CONTENT}/") else beginning)


def content_name(digest: str) -> str:
    """The name of a content in the store; the first two digits are a folder, so that none grows too large."""
    return f"{CONTENT}/{digest[:2]}/{digest}"


def digest_of(held: ObjectInfo) -> bytes | None:
    """The digest that a content is named by; None for what a crash left beside it, and whatever else is no content."""
    last = held.name.rpartition("/")[2]
    try:
        digest = bytes.fromhex(last)
    except ValueError:
        return None
    named = len(digest) == hashlib.sha256().digest_size and held.name == content_name(digest.hex())
    return digest if named else None


def is_settled(held: ObjectInfo, *, at: datetime) -> bool:
    """Whether whoever wrote it has said by now what it belongs to."""
    return held.written_at < at - SETTLED


def part_name(upload_id: UUID, part: Part) -> str:
    """The name of a part in the store."""
    return f"{PARTS}/{upload_id}/{part.name}"
