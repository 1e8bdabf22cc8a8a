"""The papers that stand behind an update. Kawal keeps the reference, not the paper."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

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


class EvidenceRef(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """One piece of evidence, by the number of the document or the id of the file."""

    type: EvidenceType
    reference: ShortText = Field(description="Document number or file id")
    note: Note | None = None
