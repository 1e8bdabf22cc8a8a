from __future__ import annotations

import pytest

from domain.changes import Applied, CircumstancesChange, apply_change, diff_change
from domain.circumstances import Circumstances, Floor
from domain.household import Household
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import CHILD, SPOUSE, TODAY, VILLAGE, family, ids

EDITING = (Kind.CIRCUMSTANCES, Kind.IDENTITY_CORRECTION, Kind.ADD_MEMBER, Kind.DEATH, Kind.MOVE_OUT)


def applied(kind: Kind) -> Household:
    base = family()
    result = apply_change(SAMPLES[kind], base=base, current=base, area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    return result.households[0]


def test_each_altered_field_is_shown_before_after_and_now() -> None:
    now = family().model_copy(update={"circumstances": Circumstances(floor=Floor.WOOD)})
    diffs = {d.pointer: (d.before, d.after, d.current) for d in diff_change(SAMPLES[Kind.CIRCUMSTANCES], family(), now)}
    assert diffs == {
        "/circumstances/floor": ("cement", "ceramic", "wood"),
        "/circumstances/power_va": (450, 900, None),
        "/address/rt": ("001", "005", "001"),
    }


def test_a_value_that_the_base_already_had_is_no_difference() -> None:
    assert diff_change(CircumstancesChange(circumstances=Circumstances(power_va=450)), family()) == ()


@pytest.mark.parametrize("kind", EDITING)
def test_what_has_been_applied_differs_no_longer(kind: Kind) -> None:
    assert diff_change(SAMPLES[kind], family())
    assert all(d.after == d.current for d in diff_change(SAMPLES[kind], family(), applied(kind)))
    assert diff_change(SAMPLES[kind], applied(kind)) == ()


def test_a_new_household_is_shown_field_by_field_with_its_numbers_masked_on_demand() -> None:
    diffs = {d.pointer: d for d in diff_change(SAMPLES[Kind.NEW_HOUSEHOLD], None)}
    assert {"/kk_number", "/address/hamlet", "/circumstances/floor", "/members/new:0", "/members/new:1"} <= diffs.keys()
    assert diffs["/kk_number"].masked().after == "3206••••••••0001"
    masked = diffs["/members/new:1"].masked().after
    assert isinstance(masked, dict)
    assert (masked["nik"], masked["name"]) == ("3206••••••••0001", "Iis Aisah")


def test_a_split_shows_who_leaves_and_the_household_they_found() -> None:
    diffs = {d.pointer: d.after for d in diff_change(SAMPLES[Kind.SPLIT_HOUSEHOLD], family())}
    assert diffs == {
        f"/members/{CHILD.id}/status": "split_off",
        "/new_household/kk_number": "3206130203260002",
        f"/new_household/members/{CHILD.id}/relation": "head",
    }


def test_a_name_is_shown_with_the_member_it_belongs_to() -> None:
    (diff,) = diff_change(SAMPLES[Kind.IDENTITY_CORRECTION], family())
    assert (diff.pointer, diff.before) == (f"/members/{SPOUSE.id}/name", "Euis Komariah")
