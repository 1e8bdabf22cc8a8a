from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.changes import Applied, MoveOut, apply_change, check_change, identity_expectations
from domain.household import Household, HouseholdStatus, MemberStatus
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, context, family, ids

DAY = date(2026, 2, 1)


def move(**fields: object) -> MoveOut:
    given: dict[str, object] = {"moved_on": DAY, "destination_area": "32.73", **fields}
    return MoveOut.model_validate(given)


def found(change: MoveOut) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(family()))]


def applied(change: MoveOut) -> Household:
    base = family()
    result = apply_change(change, base=base, current=base, area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    return result.households[0]


def test_a_child_moves_to_the_city_and_the_others_stay() -> None:
    change = move(member_ids=(CHILD.id,))
    assert found(change) == []
    after = applied(change)
    gone = after.member(CHILD.id)
    assert gone is not None
    assert (gone.status, gone.moved_on, gone.moved_to) == (MemberStatus.MOVED_OUT, DAY, "32.73")
    assert after.active_members == (HEAD, SPOUSE, MOTHER)
    assert [e.key for e in identity_expectations(change, family())] == [str(CHILD.id)]


def test_a_whole_household_moves_abroad_and_is_no_longer_here() -> None:
    change = move(whole_household=True, destination_area=None, destination_country="MY")
    assert found(change) == []
    after = applied(change)
    assert after.status is HouseholdStatus.MOVED_OUT
    assert after.active_members == ()
    assert len(identity_expectations(change, family())) == 4


def test_when_the_head_moves_a_new_one_is_named() -> None:
    assert found(move(member_ids=(HEAD.id,))) == [("/change/new_head_id", "new_head_required")]
    change = move(member_ids=(HEAD.id,), new_head_id=SPOUSE.id)
    assert found(change) == []
    head = applied(change).head
    assert head is not None
    assert head.id == SPOUSE.id


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("/change/member_ids", "movers_unclear")),
        ({"whole_household": True, "member_ids": (CHILD.id,)}, ("/change/member_ids", "movers_unclear")),
        ({"member_ids": (CHILD.id, CHILD.id)}, ("/change/member_ids/1", "member_twice")),
        ({"member_ids": (CHILD.id, UUID(int=77))}, ("/change/member_ids/1", "member_unknown")),
        ({"member_ids": (CHILD.id,), "moved_on": date(2026, 3, 3)}, ("/change/moved_on", "date_in_future")),
        ({"member_ids": (CHILD.id,), "destination_area": None}, ("/change/destination_area", "destination_unclear")),
        ({"member_ids": (CHILD.id,), "destination_country": "MY"}, ("/change/destination_area", "destination_unclear")),
        (
            {"member_ids": (CHILD.id,), "destination_area": VILLAGE},
            ("/change/destination_area", "destination_same_village"),
        ),
        ({"whole_household": True, "new_head_id": CHILD.id}, ("/change/new_head_id", "new_head_not_needed")),
    ],
)
def test_each_fault_is_named_with_its_field(fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert found(move(**fields)) == [expected]


@pytest.mark.parametrize("code", ["3273", "32.73.", "Bandung", "32.06.13.20"])
def test_a_destination_is_an_area_code(code: str) -> None:
    with pytest.raises(ValidationError):
        move(member_ids=(CHILD.id,), destination_area=code)
