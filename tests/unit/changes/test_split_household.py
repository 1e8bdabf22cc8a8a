from __future__ import annotations

from uuid import UUID

import pytest

from domain.changes import (
    Applied,
    MemberRelation,
    SplitHousehold,
    Staying,
    apply_change,
    check_change,
    identity_expectations,
)
from domain.circumstances import Address, Circumstances
from domain.household import MemberStatus, Relation, check_household
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, context, family, ids

NEW_CARD = "3206130203260002"
STRANGER = UUID(int=77)
STAY = tuple(Staying(member_id=m.id) for m in (HEAD, SPOUSE, MOTHER))
LEAVE = (MemberRelation(member_id=CHILD.id, relation=Relation.HEAD),)


def split(**fields: object) -> SplitHousehold:
    given: dict[str, object] = {"kk_number": NEW_CARD, "staying": STAY, "leaving": LEAVE, **fields}
    return SplitHousehold.model_validate(given)


def found(change: SplitHousehold) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(family()))]


def test_a_grown_child_founds_a_household_at_the_same_address_with_facts_of_its_own() -> None:
    change = split()
    assert found(change) == []
    result = apply_change(change, base=family(), current=family(), area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    old, new = result.households
    assert check_household(old) == check_household(new) == []
    assert old.active_members == (HEAD, SPOUSE, MOTHER)
    left = old.member(CHILD.id)
    assert left is not None
    assert left.status is MemberStatus.SPLIT_OFF
    assert new.members == (CHILD.model_copy(update={"relation": Relation.HEAD}),)
    assert (new.version, new.kk_number, new.address) == (1, NEW_CARD, family().address)
    assert (new.circumstances, new.desil, new.last_verified_on) == (Circumstances(), None, None)


def test_the_new_household_may_have_an_address_of_its_own() -> None:
    change = split(address=Address(hamlet="Pasir", rt="4"))
    result = apply_change(change, base=family(), current=family(), area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    assert result.households[1].address.hamlet == "Pasir"


def test_when_the_head_leaves_those_who_stay_get_one() -> None:
    staying = (Staying(member_id=SPOUSE.id, relation=Relation.HEAD), *STAY[2:], Staying(member_id=CHILD.id))
    change = split(staying=staying, leaving=(MemberRelation(member_id=HEAD.id, relation=Relation.HEAD),))
    assert found(change) == []


def test_who_leaves_is_matched_on_the_new_card() -> None:
    (expected,) = identity_expectations(split(), family())
    assert (expected.key, expected.kk_number) == (str(CHILD.id), NEW_CARD)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"staying": STAY[:2]}, [("/change/staying", "member_forgotten")]),
        ({"staying": (*STAY, Staying(member_id=CHILD.id))}, [("/change/leaving/0/member_id", "member_twice")]),
        ({"staying": (*STAY, STAY[1])}, [("/change/staying/3/member_id", "member_twice")]),
        ({"staying": (*STAY, Staying(member_id=STRANGER))}, [("/change/staying/3/member_id", "member_unknown")]),
        ({"kk_number": family().kk_number}, [("/change/kk_number", "kk_unchanged")]),
        ({"kk_number": "12"}, [("/change/kk_number", "kk_malformed")]),
        (
            {"leaving": (MemberRelation(member_id=CHILD.id, relation=Relation.CHILD),)},
            [("/change/leaving", "one_head_required")],
        ),
        (
            {"staying": STAY[1:], "leaving": (*LEAVE, MemberRelation(member_id=HEAD.id, relation=Relation.PARENT))},
            [("/change/staying", "one_head_required")],
        ),
    ],
)
def test_each_fault_is_named_with_its_field(fields: dict[str, object], expected: list[tuple[str, str]]) -> None:
    assert found(split(**fields)) == expected


def test_the_forgotten_member_is_named_by_id_and_not_by_number() -> None:
    (violation,) = check_change(split(staying=STAY[:2]), context(family()))
    assert str(MOTHER.id) in violation.detail
    assert str(MOTHER.nik) not in violation.model_dump_json()
