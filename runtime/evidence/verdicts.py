"""What the examiner's process says of a file: one line of JSON, and behind it the file as it is to be kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.evidence import ContentFault, Coordinates, MediaType


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Facts(_Said):
    """What was found out about a file that can be kept.

    `taken_at` is ISO 8601, without an offset where the picture has none. `content` and `thumbnail` are bytes that
    follow the line; no thumbnail is 0.
    """

    verdict: Literal["kept"] = "kept"
    media_type: MediaType
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    signed: bool = False
    coordinates: Coordinates | None = None
    taken_at: str | None = None
    content: int
    thumbnail: int


class Refusal(_Said):
    """Why a file cannot be kept."""

    verdict: Literal["refused"] = "refused"
    fault: ContentFault


Verdict = Annotated[Facts | Refusal, Field(discriminator="verdict")]
VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)


class Refused(Exception):
    """Raised while a file is looked at: it cannot be kept."""

    def __init__(self, fault: ContentFault) -> None:
        super().__init__(fault.value)
        self.fault = fault
