"""Tambah anggota: a birth, a marriage, a relative taken in."""

from __future__ import annotations

from typing import Literal

from domain.changes.base import (
    ChangeBase,
    Effect,
    IdentityExpectation,
    KindSpec,
    SubmissionContext,
    expect,
    known,
)
from domain.changes.persons import check_distinct_niks, check_person
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, MemberDetails, Relation
from domain.vocabulary import Kind


class AddMember(ChangeBase, frozen=True):
    """One more person. A newborn or undocumented one has no NIK, but a reason for it."""

    kind: Literal[Kind.ADD_MEMBER] = Kind.ADD_MEMBER
    member: MemberDetails


def check(change: AddMember, context: SubmissionContext) -> list[Violation]:
    """The person is sound, not the head, and not in the household already."""
    violations = check_person(change.member, context=context, pointer="/change/member")
    violations += check_distinct_niks({"/change/member/nik": change.member.nik}, household=context.household)
    if change.member.relation is Relation.HEAD:
        violations.append(
            Violation(
                pointer="/change/member/relation",
                code="one_head_required",
                detail="The household already has a head.",
                remedy="Give the relation of the new member to the present head.",
            ),
        )
    return violations


def effect(change: AddMember, base: Household | None) -> Effect:
    """The person joins, with their relation to the head they were proposed under."""
    head = known(base).head
    relies_on = (f"/members/{head.id}/relation", f"/members/{head.id}/status") if head else ()
    return Effect(newcomers=(change.member,), relies_on=relies_on)


def expectations(change: AddMember, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The new member, on the household's card."""
    return expect(change.member, key="new:0", kk_number=known(base).kk_number)


SPEC = KindSpec(
    kind=Kind.ADD_MEMBER,
    model=AddMember,
    needs_household=True,
    evidence=(
        frozenset(
            {
                EvidenceType.KK,
                EvidenceType.BIRTH_CERTIFICATE,
                EvidenceType.BIRTH_STATEMENT,
                EvidenceType.MARRIAGE_CERTIFICATE,
                EvidenceType.RELOCATION_LETTER,
                EvidenceType.COURT_ORDER,
                EvidenceType.SPTJM,
            },
        ),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
