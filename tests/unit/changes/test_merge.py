from __future__ import annotations

from datetime import date

import pytest

from domain.changes import (
    AddMember,
    Applied,
    Change,
    CircumstancesChange,
    Conflicted,
    Death,
    IdentityCorrection,
    MoveOut,
    apply_change,
)
from domain.circumstances import Address, Circumstances, Floor, Wall
from domain.household import Household, HouseholdStatus, MemberDetails, Relation, Sex
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, family, ids, nik_of, person

BABY = MemberDetails(
    no_nik_reason="newborn",
    name="Cep Rizki",
    sex=Sex.MALE,
    birth_date=date(2026, 2, 20),
    relation=Relation.GRANDCHILD,
)
DAY = date(2026, 2, 27)


def merge(change: Change, base: Household, current: Household) -> Applied | Conflicted:
    return apply_change(
        change,
        base=base,
        current=current,
        area_code=VILLAGE,
        new_ids=ids(1000 * current.version),
        on=TODAY,
    )


def after(change: Change, household: Household) -> Household:
    result = merge(change, household, household)
    assert isinstance(result, Applied)
    return result.households[0]


def conflicts(change: Change, current: Household, base: Household | None = None) -> list[str]:
    result = merge(change, base or family(), current)
    assert isinstance(result, Conflicted)
    return [c.pointer for c in result.conflicts]


def facts(**fields: object) -> CircumstancesChange:
    return CircumstancesChange(circumstances=Circumstances.model_validate(fields))


def test_fields_that_others_changed_are_left_as_they_are_now() -> None:
    current = after(CircumstancesChange(address=Address(rt="9")), after(facts(wall=Wall.MASONRY), family()))
    result = merge(facts(floor=Floor.CERAMIC), family(), current)
    assert isinstance(result, Applied)
    (household,) = result.households
    assert (household.circumstances.floor, household.circumstances.wall) == (Floor.CERAMIC, Wall.MASONRY)
    assert household.address.rt == "009"
    assert household.circumstances.power_va == 450
    assert household.version == current.version + 1
    assert household.last_verified_on == TODAY


def test_the_same_field_changed_differently_is_a_conflict_of_three_values() -> None:
    current = after(facts(floor=Floor.TILE_TERRAZZO), family())
    result = merge(facts(floor=Floor.CERAMIC, wall=Wall.MASONRY), family(), current)
    assert isinstance(result, Conflicted)
    (conflict,) = result.conflicts
    assert conflict.model_dump() == {
        "pointer": "/circumstances/floor",
        "base": "cement",
        "theirs": "tile_terrazzo",
        "ours": "ceramic",
    }


def test_the_same_value_on_both_sides_is_no_conflict() -> None:
    current = after(facts(floor=Floor.CERAMIC), family())
    assert isinstance(merge(facts(floor=Floor.CERAMIC), family(), current), Applied)


def test_a_value_that_was_only_repeated_gives_way_to_a_newer_one() -> None:
    current = after(facts(floor=Floor.CERAMIC), family())
    result = merge(facts(floor=Floor.CEMENT, power_va=900), family(), current)
    assert isinstance(result, Applied)
    assert result.households[0].circumstances.floor is Floor.CERAMIC


def test_two_reports_of_one_death_agree_and_two_dates_do_not() -> None:
    current = after(Death(member_id=MOTHER.id, died_on=DAY), family())
    assert isinstance(merge(Death(member_id=MOTHER.id, died_on=DAY), family(), current), Applied)
    assert conflicts(Death(member_id=MOTHER.id, died_on=date(2026, 2, 26)), current) == [
        f"/members/{MOTHER.id}/died_on"
    ]


def test_the_last_death_reported_twice_agrees_too() -> None:
    alone = family(HEAD)
    death = Death(member_id=HEAD.id, died_on=DAY)
    assert isinstance(merge(death, alone, after(death, alone)), Applied)


def test_who_died_meanwhile_does_not_move() -> None:
    current = after(Death(member_id=CHILD.id, died_on=DAY), family())
    assert conflicts(SAMPLES[Kind.MOVE_OUT], current) == [f"/members/{CHILD.id}/status"]


def test_who_was_split_off_meanwhile_is_not_corrected_in_the_old_household() -> None:
    current = after(SAMPLES[Kind.SPLIT_HOUSEHOLD], family())
    assert conflicts(IdentityCorrection(member_id=CHILD.id, name="Dede Rohmat"), current) == [
        f"/members/{CHILD.id}/status"
    ]


def test_who_died_meanwhile_does_not_become_head() -> None:
    current = after(Death(member_id=SPOUSE.id, died_on=DAY), family())
    change = MoveOut(member_ids=(HEAD.id,), moved_on=DAY, destination_area="32.73", new_head_id=SPOUSE.id)
    assert conflicts(change, current) == [f"/members/{SPOUSE.id}/status"]


