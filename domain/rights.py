"""The rights of a person over their data (UU 27/2022): what may be asked for, by whom, until when it is answered.

Correction is none of these kinds: it is a case of its own, an update of kind `identity_correction` or `circumstances`.
The deadline of 3 x 24 hours is what the law sets for correcting and for stopping to process (art. 30, 40 and 41, as
commonly cited; the text itself was not at hand), and is a proposal for the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.disclosure import Explanation
from domain.errors import InvalidInput, NotPossibleNow, Violation
from domain.provenance import Bilingual
from domain.text import Note


class RightsKind(StrEnum):
    """What is asked for."""

    ACCESS = "access"
    OBJECTION = "objection"
    ERASURE = "erasure"


class RightsState(StrEnum):
    """Where a request stands; all but OPEN are final."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class AskedBy(StrEnum):
    """Who came: the person, or somebody who may speak for them."""

    SELF = "self"
    PARENT = "parent"
    GUARDIAN = "guardian"
    HEIR = "heir"
    REPRESENTATIVE = "representative"


class IdentifiedBy(StrEnum):
    """How the officer knows who came."""

    IDENTITY_CARD = "identity_card"
    FAMILY_CARD = "family_card"
    CIVIL_REGISTRY = "civil_registry"
    LETTER_OF_AUTHORITY = "letter_of_authority"
    COURT_ORDER = "court_order"


class RightsReason(StrEnum):
    """Why a request was answered as it was."""

    EXPORT_MADE = "export_made"
    NOT_HELD = "not_held"
    PROCESSING_STOPPED = "processing_stopped"
    ERASED_WITH_RETENTION = "erased_with_retention"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_DUTY = "public_duty"
    IDENTITY_NOT_SHOWN = "identity_not_shown"
    BY_THE_PERSON = "by_the_person"


class ReasonOfRights(NamedTuple):
    """To which end a reason leads, of which kinds, and what the person is told."""

    state: RightsState
    kinds: frozenset[RightsKind]
    words: Bilingual


_ALL: Final = frozenset(RightsKind)
_DISPUTED: Final = frozenset({RightsKind.OBJECTION, RightsKind.ERASURE})

RIGHTS_REASONS: Final = {
    RightsReason.EXPORT_MADE: ReasonOfRights(
        RightsState.GRANTED,
        frozenset({RightsKind.ACCESS}),
        Bilingual(id="Salinan data Anda sudah disiapkan", en="A copy of your data has been made"),
    ),
    RightsReason.NOT_HELD: ReasonOfRights(
        RightsState.GRANTED,
        _ALL,
        Bilingual(id="Tidak ada data atas NIK ini di wilayah ini", en="Nothing is held on this NIK in this area"),
    ),
    RightsReason.PROCESSING_STOPPED: ReasonOfRights(
        RightsState.GRANTED,
        frozenset({RightsKind.OBJECTION}),
        Bilingual(id="Keberatan Anda diterima", en="Your objection is upheld"),
    ),
    RightsReason.ERASED_WITH_RETENTION: ReasonOfRights(
        RightsState.GRANTED,
        frozenset({RightsKind.ERASURE}),
        Bilingual(
            id="Data dihapus setelah masa simpannya berakhir",
            en="The data are erased when their period of retention is over",
        ),
    ),
    RightsReason.LEGAL_OBLIGATION: ReasonOfRights(
        RightsState.REFUSED,
        _DISPUTED,
        Bilingual(
            id="Data wajib disimpan menurut peraturan (UU 27/2022 pasal 20 ayat (2) huruf c)",
            en="The law obliges us to keep the data (UU 27/2022 art. 20(2)(c))",
        ),
    ),
    RightsReason.PUBLIC_DUTY: ReasonOfRights(
        RightsState.REFUSED,
        _DISPUTED,
        Bilingual(
            id="Data diperlukan untuk tugas pelayanan publik (UU 27/2022 pasal 20 ayat (2) huruf e)",
            en="The data are needed for a public duty (UU 27/2022 art. 20(2)(e))",
        ),
    ),
    RightsReason.IDENTITY_NOT_SHOWN: ReasonOfRights(
        RightsState.REFUSED,
        _ALL,
        Bilingual(id="Identitas pemohon belum terbukti", en="Who asked could not be established"),
    ),
    RightsReason.BY_THE_PERSON: ReasonOfRights(
        RightsState.WITHDRAWN,
        _ALL,
        Bilingual(id="Permohonan dicabut oleh pemohon", en="Withdrawn by who asked"),
    ),
}
"""Every reason, with where it leads and its public words. "Other" is not a reason."""

