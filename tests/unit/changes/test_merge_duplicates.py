from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.changes import (
    Applied,
    Conflicted,
    DoubleEntry,
    MergeDuplicates,
    TwoVersions,
    apply_change,
    check_change,
    diff_change,
    identity_expectations,
)
from domain.household import Household, HouseholdStatus, MemberStatus, Relation, check_household
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import CHILD, DUPLICATE, HEAD, SPOUSE, TODAY, VILLAGE, context, family, ids

TWIN, DAUGHTER = DUPLICATE.members


def merger(**fields: Any) -> MergeDuplicates:
    sample = SAMPLES[Kind.MERGE_DUPLICATES]
    assert isinstance(sample, MergeDuplicates)
    return sample.model_copy(update=fields)


def found(change: MergeDuplicates, *, other: Household | None = DUPLICATE) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(family(), counterpart=other))]


def apply(
    change: MergeDuplicates,
    *,
    here: Household | None = None,
    there: Household = DUPLICATE,
) -> Applied | Conflicted:
    return apply_change(
        change,
        base=here or family(),
        current=here or family(),
        area_code=VILLAGE,
        new_ids=ids(),
        on=TODAY,
        other=TwoVersions(DUPLICATE, there),
    )


def test_who_was_there_twice_is_there_once_and_who_was_missing_joins() -> None:
    assert found(merger()) == []
    result = apply(merger())
    assert isinstance(result, Applied)
    kept, ended = result.households
    assert kept.active_members == (*family().members, DAUGHTER)
    assert (ended.status, ended.merged_into, ended.version) == (HouseholdStatus.MERGED, kept.id, DUPLICATE.version + 1)
    assert {m.status for m in ended.members} == {MemberStatus.MERGED}
    assert [check_household(h) for h in result.households] == [[], []]
    assert [e.key for e in identity_expectations(merger(), family())] == [str(HEAD.id)]


def test_who_is_not_named_stays_in_a_household_that_goes_on() -> None:
    change = merger(members=(DoubleEntry(member_id=DAUGHTER.id, relation=Relation.CHILD),))
    assert found(change) == []
    result = apply(change)
    assert isinstance(result, Applied)
    _, other = result.households
    assert (other.status, other.merged_into, other.active_members) == (HouseholdStatus.ACTIVE, None, (TWIN,))


def test_the_comparison_shows_both_households() -> None:
    shown = {d.pointer: (d.before, d.current) for d in diff_change(merger(), family(), other=_unchanged())}
    assert shown[f"/duplicate/members/{TWIN.id}/status"] == ("active", "active")
    assert shown[f"/members/{DAUGHTER.id}"] == (None, None)
    assert len(shown) == 3


def test_whoever_joined_the_other_household_meanwhile_is_not_brought_over_unasked() -> None:
    newborn = DAUGHTER.model_copy(update={"id": UUID(int=23), "nik": None, "no_nik_reason": "newborn"})
    grown = DUPLICATE.model_copy(update={"version": 3, "members": (*DUPLICATE.members, newborn)})
    result = apply(merger(), there=grown)
    assert isinstance(result, Conflicted)
    assert [c.pointer for c in result.conflicts] == ["/duplicate/members"]


def test_a_fact_of_the_other_household_that_changed_meanwhile_is_no_conflict() -> None:
    richer = DUPLICATE.model_copy(
        update={"version": 3, "circumstances": DUPLICATE.circumstances.model_copy(update={"cars": 1})},
    )
    result = apply(merger(), there=richer)
    assert isinstance(result, Applied)
    assert result.households[1].circumstances.cars == 1


def test_who_once_left_by_a_split_comes_back_as_the_same_member() -> None:
    left = CHILD.model_copy(update={"status": MemberStatus.SPLIT_OFF})
    alone = CHILD.model_copy(update={"relation": Relation.HEAD})
    there = DUPLICATE.model_copy(update={"members": (alone,)})
    here = family(HEAD, SPOUSE, left)
    change = merger(members=(DoubleEntry(member_id=CHILD.id, relation=Relation.CHILD),))
    result = apply_change(
        change,
        base=here,
        current=here,
        area_code=VILLAGE,
        new_ids=ids(),
        on=TODAY,
        other=TwoVersions(there, there),
    )
    assert isinstance(result, Applied)
    assert [m.id for m in result.households[0].members] == [HEAD.id, SPOUSE.id, CHILD.id]
    assert result.households[0].members[-1].status is MemberStatus.ACTIVE


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (merger(duplicate_id=family().id), ("/change/duplicate_id", "duplicate_is_itself")),
        (
            merger(members=(DoubleEntry(member_id=UUID(int=999), same_as=HEAD.id),)),
            ("/change/members/0/member_id", "member_unknown"),
        ),
        (
            merger(members=(DoubleEntry(member_id=TWIN.id, same_as=UUID(int=999)),)),
            ("/change/members/0/same_as", "member_unknown"),
        ),
        (
            merger(members=(DoubleEntry(member_id=TWIN.id, same_as=SPOUSE.id),)),
            ("/change/members/0/same_as", "different_persons"),
        ),
        (merger(members=(DoubleEntry(member_id=TWIN.id),)), ("/change/members/0", "double_entry_unclear")),
        (
            merger(members=(DoubleEntry(member_id=TWIN.id, same_as=HEAD.id, relation=Relation.CHILD),)),
            ("/change/members/0", "double_entry_unclear"),
        ),
        (
            merger(members=(DoubleEntry(member_id=TWIN.id, relation=Relation.HEAD),)),
            ("/change/members/0/relation", "one_head_required"),
        ),
        (
            merger(
                members=(
                    DoubleEntry(member_id=TWIN.id, same_as=HEAD.id),
                    DoubleEntry(member_id=TWIN.id, relation=Relation.CHILD),
                ),
            ),
            ("/change/members/1/member_id", "member_twice"),
        ),
        (
            merger(members=(DoubleEntry(member_id=TWIN.id, same_as=HEAD.id),)),
            ("/change/members", "new_head_required"),
        ),
    ],
)
def test_what_keeps_a_merger_from_being_accepted(change: MergeDuplicates, problem: tuple[str, str]) -> None:
    assert problem in found(change)


@pytest.mark.parametrize(
    "other",
    [
        None,
        DUPLICATE.model_copy(update={"area_code": "32.06.13.2002"}),
        DUPLICATE.model_copy(update={"status": HouseholdStatus.DISSOLVED}),
    ],
)
def test_a_household_that_is_not_here_or_has_ended_is_none_to_merge(other: Household | None) -> None:
    assert found(merger(), other=other) == [("/change/duplicate_id", "household_not_found")]


def _unchanged() -> TwoVersions:
    return TwoVersions(DUPLICATE, DUPLICATE)
