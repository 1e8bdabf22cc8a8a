"""What personal data may be shown in the clear for, on which ground of the law, and by whom they are let out in bulk.

Grounds are those of article 20(2) of Law 27/2022 on personal data protection (UU PDP).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from domain.authority import Person
from domain.errors import NotPossibleNow, SeparationOfDuties
from domain.provenance import Bilingual
from domain.text import Note


class LegalGround(StrEnum):
    """Why the law lets personal data be processed: UU PDP article 20(2), by its letters."""

    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTEREST = "vital_interest"
    PUBLIC_DUTY = "public_duty"


GROUND_ARTICLES: Final = {
    LegalGround.LEGAL_OBLIGATION: "UU 27/2022 art. 20(2)(c)",
    LegalGround.VITAL_INTEREST: "UU 27/2022 art. 20(2)(d)",
    LegalGround.PUBLIC_DUTY: "UU 27/2022 art. 20(2)(e)",
}
"""Where each ground stands."""


class Purpose(StrEnum):
    """What somebody needs the clear values for. "Other" is not a purpose."""

    IDENTITY_VERIFICATION = "identity_verification"
    FIELD_VISIT = "field_visit"
    PROGRAMME_DELIVERY = "programme_delivery"
    EMERGENCY = "emergency"
    PERSONS_REQUEST = "persons_request"
    INSPECTION = "inspection"
    COURT_ORDER = "court_order"
    ENGINE_DIAGNOSIS = "engine_diagnosis"
    EVIDENCE_REVIEW = "evidence_review"


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """The ground that a purpose rests on, and how it is told to the person whose data were read."""

    ground: LegalGround
    words: Bilingual


PURPOSES: Final = {
    Purpose.IDENTITY_VERIFICATION: PurposeRule(
        LegalGround.PUBLIC_DUTY,
        Bilingual(id="Mencocokkan identitas dengan dokumen", en="Comparing an identity with papers"),
    ),
    Purpose.FIELD_VISIT: PurposeRule(
        LegalGround.PUBLIC_DUTY,
        Bilingual(id="Kunjungan lapangan", en="A visit in the field"),
    ),
    Purpose.PROGRAMME_DELIVERY: PurposeRule(
        LegalGround.PUBLIC_DUTY,
        Bilingual(id="Penyaluran program", en="Delivering a programme"),
    ),
    Purpose.EMERGENCY: PurposeRule(
        LegalGround.VITAL_INTEREST,
        Bilingual(id="Keadaan darurat atau bencana", en="An emergency or a disaster"),
    ),
    Purpose.PERSONS_REQUEST: PurposeRule(
        LegalGround.LEGAL_OBLIGATION,
        Bilingual(id="Permintaan orang yang bersangkutan", en="A request of the person concerned"),
    ),
    Purpose.INSPECTION: PurposeRule(
        LegalGround.LEGAL_OBLIGATION,
        Bilingual(id="Pemeriksaan atau audit", en="An inspection or an audit"),
    ),
    Purpose.COURT_ORDER: PurposeRule(
        LegalGround.LEGAL_OBLIGATION,
        Bilingual(id="Perintah pengadilan atau penegak hukum", en="An order of a court or of law enforcement"),
    ),
    Purpose.ENGINE_DIAGNOSIS: PurposeRule(
        LegalGround.PUBLIC_DUTY,
        Bilingual(id="Mencari gangguan pada mesin alur kerja", en="Finding a fault in the workflow engine"),
    ),
    Purpose.EVIDENCE_REVIEW: PurposeRule(
        LegalGround.PUBLIC_DUTY,
        Bilingual(id="Memeriksa berkas usulan", en="Looking at the evidence of an update"),
    ),
}
"""Every purpose with its ground and its words."""

_LONG_NUMBER: Final = re.compile(r"[0-9]{8}")


def without_numbers(text: str) -> str:
    """The same text. Raises ValueError when it may name a person by number."""
    if _LONG_NUMBER.search(text):
        raise ValueError("contains a long number; an explanation names no person by number")
    return text


Explanation = Annotated[
    Note,
    StringConstraints(min_length=10),
    AfterValidator(without_numbers),
    Field(json_schema_extra={"not": {"pattern": _LONG_NUMBER.pattern}}),
]
"""In the reader's own words. It is shown to inspectors and to the person, so it holds no number itself."""


class DisclosureInput(BaseModel):
    """For what somebody asks to see clear values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    purpose: Purpose
    explanation: Explanation


# --- letting many out at once ---------------------------------------------------------------------------------

MOST_ROWS: Final = 5_000
"""The most rows that one approval lets out."""
LONGEST_HOURS: Final = 7 * 24
"""The longest that an approval is good for."""


class BulkVerdict(StrEnum):
    """What the second pair of eyes says."""

    APPROVED = "approved"
    REFUSED = "refused"


class BulkStanding(BaseModel):
    """Where a request for many clear values stands; a snapshot."""

    model_config = ConfigDict(frozen=True)

    requested_by: UUID
    verdict: BulkVerdict | None
    valid_until: datetime | None
    rows: int = Field(description="The most rows it was asked for")
    rows_read: int


def check_second_eyes(standing: BulkStanding, *, by: Person) -> None:
    """That `by` may answer the request. Raises SeparationOfDuties for who made it, NotPossibleNow once answered."""
    if by.has(standing.requested_by):
        raise SeparationOfDuties(
            "You made this request; somebody else has to answer it.",
            remedy="Ask the data protection officer, the inspectorate or the head of office.",
        )
    if standing.verdict is not None:
        raise NotPossibleNow("The request has been answered.", remedy="Make a new request if more is needed.")


def validity(hours: int, *, now: datetime) -> datetime:
    """Until when an approval given `now` is good."""
    return now + timedelta(hours=hours)


def rows_allowed(standing: BulkStanding, *, wanted: int, now: datetime) -> int:
    """How many of `wanted` rows may be read now, at least 1. Raises NotPossibleNow when none may."""
    if standing.verdict is not BulkVerdict.APPROVED or standing.valid_until is None:
        raise NotPossibleNow("Nobody has approved this request.", remedy="Wait until somebody else approves it.")
    if now >= standing.valid_until:
        raise NotPossibleNow("The approval has expired.", remedy="Make a new request.")
    left = standing.rows - standing.rows_read
    if left <= 0:
        raise NotPossibleNow("As many rows as were approved have been read.", remedy="Make a new request.")
    return min(wanted, left)
