"""Graduasi: a household no longer needs a programme."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from domain.changes.base import Effect, IdentityExpectation, KindSpec, SubmissionContext, known
from domain.changes.circumstances import circumstance_edits
from domain.changes.persons import check_event_date
from domain.changes.programme_change import (
    ProgrammeChange,
    check_programmes,
    expect_members,
    relied_on,
    standing_edits,
)
from domain.circumstances import Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.programmes import Standing
from domain.text import IsoDate
from domain.vocabulary import Kind


class GraduationCause(StrEnum):
    """Why it is no longer needed."""

    IMPROVED_MEANS = "improved_means"
    EMPOWERMENT = "empowerment"
    NO_LONGER_ENTITLED = "no_longer_entitled"


class Graduation(ProgrammeChange, frozen=True):
    """Which programmes, why, when that was assessed, and the facts that it rests on where they have changed."""

    kind: Literal[Kind.GRADUATION] = Kind.GRADUATION
    cause: GraduationCause
    assessed_on: IsoDate
    circumstances: Circumstances | None = None


def check(change: Graduation, context: SubmissionContext) -> list[Violation]:
    """Something new, assessed by today."""
    violations = check_event_date(change.assessed_on, today=context.today, pointer="/change/assessed_on")
    return violations + check_programmes(change, context.household, standing=Standing.GRADUATED)


def effect(change: Graduation, base: Household | None) -> Effect:
    """The end in each programme, and the facts that were seen, whose age begins anew."""
    edits = standing_edits(change, known(base), Standing.GRADUATED)
    facts = circumstance_edits(change.circumstances)
    return Effect(edits=(*edits, *facts), relies_on=relied_on(edits), verifies=bool(facts))


def expectations(change: Graduation, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Who is named, or the head."""
    return expect_members(change.member_ids, base)


SPEC = KindSpec(
    kind=Kind.GRADUATION,
    model=Graduation,
    needs_household=True,
    evidence=(
        frozenset({EvidenceType.GRADUATION_STATEMENT, EvidenceType.SPTJM}),
        frozenset({EvidenceType.HOUSE_PHOTO}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
