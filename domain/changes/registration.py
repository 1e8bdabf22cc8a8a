"""People written into the registry as a household of their own: new to it, or come from elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from domain.changes.base import MAX_MEMBERS, ChangeBase, Founding, IdentityExpectation, SubmissionContext, expect
from domain.changes.persons import check_distinct_niks, check_person
from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.household import Household, MemberDetails, Relation
from domain.identity import check_kk
from domain.text import IdentityNumber


class Registration(ChangeBase, frozen=True):
    """The family card, the people on it, where and how they live. The village is that of the case."""

    kk_number: IdentityNumber = Field(repr=False)
    address: Address
    circumstances: Circumstances
    members: Annotated[tuple[MemberDetails, ...], Field(min_length=1, max_length=MAX_MEMBERS)]


def check_registration(change: Registration, context: SubmissionContext) -> list[Violation]:
    """Card number, a place, each person, one head, nobody twice."""
    violations = check_kk(change.kk_number, pointer="/change/kk_number")
    violations += _check_place(change.address)
    for i, person in enumerate(change.members):
        violations += check_person(person, context=context, pointer=f"/change/members/{i}")
    violations += check_distinct_niks({f"/change/members/{i}/nik": m.nik for i, m in enumerate(change.members)})
    return violations + _check_heads(change.members)


def founding(change: Registration, *, came_from: str | None = None, came_on: date | None = None) -> Founding:
    """The household to be written, and where it came from, if from elsewhere."""
    return Founding(
        kk_number=change.kk_number,
        address=change.address,
        circumstances=change.circumstances,
        newcomers=change.members,
        came_from=came_from,
        came_on=came_on,
    )


def expectations(change: Registration, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Every member who has a NIK, on the card that is given."""
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
