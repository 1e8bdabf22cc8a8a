"""Legal holds: what keeps a case from being erased although its period has passed."""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.authority import Person
from domain.disclosure import Explanation
from domain.errors import SeparationOfDuties
from domain.provenance import Bilingual


class HoldGround(StrEnum):
    """Why what a case holds must not go. "Other" is not a ground."""

    COURT = "court"
    INVESTIGATION = "investigation"
    AUDIT = "audit"
    DISPUTE = "dispute"


HOLD_WORDS: Final = {
    HoldGround.COURT: Bilingual(id="Perkara di pengadilan", en="A case before a court"),
    HoldGround.INVESTIGATION: Bilingual(id="Penyelidikan penegak hukum", en="An investigation by law enforcement"),
    HoldGround.AUDIT: Bilingual(id="Pemeriksaan atau audit", en="An inspection or an audit"),
    HoldGround.DISPUTE: Bilingual(id="Keberatan atau sengketa", en="An objection or a dispute"),
}
"""Every ground in words."""


class HoldInput(BaseModel):
    """Why a case is held."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ground: HoldGround
    explanation: Explanation


class LiftInput(BaseModel):
    """Why it need not be held any longer."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    explanation: Explanation


def check_lifting(placed_by: UUID, *, by: Person) -> None:
    """That `by` may lift a hold. Raises SeparationOfDuties for who placed it."""
    if by.has(placed_by):
        raise SeparationOfDuties(
            "You placed this hold; somebody else has to lift it.",
            remedy="Ask the data protection officer, the inspectorate or the head of office.",
        )


def hold_context(hold_id: UUID) -> str:
    """Where the sealed words of placing a hold belong."""
    return f"legal_holds.explanation:{hold_id}"


def lift_context(hold_id: UUID) -> str:
    """Where the sealed words of lifting it belong."""
    return f"legal_holds.lifted_because:{hold_id}"
