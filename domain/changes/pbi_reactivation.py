"""Reaktivasi PBI-JK: members whose health insurance was ended, and who need it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from domain.changes.base import MAX_MEMBERS, ChangeBase, Effect, IdentityExpectation, KindSpec, SubmissionContext
from domain.changes.programme_change import check_insured, expect_members, insured_edits, relied_on
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.programmes import Standing
from domain.vocabulary import Kind


class HealthNeed(StrEnum):
    """Why the insurance is needed; no diagnosis, which is nobody's business here."""

    EMERGENCY = "emergency"
    CHRONIC = "chronic"
    PREGNANCY = "pregnancy"
    OTHER = "other"


class PbiReactivation(ChangeBase, frozen=True):
    """Whose insurance, and how pressing it is."""

    kind: Literal[Kind.PBI_REACTIVATION] = Kind.PBI_REACTIVATION
    member_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_MEMBERS)]
    need: HealthNeed


def check(change: PbiReactivation, context: SubmissionContext) -> list[Violation]:
    """Active members, each once, not proposed already."""
    return check_insured(change.member_ids, context.household, standing=Standing.REACTIVATION_PROPOSED)


def effect(change: PbiReactivation, base: Household | None) -> Effect:
    """The proposal, for each member."""
    del base
    edits = insured_edits(change.member_ids, Standing.REACTIVATION_PROPOSED)
    return Effect(edits=edits, relies_on=relied_on(edits))


def expectations(change: PbiReactivation, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Each of them: insurance is ended most often for a number that did not match."""
    return expect_members(change.member_ids, base)


SPEC = KindSpec(
    kind=Kind.PBI_REACTIVATION,
    model=PbiReactivation,
    needs_household=True,
    evidence=(
        frozenset({EvidenceType.KTP, EvidenceType.KK}),
        frozenset({EvidenceType.HEALTH_LETTER, EvidenceType.SPTJM}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
