from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.household import Household, HouseholdStatus, MemberStatus, Relation, check_household
from tests.unit.families import CHILD, HEAD, SPOUSE, family


def codes(household: Household) -> list[str]:
    return [v.code for v in check_household(household)]


def test_a_sound_household_has_nothing_against_it() -> None:
    assert check_household(family()) == []


def test_members_who_left_count_for_nothing() -> None:
    old_head = HEAD.model_copy(update={"id": UUID(int=9), "status": MemberStatus.DECEASED})
    household = family(old_head, HEAD, SPOUSE)
    assert check_household(household) == []
    assert household.head == HEAD
    assert household.active_members == (HEAD, SPOUSE)


def test_two_heads_no_head_and_nobody_are_told_apart() -> None:
    second = SPOUSE.model_copy(update={"relation": Relation.HEAD})
    gone = HEAD.model_copy(update={"status": MemberStatus.MOVED_OUT})
    assert codes(family(HEAD, second)) == ["one_head_required"]
    assert codes(family(SPOUSE, CHILD)) == ["one_head_required"]
    assert codes(family(gone)) == ["household_empty"]


def test_an_ended_household_holds_nobody() -> None:
    ended = family().model_copy(update={"status": HouseholdStatus.DISSOLVED})
    assert codes(ended) == ["household_not_empty"]


def test_the_same_nik_twice_is_found_at_both_members() -> None:
    twin = CHILD.model_copy(update={"nik": SPOUSE.nik})
    found = check_household(family(HEAD, SPOUSE, twin))
    assert [(v.code, v.pointer) for v in found] == [
        ("nik_duplicate", f"/members/{SPOUSE.id}/nik"),
        ("nik_duplicate", f"/members/{twin.id}/nik"),
    ]
    assert not any(str(SPOUSE.nik) in v.model_dump_json() for v in found)


def test_a_member_without_nik_needs_a_reason_and_one_with_it_has_none() -> None:
    nameless = CHILD.model_copy(update={"nik": None})
    both = CHILD.model_copy(update={"no_nik_reason": "undocumented"})
    excused = CHILD.model_copy(update={"nik": None, "no_nik_reason": "undocumented"})
    assert codes(family(HEAD, nameless)) == ["nik_or_reason"]
    assert codes(family(HEAD, both)) == ["nik_or_reason"]
    assert codes(family(HEAD, excused)) == []


def test_an_id_is_borne_once() -> None:
    assert "member_id_duplicate" in codes(family(HEAD, SPOUSE.model_copy(update={"id": HEAD.id})))


def test_a_stored_household_reads_back_as_it_was() -> None:
    household = family()
    assert Household.model_validate_json(household.model_dump_json()) == household


def test_numbers_show_neither_in_a_repr_nor_in_a_validation_error() -> None:
    household = family()
    assert household.kk_number not in repr(household)
    assert str(HEAD.nik) not in repr(household)
    with pytest.raises(ValidationError) as refused:
        Household.model_validate({**household.model_dump(), "version": 0, "surprise": household.kk_number})
    assert household.kk_number not in str(refused.value)


def test_the_rank_is_between_one_and_ten() -> None:
    with pytest.raises(ValidationError):
        Household.model_validate({**family().model_dump(), "desil": 11})
