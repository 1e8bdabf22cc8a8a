"""The papers and pictures that stand behind an update: as files that Kawal keeps, or by the number of a paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.errors import Violation
from domain.text import Note, ShortText


class EvidenceType(StrEnum):
    """What kind of paper or picture it is."""

    KTP = "ktp"
    KK = "kk"
    HOUSE_PHOTO = "house_photo"
    BIRTH_CERTIFICATE = "birth_certificate"
    BIRTH_STATEMENT = "birth_statement"
    DEATH_CERTIFICATE = "death_certificate"
    DEATH_STATEMENT = "death_statement"
    MARRIAGE_CERTIFICATE = "marriage_certificate"
    RELOCATION_LETTER = "relocation_letter"
    COURT_ORDER = "court_order"
    CORRECTION_LETTER = "correction_letter"
    MUSDES_MINUTES = "musdes_minutes"
    SPTJM = "sptjm"
    WITHDRAWAL_STATEMENT = "withdrawal_statement"
    GRADUATION_STATEMENT = "graduation_statement"
    HEALTH_LETTER = "health_letter"


class MediaType(StrEnum):
    """What a file is by its content, and as which it is handed out."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    PDF = "application/pdf"

    @property
    def suffix(self) -> str:
        """The ending of a file's name."""
        return {"image/jpeg": "jpg"}.get(self.value, self.value.partition("/")[2])


class ContentFault(StrEnum):
    """Why the content of a file is refused."""

    UNKNOWN_TYPE = "unknown_type"
    BROKEN = "broken"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    ENCRYPTED = "encrypted"
    ACTIVE_CONTENT = "active_content"
    MALWARE = "malware"
    TOO_DEMANDING = "too_demanding"


class FaultText(NamedTuple):
    """What is wrong with a content, and what its sender can do."""

    detail: str
    remedy: str


FAULT_TEXTS: Final[Mapping[ContentFault, FaultText]] = {
    ContentFault.UNKNOWN_TYPE: FaultText(
        "The file is not a JPEG, PNG or WebP picture and not a PDF, whatever its name says.",
        "Take the picture as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible), or send a PDF.",
    ),
    ContentFault.BROKEN: FaultText(
        "The file is damaged and cannot be read to its end.",
        "Open it on your device; if that works, send it again, else take it anew.",
    ),
    ContentFault.TOO_MANY_PIXELS: FaultText(
        "The picture has more than fifty million pixels.",
        "Take it with a smaller resolution.",
    ),
    ContentFault.TOO_MANY_PAGES: FaultText(
        "The PDF has more than fifty pages.",
        "Send the pages alone that matter, or several files.",
    ),
    ContentFault.ENCRYPTED: FaultText(
        "The PDF is protected by a password or by restrictions.",
        "Save it without protection, or photograph the paper.",
    ),
    ContentFault.ACTIVE_CONTENT: FaultText(
        "The PDF holds scripts, attached files, forms or players, which a paper does not need.",
        "Print it to PDF, or photograph the paper.",
    ),
    ContentFault.MALWARE: FaultText(
        "The virus scanner recognises harmful software in the file.",
        "Do not open it. Have the device examined on which it was made, and photograph the paper.",
    ),
    ContentFault.TOO_DEMANDING: FaultText(
        "The file takes more time or memory to read than a paper or a picture may.",
        "Take the picture anew, or print the document to PDF.",
    ),
}


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


BLURRED_M: Final = 800.0
"""How far a place may lie from its hundredths of a degree: half the diagonal of such a square at the equator."""