ANSWER_WITHIN: Final = timedelta(hours=72)
"""3 x 24 hours, of the clock: weekends and holidays count."""
STANDING: Final = frozenset({RightsState.OPEN, RightsState.GRANTED})
"""An objection in these is shown with the case and the household."""

Nik = Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$"), Field(repr=False)]


class RightsInput(BaseModel):
    """What a person asks for, and how the officer knows that it is them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: RightsKind
    area_code: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$",
            description="The area whose data are meant, with all below it",
            examples=["32.06"],
        ),
    ]
    nik: Nik = Field(description="Of the person whose data are meant")
    asked_by: AskedBy = AskedBy.SELF
    identified_by: IdentifiedBy
    explanation: Explanation = Field(description="In the person's words, without numbers")


class RightsAnswer(BaseModel):
    """How a request is answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reason: RightsReason
    note: Note | None = None


def check_request(request: RightsInput) -> None:
    """That whoever speaks for another shows by what. Raises InvalidInput."""
    needs_paper = request.asked_by in {AskedBy.GUARDIAN, AskedBy.REPRESENTATIVE}
    if needs_paper and request.identified_by not in {IdentifiedBy.LETTER_OF_AUTHORITY, IdentifiedBy.COURT_ORDER}:
        raise InvalidInput(
            [
                Violation(
                    pointer="/identified_by",
                    code="authority_not_shown",
                    detail=f"A {request.asked_by.value} shows a letter of authority or a court order.",
                    remedy="Ask for the paper, and say which of the two it is.",
                ),
            ],
        )


def answered_state(kind: RightsKind, state: RightsState, reason: RightsReason) -> RightsState:
    """Where an answer with this reason leads. Raises NotPossibleNow once answered, InvalidInput for a wrong reason."""
    if state is not RightsState.OPEN:
        raise NotPossibleNow("This request has been answered.", remedy="Write a new request down.")
    rule = RIGHTS_REASONS[reason]
    if kind not in rule.kinds or reason is RightsReason.EXPORT_MADE:
        possible = ", ".join(
            sorted(one for one, held in RIGHTS_REASONS.items() if kind in held.kinds and one != "export_made"),
        )
        raise InvalidInput(
            [
                Violation(
                    pointer="/reason",
                    code="reason_not_of_this_kind",
                    detail=f"A request for {kind.value} is not answered with {reason.value}.",
                    remedy=f"Choose one of {possible}.",
                ),
            ],
        )
    return rule.state


def due_at(requested_at: datetime) -> datetime:
    """Until when a request is answered."""
    return requested_at + ANSWER_WITHIN


def nik_context(request_id: UUID) -> str:
    """Where the sealed NIK of a request belongs."""
    return f"data_subject_requests.nik:{request_id}"


def words_context(request_id: UUID) -> str:
    """Where the sealed words of whoever asked belong."""
    return f"data_subject_requests.explanation:{request_id}"


def rights_note_context(request_id: UUID) -> str:
    """Where the sealed note of the answer belongs."""
    return f"data_subject_requests.note:{request_id}"


def export_context(request_id: UUID) -> str:
    """Where the sealed export belongs."""
    return f"data_subject_exports.content:{request_id}"
