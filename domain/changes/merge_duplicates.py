"""Data ganda: a household, or people of it, were written into the registry twice."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from domain.changes.base import (
    MAX_MEMBERS,
    Absorption,
    ChangeBase,
    Counterpart,
    Effect,
    IdentityExpectation,
    KindSpec,
    MemberRelation,
    SubmissionContext,
    known,
)
from domain.changes.persons import active_member
from domain.changes.programme_change import expect_members
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, HouseholdStatus, Relation
from domain.vocabulary import Kind


class DoubleEntry(BaseModel, frozen=True, extra="forbid"):
    """A member of the other household who belongs here: as a member of this one (`same_as`), or with a relation."""

    member_id: UUID
    same_as: UUID | None = None
    relation: Relation | None = None


class MergeDuplicates(ChangeBase, frozen=True):
    """The household of the case stays as it is and takes in what the other one has more.

    `duplicate_id` is the other one, `duplicate_version` the version in which it was read. Who is not named stays there;
    when nobody does it ends as merged. The history of both is kept.
    """

    kind: Literal[Kind.MERGE_DUPLICATES] = Kind.MERGE_DUPLICATES
    duplicate_id: UUID
    duplicate_version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    members: Annotated[tuple[DoubleEntry, ...], Field(min_length=1, max_length=MAX_MEMBERS)]


def counterpart(change: MergeDuplicates) -> Counterpart:
    """The household that is a double entry."""
    return Counterpart(change.duplicate_id, change.duplicate_version)


def check(change: MergeDuplicates, context: SubmissionContext) -> list[Violation]:
    """Another active household of the village, and each member named once and told who they are here."""
    if change.duplicate_id == context.household.id:
        return [_the_same_household()]
    other = context.counterpart
    if other is None or other.area_code != context.area_code or other.status is not HouseholdStatus.ACTIVE:
        return [_no_such_household()]
    violations = [
        violation
        for i, entry in enumerate(change.members)
        for violation in _check_entry(entry, context.household, other, pointer=f"/change/members/{i}")
    ]
    return violations + _check_once(change) + _check_rest(change, other)


def effect(change: MergeDuplicates, base: Household | None) -> Effect:
    """Who was here twice is here once; who was there alone joins, with their relation to the present head."""
    joining = tuple(
        MemberRelation(member_id=entry.member_id, relation=entry.relation)
        for entry in change.members
        if entry.relation is not None
    )
    head = known(base).head
    same = tuple(f"/members/{entry.same_as}/status" for entry in change.members if entry.same_as is not None)
    heads = (f"/members/{head.id}/relation", f"/members/{head.id}/status") if head and joining else ()
    return Effect(
        absorption=Absorption(leaving=tuple(entry.member_id for entry in change.members), joining=joining),
        relies_on=tuple(dict.fromkeys((*same, *heads))),
    )


def expectations(change: MergeDuplicates, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Each member here who is said to be the same person, on the card that stays."""
    return expect_members(tuple(entry.same_as for entry in change.members if entry.same_as is not None), base)


def _check_entry(entry: DoubleEntry, here: Household, there: Household, *, pointer: str) -> list[Violation]:
    violations: list[Violation] = []
    person = active_member(there, entry.member_id)
    if person is None:
        violations.append(
            Violation(
                pointer=f"{pointer}/member_id",
                code="member_unknown",
                detail="There is no active member of this id in the household that is a double entry.",
                remedy="Read that household and use the id of one of its active members.",
            ),
        )
    if (entry.same_as is None) == (entry.relation is None):
        violations.append(
            Violation(
                pointer=pointer,
                code="double_entry_unclear",
                detail="A member is either somebody of this household, or joins it with a relation to its head.",
                remedy="Give one of `same_as` and `relation`.",
            ),
        )
    if entry.relation is Relation.HEAD:
        violations.append(
            Violation(
                pointer=f"{pointer}/relation",
                code="one_head_required",
                detail="This household has a head already.",
                remedy="Give the relation of the member to the present head.",
            ),
        )
    if entry.same_as is not None:
        violations += _check_same(entry.same_as, here, person and person.nik, pointer=f"{pointer}/same_as")
    return violations


def _check_same(same_as: UUID, here: Household, nik: str | None, *, pointer: str) -> list[Violation]:
    kept = active_member(here, same_as)
    if kept is None:
        return [
            Violation(
                pointer=pointer,
                code="member_unknown",
                detail="There is no active member of this id in the household that stays.",
                remedy="Read the household and use the id of one of its active members.",
            ),
        ]
    if nik is not None and kept.nik is not None and nik != kept.nik:
        return [
            Violation(
                pointer=pointer,
                code="different_persons",
                detail="The two have different NIK, and a person has one.",
                remedy="Have the wrong NIK corrected first, or let the member join with a relation.",
            ),
        ]
    return []


def _check_once(change: MergeDuplicates) -> list[Violation]:
    named = [(f"/change/members/{i}/member_id", e.member_id) for i, e in enumerate(change.members)]
    same = [(f"/change/members/{i}/same_as", e.same_as) for i, e in enumerate(change.members) if e.same_as is not None]
    return [
        Violation(
            pointer=pointer,
            code="member_twice",
            detail=f"The member {member_id} is named twice.",
            remedy="Name every member once.",
        )
        for entries in (named, same)
        for i, (pointer, member_id) in enumerate(entries)
        if member_id in {earlier for _, earlier in entries[:i]}
    ]


def _check_rest(change: MergeDuplicates, there: Household) -> list[Violation]:
    leaving = {entry.member_id for entry in change.members}
    rest = [member for member in there.active_members if member.id not in leaving]
    if not rest or any(member.relation is Relation.HEAD for member in rest):
        return []
    return [
        Violation(
            pointer="/change/members",
            code="new_head_required",
            detail="The head of the other household leaves it and others remain there.",
            remedy="Name those too, or have the other household given a new head first (change_head).",
        ),
    ]


def _the_same_household() -> Violation:
    return Violation(
        pointer="/change/duplicate_id",
        code="duplicate_is_itself",
        detail="A household is no double entry of itself.",
        remedy="Name in `household_id` the household that stays, in `duplicate_id` the other one.",
    )


def _no_such_household() -> Violation:
    return Violation(
        pointer="/change/duplicate_id",
        code="household_not_found",
        detail="There is no such active household in this village, or it was never in this version.",
        remedy="Read the other household and send its id and version. One of another village is ended there.",
    )


SPEC = KindSpec(
    kind=Kind.MERGE_DUPLICATES,
    model=MergeDuplicates,
    needs_household=True,
    evidence=(frozenset({EvidenceType.KK, EvidenceType.KTP, EvidenceType.SPTJM}),),
    check=check,
    effect=effect,
    expectations=expectations,
    counterpart=counterpart,
)
