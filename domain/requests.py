"""What a person asks of a case, as it is kept sealed under their Idempotency-Key until it is carried out."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.changes import Change
from domain.decisions import DecisionInput
from domain.evidence import EvidenceRef
from domain.ground_checks import GroundCheckOrder, GroundReportInput
from domain.household import VillageCode
from domain.supervision import CorrectionInput, EscalationInput
from domain.text import Note

EvidenceList = Annotated[tuple[EvidenceRef, ...], Field(max_length=20)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SubmissionInput(_Request):
    """A new update: the village, the household as the operator read it (none for a new one), the change, the papers."""

    area_code: VillageCode
    household_id: UUID | None = None
    household_version: Annotated[int, Field(ge=1)] | None = None
    change: Change
    evidence: EvidenceList = ()


class ResubmissionInput(_Request):
    """A repaired update: the whole change and all papers again."""

    change: Change
    evidence: EvidenceList = ()
    note: Note | None = None


class WithdrawalInput(_Request):
    """The applicant takes the update back; the note says in whose words."""

    note: Note


class CarriedRequest(_Request):
    """An act that the engine carries: what its id leads to is read by whoever records it."""


class DecisionRequest(CarriedRequest):
    """A decision on a task."""

    act: Literal["decide"] = "decide"
    body: DecisionInput


class ResubmissionRequest(CarriedRequest):
    """A repair of a returned case."""

    act: Literal["resubmit"] = "resubmit"
    body: ResubmissionInput


class WithdrawalRequest(CarriedRequest):
    """A withdrawal of a case."""

    act: Literal["withdraw"] = "withdraw"
    body: WithdrawalInput


class EscalationRequest(CarriedRequest):
    """An escalation by hand."""

    act: Literal["escalate"] = "escalate"
    body: EscalationInput


class CorrectionRequest(CarriedRequest):
    """A case sent back by an administrator."""

    act: Literal["correct"] = "correct"
    body: CorrectionInput


class GroundCheckRequest(CarriedRequest):
    """A ground check that an officer asks for."""

    act: Literal["ask_ground_check"] = "ask_ground_check"
    body: GroundCheckOrder


class GroundReportRequest(CarriedRequest):
    """A report from the field."""

    act: Literal["report_ground_check"] = "report_ground_check"
    body: GroundReportInput


CaseRequest = Annotated[
    DecisionRequest
    | ResubmissionRequest
    | WithdrawalRequest
    | EscalationRequest
    | CorrectionRequest
    | GroundCheckRequest
    | GroundReportRequest,
    Field(discriminator="act"),
]
CASE_REQUEST: TypeAdapter[CaseRequest] = TypeAdapter(CaseRequest, config=ConfigDict(hide_input_in_errors=True))


def request_context(act_id: UUID) -> str:
    """Where the sealed request of an act belongs."""
    return f"idempotency_keys.request:{act_id}"
