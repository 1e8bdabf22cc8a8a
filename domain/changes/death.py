"""Meninggal: a member has died. The last one's death dissolves the household."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from domain.changes.base import Effect, IdentityExpectation, KindSpec, SubmissionContext, expect, known
from domain.changes.headship import Departure, check_headship, departure_edits, headship_edits, relied_on
from domain.changes.persons import active_member, check_event_date, check_named
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, HouseholdStatus, MemberStatus
from domain.text import IsoDate
from domain.vocabulary import Kind, MatchResult


class Death(Departure, frozen=True):
    """Who died and when; who becomes head, if the head died and others remain."""

    kind: Literal[Kind.DEATH] = Kind.DEATH
    member_id: UUID
    died_on: IsoDate


def check(change: Death, context: SubmissionContext) -> list[Violation]:
    """An active member, a day between birth and today, and a head for those who remain."""
    household = context.household
    member = active_member(household, change.member_id)
    if member is None:
        return check_named(household, [("/change/member_id", change.member_id)])
    violations = check_event_date(change.died_on, today=context.today, pointer="/change/died_on")
    if change.died_on < member.birth_date:
        violations.append(
            Violation(
                pointer="/change/died_on",
                code="died_before_birth",
                detail="The date of death lies before the birth date the registry holds.",
                remedy="Correct the date, or have the birth date corrected first.",
            ),
        )
    return violations + check_headship(change, household, leaving={member.id})


def effect(change: Death, base: Household | None) -> Effect:
    """The member is marked deceased, the new head takes over."""
    del base
    return Effect(
        edits=(
            *departure_edits(change.member_id, MemberStatus.DECEASED, died_on=change.died_on),
            *headship_edits(change),
        ),
        relies_on=relied_on(change),
        emptied=HouseholdStatus.DISSOLVED,
    )


def expectations(change: Death, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The civil registry knows of the death."""
    member = known(base).member(change.member_id)
    if member is None:
        return ()
    return expect(member, key=str(member.id), kk_number=None, result=MatchResult.DECEASED)


SPEC = KindSpec(
    kind=Kind.DEATH,
    model=Death,
    needs_household=True,
    evidence=(frozenset({EvidenceType.DEATH_CERTIFICATE, EvidenceType.DEATH_STATEMENT}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
