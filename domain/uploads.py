"""Uploads that are resumed: what has arrived, part by part, and where the next byte belongs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.evidence import ContentFault, Coordinates, EvidenceType
from domain.household import VillageCode

PART: Final = 256 * 1024
"""So many bytes are put away at once: what a dead process loses at most, and what one transfer keeps in memory."""
SMALL_PART: Final = 64 * 1024
"""A last part below this is put away anew together with what follows, so that many small pieces stay few parts."""


class UploadInput(BaseModel):
    """What a file is going to be: the village, the kind of paper, its bytes, and where the device says that it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    area_code: VillageCode
    type: EvidenceType
    length: Annotated[int, Field(ge=1, le=2**31 - 1)]
    coordinates: Coordinates | None = None


class Part(NamedTuple):
    """A piece that has been put away: its name in the store, the place of its first byte, and its bytes."""

    name: str
    start: int
    length: int

    @property
    def stop(self) -> int:
        """The place after its last byte."""
        return self.start + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload as its row holds it. Its id becomes the id of the evidence."""

    id: UUID
    area_code: str
    type: EvidenceType
    uploaded_by: UUID
    length: int
    parts: tuple[Part, ...]
    expires_at: datetime
    finished_at: datetime | None
    fault: ContentFault | None
    details: bytes | None

    @property
    def received(self) -> int:
        """How many bytes have arrived: the offset at which the next ones belong."""
        if self.finished_at is not None:
            return self.length
        return self.parts[-1].stop if self.parts else 0

    @property
    def complete(self) -> bool:
        """Whether every byte has arrived."""
        return self.received == self.length


def next_part(start: int, length: int) -> Part:
    """A part at `start` under a name of its own: two processes that write the same place never overwrite each other."""
    return Part(f"{start:010d}-{secrets.token_hex(8)}", start, length)


def device_context(upload_id: UUID) -> str:
    """Where the sealed coordinates that the device sent belong."""
    return f"evidence_uploads.details:{upload_id}"


def part_context(upload_id: UUID, name: str) -> str:
    """Where the sealed content of a part belongs."""
    return f"evidence_uploads.part:{upload_id}:{name}"
