"""What the kinds about aid programmes have in common: which programmes, for whom, and what is settled about them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.changes.base import MAX_MEMBERS, ChangeBase, Edit, IdentityExpectation, expect, known
from domain.changes.fields import value_at
from domain.changes.persons import check_named
from domain.errors import Violation
from domain.household import Household, Member
from domain.programmes import Programme, Standing
from domain.vocabulary import MatchResult

MemberIds = Annotated[tuple[UUID, ...], Field(max_length=MAX_MEMBERS)]


class ProgrammeChange(ChangeBase, frozen=True):
    """The programmes. PBI-JK is a person's: it is about those in `member_ids`, or about every active member."""

    programmes: Annotated[tuple[Programme, ...], Field(min_length=1, max_length=len(Programme))]
    member_ids: MemberIds = ()


def check_programmes(change: ProgrammeChange, household: Household, *, standing: Standing) -> list[Violation]:
    """Nothing twice, nobody unknown, and something that the registry does not say already."""
    violations = check_named(household, named_members(change.member_ids))
    if len(set(change.programmes)) < len(change.programmes):
        violations.append(
            Violation(
                pointer="/change/programmes",
                code="programme_twice",
                detail="A programme is named twice.",
                remedy="Name every programme once.",
            ),
        )
    if change.member_ids and Programme.PBI_JK not in change.programmes:
        violations.append(
            Violation(
                pointer="/change/member_ids",
                code="members_not_expected",
                detail="PKH and Sembako are given to households and not to single members.",
                remedy="Leave out `member_ids`, or add pbi_jk to `programmes`.",
            ),
        )
    return violations or _check_news(standing_edits(change, household, standing), household)


def standing_edits(change: ProgrammeChange, household: Household, standing: Standing) -> tuple[Edit, ...]:
    """The standing in each programme, of the household or of each member whom it is about."""
    members = _insured(change, household) if Programme.PBI_JK in change.programmes else ()
    return (
        *(Edit(f"/programmes/{name}", standing) for name in change.programmes if name is not Programme.PBI_JK),
        *(Edit(f"/members/{member.id}/pbi_jk", standing) for member in members),
    )


def insured_edits(member_ids: tuple[UUID, ...], standing: Standing) -> tuple[Edit, ...]:
    """The standing of these members in PBI-JK."""
    return tuple(Edit(f"/members/{member_id}/pbi_jk", standing) for member_id in member_ids)


def relied_on(edits: tuple[Edit, ...]) -> tuple[str, ...]:
    """Of whom the edits speak must not have left meanwhile."""
    members = dict.fromkeys(e.pointer.split("/")[2] for e in edits if e.pointer.startswith("/members/"))
    return tuple(f"/members/{member_id}/status" for member_id in members)


def check_insured(member_ids: tuple[UUID, ...], household: Household, *, standing: Standing) -> list[Violation]:
    """Nobody unknown or twice, and something that the registry does not say already."""
    violations = check_named(household, named_members(member_ids))
    return violations or _check_news(insured_edits(member_ids, standing), household)


def named_members(member_ids: tuple[UUID, ...]) -> list[tuple[str, UUID]]:
    """Each member with where the request names them."""
    return [(f"/change/member_ids/{i}", member_id) for i, member_id in enumerate(member_ids)]


def expect_members(
    member_ids: tuple[UUID, ...],
    base: Household | None,
) -> tuple[IdentityExpectation, ...]:
    """The members named, on their card; the head, who answers for the household, where none is."""
    household = known(base)
    heads = () if household.head is None else (household.head.id,)
    people = (household.member(member_id) for member_id in member_ids or heads)
    return tuple(
        match
        for person in people
        if person is not None
        for match in expect(person, key=str(person.id), kk_number=household.kk_number, result=MatchResult.MATCHED)
    )


def _insured(change: ProgrammeChange, household: Household) -> tuple[Member, ...]:
    active = household.active_members
    return tuple(m for m in active if m.id in change.member_ids) if change.member_ids else active


def _check_news(edits: tuple[Edit, ...], household: Household) -> list[Violation]:
    if any(value_at(household, edit.pointer) != edit.value for edit in edits):
        return []
    return [
        Violation(
            pointer="/change",
            code="already_settled",
            detail="The registry says this of the household already.",
            remedy="Read the household; what became of a proposal is told by the programme itself.",
        ),
    ]
