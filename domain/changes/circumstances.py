"""Perubahan kondisi sosial-ekonomi: how the household lives, or where in its village."""

from __future__ import annotations

from typing import Literal

from domain.changes.base import (
    ChangeBase,
    Edit,
    Effect,
    IdentityExpectation,
    KindSpec,
    SubmissionContext,
    expect,
    known,
)
from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household
from domain.vocabulary import Kind


class CircumstancesChange(ChangeBase, frozen=True):
    """The facts that were seen, and only those. Repeating what is known is allowed: it renews the record's age."""

    kind: Literal[Kind.CIRCUMSTANCES] = Kind.CIRCUMSTANCES
    circumstances: Circumstances | None = None
    address: Address | None = None


def check(change: CircumstancesChange, context: SubmissionContext) -> list[Violation]:
    """At least one fact is proposed."""
    del context
    if _edits(change):
        return []
    return [
        Violation(
            pointer="/change",
            code="nothing_proposed",
            detail="The change names no circumstance and no part of the address.",
            remedy="Give at least one field of `circumstances` or `address`; null means not proposed.",
        ),
    ]


def effect(change: CircumstancesChange, base: Household | None) -> Effect:
    """Each fact by itself, so that facts which others changed meanwhile are left alone."""
    del base
    return Effect(edits=_edits(change), verifies=True)


def circumstance_edits(proposed: Circumstances | None) -> tuple[Edit, ...]:
    """Each fact that is given; none without a proposal."""
    return tuple(Edit(f"/circumstances/{name}", value) for name, value in proposed or () if value is not None)


def expectations(change: CircumstancesChange, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """The head, who answers for the household."""
    del change
    household = known(base)
    head = household.head
    return expect(head, key=str(head.id), kk_number=household.kk_number) if head else ()


def _edits(change: CircumstancesChange) -> tuple[Edit, ...]:
    place = change.address or ()
    moved = (Edit(f"/address/{name}", value) for name, value in place if value is not None)
    return (*circumstance_edits(change.circumstances), *moved)


SPEC = KindSpec(
    kind=Kind.CIRCUMSTANCES,
    model=CircumstancesChange,
    needs_household=True,
    evidence=(frozenset({EvidenceType.HOUSE_PHOTO}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
