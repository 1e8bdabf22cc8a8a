from __future__ import annotations

from uuid import UUID

import pytest

from domain.changes import (
    Applied,
    ChangeHead,
    Conflicted,
    MemberRelation,
    apply_change,
    check_change,
    identity_expectations,
)
from domain.household import Household, Relation
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, context, family, ids

HUSBAND = MemberRelation(member_id=HEAD.id, relation=Relation.SPOUSE)
NEW_CARD = "3206130101100077"


def found(change: ChangeHead) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(family()))]


def apply(change: ChangeHead, *, current: Household | None = None) -> Applied | Conflicted:
    now = current or family()
    return apply_change(change, base=family(), current=now, area_code=VILLAGE, new_ids=ids(), on=TODAY)


def test_a_wife_becomes_head_on_a_new_card_and_everybody_stays() -> None:
    mother = MemberRelation(member_id=MOTHER.id, relation=Relation.PARENT_IN_LAW)
    change = ChangeHead(new_head_id=SPOUSE.id, relations=(HUSBAND, mother), kk_number=NEW_CARD)
    assert found(change) == []
    result = apply(change)
    assert isinstance(result, Applied)
    (after,) = result.households
    assert after.kk_number == NEW_CARD
    assert {m.id: m.relation for m in after.active_members} == {
        HEAD.id: Relation.SPOUSE,
        SPOUSE.id: Relation.HEAD,
        CHILD.id: Relation.CHILD,
        MOTHER.id: Relation.PARENT_IN_LAW,
    }


def test_the_new_head_is_matched_on_the_card_that_the_family_is_to_have() -> None:
    (kept,) = identity_expectations(ChangeHead(new_head_id=SPOUSE.id, relations=(HUSBAND,)), family())
    (given,) = identity_expectations(
        ChangeHead(new_head_id=SPOUSE.id, relations=(HUSBAND,), kk_number=NEW_CARD),
        family(),
    )
    assert (kept.key, kept.kk_number, given.kk_number) == (str(SPOUSE.id), family().kk_number, NEW_CARD)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (ChangeHead(new_head_id=HEAD.id, relations=()), ("/change/new_head_id", "head_unchanged")),
        (ChangeHead(new_head_id=SPOUSE.id, relations=()), ("/change/relations", "former_head_forgotten")),
        (
            ChangeHead(new_head_id=UUID(int=77), relations=(HUSBAND,)),
            ("/change/new_head_id", "new_head_unsuitable"),
        ),
        (
            ChangeHead(
                new_head_id=SPOUSE.id,
                relations=(MemberRelation(member_id=HEAD.id, relation=Relation.HEAD),),
            ),
            ("/change/relations/0", "relation_unsuitable"),
        ),
        (
            ChangeHead(new_head_id=SPOUSE.id, relations=(HUSBAND,), kk_number="12"),
            ("/change/kk_number", "kk_malformed"),
        ),
    ],
)
def test_what_keeps_a_change_of_head_from_being_accepted(change: ChangeHead, problem: tuple[str, str]) -> None:
    assert problem in found(change)


def test_whoever_left_meanwhile_is_no_head() -> None:
    change = ChangeHead(new_head_id=SPOUSE.id, relations=(HUSBAND,))
    gone = family(HEAD, CHILD, MOTHER).model_copy(update={"version": 4})
    assert isinstance(apply(change, current=gone), Conflicted)
