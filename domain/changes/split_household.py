"""Pecah KK: some members found a household of their own under a new family card."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from domain.changes.base import (
    MAX_MEMBERS,
    ChangeBase,
    Edit,
    Effect,
    Founding,
    IdentityExpectation,
    KindSpec,
    MemberRelation,
    SubmissionContext,
    expect,
    known,
)
from domain.changes.headship import departure_edits
from domain.changes.persons import check_named
from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, MemberStatus, Relation
from domain.identity import check_kk
from domain.text import IdentityNumber
from domain.vocabulary import Kind


class Staying(BaseModel, frozen=True, extra="forbid"):
    """A member who stays. Without a relation they keep the one they have."""

    member_id: UUID
    relation: Relation | None = None


class SplitHousehold(ChangeBase, frozen=True):
    """Every active member on exactly one side, each side with one head.

    `leaving` gives the relations in the new household. Without an address it stays at the old one; its
    circumstances are unknown where they are not given, since assets are divided and not copied.
    """

    kind: Literal[Kind.SPLIT_HOUSEHOLD] = Kind.SPLIT_HOUSEHOLD
    kk_number: IdentityNumber = Field(repr=False)
    staying: Annotated[tuple[Staying, ...], Field(min_length=1, max_length=MAX_MEMBERS)]
    leaving: Annotated[tuple[MemberRelation, ...], Field(min_length=1, max_length=MAX_MEMBERS)]
    address: Address | None = None
    circumstances: Circumstances | None = None


def check(change: SplitHousehold, context: SubmissionContext) -> list[Violation]:
    """A new card, nobody forgotten or named twice, one head on each side."""
    household = context.household
    violations = check_kk(change.kk_number, pointer="/change/kk_number")
    if change.kk_number == household.kk_number:
        violations.append(
            Violation(
                pointer="/change/kk_number",
                code="kk_unchanged",
                detail="This is the family card number of the household that is split.",
                remedy="Give the number of the new Kartu Keluarga.",
            ),
        )
    return violations + _check_sides(change, household) + _check_heads(change, household)


def effect(change: SplitHousehold, base: Household | None) -> Effect:
    """The leaving are marked split off and found a household; who belongs to the old one must not have changed."""
    del base
    left = [edit for m in change.leaving for edit in departure_edits(m.member_id, MemberStatus.SPLIT_OFF)]
    kept = [Edit(f"/members/{m.member_id}/relation", m.relation) for m in change.staying if m.relation]
    return Effect(
        edits=(*left, *kept),
        founding=Founding(
            kk_number=change.kk_number,
            address=change.address,
            circumstances=change.circumstances or Circumstances(),
            joining=change.leaving,
        ),
        relies_on=("/members",),
    )


def expectations(change: SplitHousehold, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Each member of the new household, on its new card."""
    household = known(base)
    members = (household.member(m.member_id) for m in change.leaving)
    return tuple(
        match
        for member in members
        if member is not None
        for match in expect(member, key=str(member.id), kk_number=change.kk_number)
    )


def _check_sides(change: SplitHousehold, household: Household) -> list[Violation]:
    sides = {"staying": change.staying, "leaving": change.leaving}
    named = [
        (f"/change/{side}/{i}/member_id", m.member_id) for side, members in sides.items() for i, m in enumerate(members)
    ]
    assigned = {member_id for _, member_id in named}
    forgotten = [
        Violation(
            pointer="/change/staying",
            code="member_forgotten",
            detail=f"The member {member.id} is on neither side.",
            remedy="Put every active member into `staying` or `leaving`.",
        )
        for member in household.active_members
        if member.id not in assigned
    ]
    return check_named(household, named) + forgotten


def _check_heads(change: SplitHousehold, household: Household) -> list[Violation]:
    present = {m.id: m.relation for m in household.active_members}
    sides = {
        "staying": [m.relation or present.get(m.member_id) for m in change.staying],
        "leaving": [m.relation for m in change.leaving],
    }
    return [
        Violation(
            pointer=f"/change/{side}",
            code="one_head_required",
            detail=f"This side has {relations.count(Relation.HEAD)} heads.",
            remedy="Give exactly one member on each side the relation head.",
        )
        for side, relations in sides.items()
        if relations.count(Relation.HEAD) != 1
    ]


SPEC = KindSpec(
    kind=Kind.SPLIT_HOUSEHOLD,
    model=SplitHousehold,
    needs_household=True,
    evidence=(frozenset({EvidenceType.KK}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