class Coordinates(_Fact):
    """A place on the earth (WGS 84, degrees), as the picture or the device that took it says."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    source: Literal["photo", "device"]

    def blurred(self) -> Coordinates:
        """The hamlet and not the house: to a hundredth of a degree, with an accuracy that says so."""
        accuracy = max(self.accuracy_m or 0, BLURRED_M)
        rounded = {"latitude": round(self.latitude, 2), "longitude": round(self.longitude, 2), "accuracy_m": accuracy}
        return self.model_copy(update=rounded)


class Capture(_Fact):
    """Where and when a picture was taken; sealed in its row, and in no file that is kept."""

    coordinates: Coordinates | None = None
    taken_at: AwareDatetime | None = None

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return self.coordinates is not None or self.taken_at is not None


def _absent(value: object) -> bool:
    return value is None


def _given(field: str) -> dict[str, Any]:
    return {"required": [field], "properties": {field: {"type": "string"}}}


class EvidenceRef(
    BaseModel,
    frozen=True,
    extra="forbid",
    hide_input_in_errors=True,
    json_schema_extra={"anyOf": [_given("reference"), _given("evidence_id")]},
):
    """One piece of evidence: an uploaded file by its id, a paper that the village keeps by its number, or both."""

    type: EvidenceType
    reference: ShortText | None = Field(default=None, description="Number of a paper that the village keeps")
    note: Note | None = None
    # Left out where there is none, so that a request of before there were files still reads the same under its key.
    evidence_id: UUID | None = Field(default=None, exclude_if=_absent, description="Id of an uploaded file")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.reference is None and self.evidence_id is None:
            raise ValueError("Either `evidence_id`, of an uploaded file, or `reference`, of a paper, is needed")
        return self


class HeldEvidence(NamedTuple):
    """An uploaded file as it is judged by when a case names it; `update_id` is the case that has it already."""

    id: UUID
    area_code: str
    type: EvidenceType
    uploaded_by: UUID
    update_id: UUID | None
    erased_at: datetime | None


class Naming(NamedTuple):
    """Who names evidence in which area, for which case (None for one that is only being submitted).

    Who carries on an earlier case, by an appeal or having it reopened, may name again what stands behind it.
    """

    user_id: UUID
    area_code: str
    update_id: UUID | None
    earlier: frozenset[UUID] = frozenset()


def evidence_ids(named: Iterable[EvidenceRef]) -> list[UUID]:
    """The ids of the files among the evidence, each once, in their order."""
    return list(dict.fromkeys(paper.evidence_id for paper in named if paper.evidence_id is not None))


def check_named(
    named: Sequence[EvidenceRef],
    held: Mapping[UUID, HeldEvidence],
    naming: Naming,
    *,
    unfinished: frozenset[UUID] = frozenset(),
) -> list[Violation]:
    """Everything that keeps the named files from standing behind this case; `unfinished` are uploads still under way.

    A file is named by whoever uploaded it, in its own area, as what it is, and stands behind one case. Whoever
    repairs a case names the files again that it has. A file that is not the submitter's is as unknown as none.
    """
    times = Counter(paper.evidence_id for paper in named)
    found: list[Violation] = []
    for place, paper in enumerate(named):
        if paper.evidence_id is None:
            continue
        pointer = f"/evidence/{place}/evidence_id"
        if times[paper.evidence_id] > 1:
            found.append(_named_twice(pointer))
        elif paper.evidence_id in unfinished:
            found.append(_unfinished(pointer))
        else:
            found += _check_one(paper, held.get(paper.evidence_id), naming, pointer=pointer)
    return found


def _check_one(paper: EvidenceRef, held: HeldEvidence | None, naming: Naming, *, pointer: str) -> list[Violation]:
    if held is None or held.erased_at is not None or held.area_code != naming.area_code:
        return [_unknown(pointer)]
    already_here = held.update_id is not None and held.update_id in naming.earlier | {naming.update_id}
    if not already_here and held.uploaded_by != naming.user_id:
        return [_unknown(pointer)]
    if held.update_id is not None and not already_here:
        return [_in_other_case(pointer)]
    if held.type is not paper.type:
        return [_other_type(pointer, held.type)]
    return []


def _unknown(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="evidence_unknown",
        detail="You have uploaded no such file for this village, or it has been erased since.",
        remedy="Upload the file, and name the id that the upload answered with.",
    )


def _unfinished(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="evidence_unfinished",
        detail="The upload of this file is not finished, or its content was refused.",
        remedy="Ask GET /v1/evidence/uploads/{id}, and send what is missing first.",
    )


def _named_twice(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="evidence_named_twice",
        detail="The same file is named twice.",
        remedy="Name each file once.",
    )


def _in_other_case(pointer: str) -> Violation:
    return Violation(
        pointer=pointer,
        code="evidence_in_other_case",
        detail="This file stands behind another update already.",
        remedy="Upload the file again for this update; the same content is kept once.",
    )


def _other_type(pointer: str, held: EvidenceType) -> Violation:
    return Violation(
        pointer=pointer,
        code="evidence_of_other_type",
        detail=f"This file was uploaded as {held.value}.",
        remedy="Name it as what it was uploaded as, or upload it as what it is.",
    )


def capture_context(evidence_id: UUID) -> str:
    """Where the sealed place and time of a picture belong."""
    return f"evidence.capture:{evidence_id}"
