"""Usulan PKH, Sembako, PBI-JK: a household of the registry is proposed for programmes."""

from __future__ import annotations

from typing import Literal

from domain.changes.base import Effect, IdentityExpectation, KindSpec, SubmissionContext, known
from domain.changes.programme_change import (
    ProgrammeChange,
    check_programmes,
    expect_members,
    relied_on,
    standing_edits,
)
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.programmes import Standing
from domain.vocabulary import Kind


class ProgrammeProposal(ProgrammeChange, frozen=True):
    """For which programmes. Whether aid follows is decided by the programme, by rank and quota."""

    kind: Literal[Kind.PROGRAMME_PROPOSAL] = Kind.PROGRAMME_PROPOSAL


def check(change: ProgrammeProposal, context: SubmissionContext) -> list[Violation]:
    """Something new is proposed."""
    return check_programmes(change, context.household, standing=Standing.PROPOSED)


def effect(change: ProgrammeProposal, base: Household | None) -> Effect:
    """The proposal, in each programme by itself."""
    edits = standing_edits(change, known(base), Standing.PROPOSED)
    return Effect(edits=edits, relies_on=relied_on(edits))


def expectations(change: ProgrammeProposal, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Who is named, or the head."""
    return expect_members(change.member_ids, base)


SPEC = KindSpec(
    kind=Kind.PROGRAMME_PROPOSAL,
    model=ProgrammeProposal,
    needs_household=True,
    evidence=(
        frozenset({EvidenceType.KK, EvidenceType.KTP}),
        frozenset({EvidenceType.HOUSE_PHOTO}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
