from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from domain.changes import Applied, Death, MemberRelation, apply_change, check_change, identity_expectations
from domain.household import Household, HouseholdStatus, MemberStatus, Relation
from domain.vocabulary import MatchResult
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, context, family, ids

DAY = date(2026, 2, 27)
STRANGER = UUID(int=77)


def found(change: Death, base: Household | None = None) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(base or family()))]


def applied(change: Death, base: Household) -> Household:
    result = apply_change(change, base=base, current=base, area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    return result.households[0]


def test_a_dead_member_stays_in_the_household_as_deceased() -> None:
    change = Death(member_id=MOTHER.id, died_on=DAY)
    assert found(change) == []
    after = applied(change, family())
    dead = after.member(MOTHER.id)
    assert dead is not None
    assert (dead.status, dead.died_on) == (MemberStatus.DECEASED, DAY)
    assert (after.version, after.status, after.head) == (4, HouseholdStatus.ACTIVE, HEAD)
    assert after.last_verified_on == family().last_verified_on


def test_the_civil_registry_is_expected_to_know_of_the_death() -> None:
    (expected,) = identity_expectations(Death(member_id=MOTHER.id, died_on=DAY), family())
    assert (expected.expected, expected.kk_number) == (frozenset({MatchResult.DECEASED}), None)


def test_when_the_head_dies_a_new_one_is_named_and_the_others_relate_to_them() -> None:
    change = Death(
        member_id=HEAD.id,
        died_on=DAY,
        new_head_id=SPOUSE.id,
        relations=(MemberRelation(member_id=MOTHER.id, relation=Relation.PARENT_IN_LAW),),
    )
    assert found(change) == []
    after = applied(change, family())
    assert after.head is not None
    assert [(m.id, m.relation) for m in after.active_members] == [
        (SPOUSE.id, Relation.HEAD),
        (CHILD.id, Relation.CHILD),
        (MOTHER.id, Relation.PARENT_IN_LAW),
    ]


def test_the_last_death_dissolves_the_household_without_a_new_head() -> None:
    alone = family(HEAD)
    change = Death(member_id=HEAD.id, died_on=DAY)
    assert found(change, alone) == []
    assert applied(change, alone).status is HouseholdStatus.DISSOLVED


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Death(member_id=STRANGER, died_on=DAY), ("/change/member_id", "member_unknown")),
        (Death(member_id=MOTHER.id, died_on=date(2026, 3, 3)), ("/change/died_on", "date_in_future")),
        (Death(member_id=MOTHER.id, died_on=date(1950, 1, 1)), ("/change/died_on", "died_before_birth")),
        (Death(member_id=HEAD.id, died_on=DAY), ("/change/new_head_id", "new_head_required")),
        (Death(member_id=HEAD.id, died_on=DAY, new_head_id=HEAD.id), ("/change/new_head_id", "new_head_unsuitable")),
        (Death(member_id=HEAD.id, died_on=DAY, new_head_id=STRANGER), ("/change/new_head_id", "new_head_unsuitable")),
        (
            Death(member_id=MOTHER.id, died_on=DAY, new_head_id=SPOUSE.id),
            ("/change/new_head_id", "new_head_not_needed"),
        ),
        (
            Death(
                member_id=MOTHER.id,
                died_on=DAY,
                relations=(MemberRelation(member_id=CHILD.id, relation=Relation.OTHER),),
            ),
            ("/change/relations", "new_head_not_needed"),
        ),
        (
            Death(
                member_id=HEAD.id,
                died_on=DAY,
                new_head_id=SPOUSE.id,
                relations=(MemberRelation(member_id=CHILD.id, relation=Relation.HEAD),),
            ),
            ("/change/relations/0", "relation_unsuitable"),
        ),
        (
            Death(
                member_id=HEAD.id,
                died_on=DAY,
                new_head_id=SPOUSE.id,
                relations=(
                    MemberRelation(member_id=CHILD.id, relation=Relation.CHILD),
                    MemberRelation(member_id=CHILD.id, relation=Relation.OTHER),
                ),
            ),
            ("/change/relations/1/member_id", "member_twice"),
        ),
    ],
)
def test_each_fault_is_named_with_its_field(change: Death, expected: tuple[str, str]) -> None:
    assert found(change) == [expected]
