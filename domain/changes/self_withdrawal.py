"""Pengunduran diri: people give a programme up of their own will, and have said so themselves."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from domain.changes.base import Effect, IdentityExpectation, KindSpec, SubmissionContext, known
from domain.changes.persons import active_member, check_event_date, check_named
from domain.changes.programme_change import (
    ProgrammeChange,
    check_programmes,
    expect_members,
    relied_on,
    standing_edits,
)
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, Relation
from domain.programmes import Standing
from domain.text import IsoDate
from domain.vocabulary import Kind

ADULT_YEARS: Final = 17
"""From this age on a person has an identity card and can sign (UU 23/2006 article 63)."""


class SelfWithdrawal(ProgrammeChange, frozen=True):
    """Which programmes, who confirmed it, and when. Such requests have been made by others behind people's backs."""

    kind: Literal[Kind.SELF_WITHDRAWAL] = Kind.SELF_WITHDRAWAL
    confirmed_by: UUID
    confirmed_on: IsoDate


def check(change: SelfWithdrawal, context: SubmissionContext) -> list[Violation]:
    """Confirmed by an adult of the household, by today; something new."""
    household = context.household
    violations = check_named(household, [("/change/confirmed_by", change.confirmed_by)])
    violations += check_event_date(change.confirmed_on, today=context.today, pointer="/change/confirmed_on")
    return violations + _check_adult(change, context) + check_programmes(change, household, standing=Standing.WITHDRAWN)


def effect(change: SelfWithdrawal, base: Household | None) -> Effect:
    """The end in each programme; who confirmed it must still belong to the household."""
    edits = standing_edits(change, known(base), Standing.WITHDRAWN)
    confirmer = f"/members/{change.confirmed_by}/status"
    return Effect(edits=edits, relies_on=tuple(dict.fromkeys((confirmer, *relied_on(edits)))))


def expectations(change: SelfWithdrawal, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Who confirmed it, and who is named."""
    return expect_members(tuple(dict.fromkeys((change.confirmed_by, *change.member_ids))), base)


def _check_adult(change: SelfWithdrawal, context: SubmissionContext) -> list[Violation]:
    member = active_member(context.household, change.confirmed_by)
    if member is None or member.relation is Relation.HEAD:
        return []
    birthday_passed = (context.today.month, context.today.day) >= (member.birth_date.month, member.birth_date.day)
    age = context.today.year - member.birth_date.year - (not birthday_passed)
    if age >= ADULT_YEARS:
        return []
    return [
        Violation(
            pointer="/change/confirmed_by",
            code="confirmed_by_a_minor",
            detail=f"A person under {ADULT_YEARS} cannot give up the household's aid.",
            remedy="Have the head or an adult member confirm it, and name them.",
        ),
    ]


SPEC = KindSpec(
    kind=Kind.SELF_WITHDRAWAL,
    model=SelfWithdrawal,
    needs_household=True,
    evidence=(
        frozenset({EvidenceType.WITHDRAWAL_STATEMENT}),
        frozenset({EvidenceType.KTP, EvidenceType.KK}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
