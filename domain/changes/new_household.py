"""Usulan baru: a household that the registry does not hold yet."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain.changes.base import (
    MAX_MEMBERS,
    ChangeBase,
    Effect,
    Founding,
    IdentityExpectation,
    KindSpec,
    SubmissionContext,
    expect,
)
from domain.changes.persons import check_distinct_niks, check_person
from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, MemberDetails, Relation
from domain.identity import check_kk
from domain.text import IdentityNumber
from domain.vocabulary import Kind


class NewHousehold(ChangeBase, frozen=True):
    """The family card, the people on it, where and how they live. The village is that of the case."""

    kind: Literal[Kind.NEW_HOUSEHOLD] = Kind.NEW_HOUSEHOLD
    kk_number: IdentityNumber = Field(repr=False)
    address: Address
    circumstances: Circumstances
    members: Annotated[tuple[MemberDetails, ...], Field(min_length=1, max_length=MAX_MEMBERS)]


def check(change: NewHousehold, context: SubmissionContext) -> list[Violation]:
    """Card number, a place, each person, one head, nobody twice."""
    violations = check_kk(change.kk_number, pointer="/change/kk_number")
    violations += _check_place(change.address)
    for i, person in enumerate(change.members):
        violations += check_person(person, context=context, pointer=f"/change/members/{i}")
    violations += check_distinct_niks({f"/change/members/{i}/nik": m.nik for i, m in enumerate(change.members)})
    return violations + _check_heads(change.members)


def effect(change: NewHousehold, base: Household | None) -> Effect:
    """One household founded; `base` is None for this kind."""
    del base
    return Effect(
        founding=Founding(
            kk_number=change.kk_number,
            address=change.address,
            circumstances=change.circumstances,
            newcomers=change.members,
        ),
        verifies=True,
    )


def expectations(change: NewHousehold, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Every member who has a NIK, on the new card."""
    del base
    return tuple(
        match
        for i, person in enumerate(change.members)
        for match in expect(person, key=f"new:{i}", kk_number=change.kk_number)
    )


def _check_place(address: Address) -> list[Violation]:
    if address.street or address.hamlet or address.rt or address.rw:
        return []
    return [
        Violation(
            pointer="/change/address",
            code="address_missing",
            detail="Nothing says where in the village the household lives.",
            remedy="Give the hamlet (dusun), RT and RW, or the street.",
        ),
    ]


def _check_heads(members: tuple[MemberDetails, ...]) -> list[Violation]:
    heads = [i for i, m in enumerate(members) if m.relation is Relation.HEAD]
    if len(heads) == 1:
        return []
    pointers = [f"/change/members/{i}/relation" for i in heads[1:]] or ["/change/members"]
    return [
        Violation(
            pointer=pointer,
            code="one_head_required",
            detail=f"The household has {len(heads)} heads.",
            remedy="Give exactly one member the relation head.",
        )
        for pointer in pointers
    ]


SPEC = KindSpec(
    kind=Kind.NEW_HOUSEHOLD,
    model=NewHousehold,
    needs_household=False,
    evidence=(
        frozenset({EvidenceType.KK}),
        frozenset({EvidenceType.KTP}),
        frozenset({EvidenceType.HOUSE_PHOTO}),
    ),
    check=check,
    effect=effect,
    expectations=expectations,
)