def test_a_household_that_has_moved_away_takes_no_other_change() -> None:
    gone = after(MoveOut(whole_household=True, moved_on=DAY, destination_area="32.73"), family())
    assert gone.status is HouseholdStatus.MOVED_OUT
    for kind in (Kind.CIRCUMSTANCES, Kind.ADD_MEMBER, Kind.IDENTITY_CORRECTION):
        assert "/status" in conflicts(SAMPLES[kind], gone)


@pytest.mark.parametrize(
    "change",
    [SAMPLES[Kind.SPLIT_HOUSEHOLD], MoveOut(whole_household=True, moved_on=DAY, destination_area="32.73")],
)
def test_a_member_added_meanwhile_is_neither_split_nor_moved_by_accident(change: Change) -> None:
    current = after(AddMember(member=BABY), family())
    assert conflicts(change, current) == ["/members"]


def test_the_same_person_added_twice_is_found() -> None:
    bride = SAMPLES[Kind.ADD_MEMBER]
    found = conflicts(bride, after(bride, family()))
    assert len(found) == 2
    assert all(pointer.endswith("/nik") for pointer in found)


def test_two_newborns_added_by_two_updates_are_both_there() -> None:
    twin = BABY.model_copy(update={"name": "Neng Rizka", "sex": Sex.FEMALE})
    result = merge(AddMember(member=twin), family(), after(AddMember(member=BABY), family()))
    assert isinstance(result, Applied)
    assert [m.name for m in result.households[0].active_members[-2:]] == ["Cep Rizki", "Neng Rizka"]


def test_a_relation_to_a_head_who_is_head_no_longer_is_asked_again() -> None:
    current = after(Death(member_id=HEAD.id, died_on=DAY, new_head_id=SPOUSE.id), family())
    assert f"/members/{HEAD.id}/status" in conflicts(AddMember(member=BABY), current)


def test_two_deaths_that_leave_nobody_to_be_head_are_a_conflict() -> None:
    current = after(Death(member_id=HEAD.id, died_on=DAY, new_head_id=MOTHER.id), family())
    assert conflicts(Death(member_id=MOTHER.id, died_on=DAY), current) == ["/members"]


def test_two_deaths_of_the_only_two_dissolve_the_household() -> None:
    two = family(HEAD, SPOUSE)
    current = after(Death(member_id=HEAD.id, died_on=DAY, new_head_id=SPOUSE.id), two)
    result = merge(Death(member_id=SPOUSE.id, died_on=DAY), two, current)
    assert isinstance(result, Applied)
    assert result.households[0].status is HouseholdStatus.DISSOLVED


def test_nik_and_birth_date_corrected_by_two_updates_are_looked_at_together() -> None:
    right = date(1981, 5, 17)
    current = after(IdentityCorrection(member_id=SPOUSE.id, birth_date=right), family())
    change = IdentityCorrection(member_id=SPOUSE.id, nik=nik_of(date(1982, 5, 17), Sex.FEMALE))
    assert conflicts(change, current) == [f"/members/{SPOUSE.id}/birth_date"]
    assert isinstance(merge(SAMPLES[Kind.IDENTITY_CORRECTION], family(), current), Applied)


def test_a_correction_that_gives_somebody_else_the_nik_of_a_newcomer_is_found() -> None:
    newcomer = person("Siti Maryam", Relation.OTHER_RELATIVE, born=date(1951, 12, 31), serial=44)
    current = after(AddMember(member=newcomer), family())
    found = conflicts(IdentityCorrection(member_id=MOTHER.id, nik=newcomer.nik), current)
    assert f"/members/{MOTHER.id}/nik" in found


def test_a_conflict_over_a_number_is_shown_masked_and_never_in_a_repr() -> None:
    theirs, ours = nik_of(SPOUSE.birth_date, Sex.FEMALE, serial=2), nik_of(SPOUSE.birth_date, Sex.FEMALE, serial=3)
    current = after(IdentityCorrection(member_id=SPOUSE.id, nik=theirs), family())
    result = merge(IdentityCorrection(member_id=SPOUSE.id, nik=ours), family(), current)
    assert isinstance(result, Conflicted)
    (conflict,) = result.conflicts
    assert conflict.ours == ours
    assert conflict.masked().ours == "3206••••••••0003"
    assert ours not in repr(result)


def test_a_change_without_the_household_it_needs_is_a_defect_and_loud() -> None:
    with pytest.raises(ValueError, match="needs the household"):
        apply_change(
            SAMPLES[Kind.CIRCUMSTANCES],
            base=None,
            current=None,
            area_code=VILLAGE,
            new_ids=ids(),
            on=TODAY,
        )
