"""Ganti kepala keluarga: the same people under another head, often on a new family card."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.changes.base import (
    ChangeBase,
    Edit,
    Effect,
    IdentityExpectation,
    KindSpec,
    MemberRelations,
    SubmissionContext,
    expect,
    known,
)
from domain.changes.headship import check_relations, handover_edits
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.identity import check_kk
from domain.text import IdentityNumber
from domain.vocabulary import Kind


class ChangeHead(ChangeBase, frozen=True):
    """Who becomes head, and the relations of the others to them, of the former head at least.

    Without a card number the family keeps its card.
    """

    kind: Literal[Kind.CHANGE_HEAD] = Kind.CHANGE_HEAD
    new_head_id: UUID
    relations: MemberRelations
    kk_number: IdentityNumber | None = Field(default=None, repr=False)


def check(change: ChangeHead, context: SubmissionContext) -> list[Violation]:
    """Another head than now, and the former one has a relation to them."""
    household = context.household
    violations = check_kk(change.kk_number, pointer="/change/kk_number") if change.kk_number else []
    head = household.head
    if head is not None and change.new_head_id == head.id:
        return [*violations, _unchanged()]
    members = {m.id for m in household.active_members}
    violations += check_relations(change.new_head_id, change.relations, household, remaining=members)
    if head is not None and head.id not in {r.member_id for r in change.relations}:
        violations.append(_former_head_forgotten())
    return violations


def effect(change: ChangeHead, base: Household | None) -> Effect:
    """The relations as proposed; who belongs to the household must not have changed, for the relations' sake."""
    del base
    card = () if change.kk_number is None else (Edit("/kk_number", change.kk_number),)
    return Effect(edits=(*card, *handover_edits(change.new_head_id, change.relations)), relies_on=("/members",))


def expectations(change: ChangeHead, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The new head, on the card that the family is to have."""
    household = known(base)
    member = household.member(change.new_head_id)
    if member is None:
        return ()
    return expect(member, key=str(member.id), kk_number=change.kk_number or household.kk_number)


def _unchanged() -> Violation:
    return Violation(
        pointer="/change/new_head_id",
        code="head_unchanged",
        detail="This member is the head already.",
        remedy="Name another member, or correct the card number alone by an identity_correction.",
    )


def _former_head_forgotten() -> Violation:
    return Violation(
        pointer="/change/relations",
        code="former_head_forgotten",
        detail="Nothing says what the former head is to the new one.",
        remedy="Give the former head's relation to the new head. If they died or left, submit a death or move_out.",
    )


SPEC = KindSpec(
    kind=Kind.CHANGE_HEAD,
    model=ChangeHead,
    needs_household=True,
    evidence=(frozenset({EvidenceType.KK, EvidenceType.COURT_ORDER}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
