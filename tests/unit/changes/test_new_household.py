from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from domain.changes import Applied, NewHousehold, apply_change, check_change, identity_expectations
from domain.circumstances import Address, Circumstances, Roof
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import MemberDetails, Relation, Sex, check_household
from tests.unit.families import EVERY_PAPER, TODAY, VILLAGE, context, family, ids, person

FATHER = person("Ujang Solihin", Relation.HEAD, born=date(1990, 8, 17), sex=Sex.MALE)
BABY = MemberDetails(
    no_nik_reason="newborn",
    name="Neng Salma",
    sex=Sex.FEMALE,
    birth_date=date(2026, 2, 1),
    relation=Relation.CHILD,
)


def proposal(*members: MemberDetails, **other: object) -> NewHousehold:
    return NewHousehold.model_validate(
        {
            "kk_number": "3206130203260001",
            "address": Address(hamlet="Sukasari", rt="03", rw="1"),
            "circumstances": Circumstances(roof=Roof.TILE),
            "members": members or (FATHER, BABY),
            **other,
        },
    )


def found(change: NewHousehold) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context())]


def test_a_family_with_a_newborn_is_accepted_and_becomes_version_one_of_the_village() -> None:
    change = proposal()
    assert found(change) == []
    result = apply_change(change, base=None, current=None, area_code=VILLAGE, new_ids=ids(), on=TODAY)
    assert isinstance(result, Applied)
    (household,) = result.households
    assert check_household(household) == []
    assert (household.version, household.area_code, household.desil) == (1, VILLAGE, None)
    assert household.last_verified_on == TODAY
    assert household.address.rt == "003"
    assert [m.name for m in household.members] == ["Ujang Solihin", "Neng Salma"]
    assert len({household.id, *(m.id for m in household.members)}) == 3


def test_the_civil_registry_is_asked_of_those_who_have_a_nik_only() -> None:
    (expected,) = identity_expectations(proposal(), None)
    assert (expected.key, expected.kk_number) == ("new:0", "3206130203260001")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            proposal(FATHER, FATHER.model_copy(update={"nik": None, "no_nik_reason": "undocumented"})),
            "/change/members/1/relation",
        ),
        (proposal(BABY), "/change/members"),
    ],
)
def test_two_heads_or_none_are_refused_where_they_stand(change: NewHousehold, expected: str) -> None:
    assert found(change) == [(expected, "one_head_required")]


def test_the_same_nik_twice_is_refused_at_the_second() -> None:
    again = FATHER.model_copy(update={"relation": Relation.OTHER_RELATIVE})
    assert found(proposal(FATHER, again)) == [("/change/members/1/nik", "nik_duplicate")]


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"nik": "12"}, "nik", "nik_malformed"),
        ({"nik": None}, "nik", "nik_required"),
        ({"no_nik_reason": "newborn"}, "no_nik_reason", "nik_reason_not_needed"),
        ({"nik": None, "no_nik_reason": "newborn"}, "no_nik_reason", "newborn_too_old"),
        ({"sex": Sex.FEMALE}, "nik", "nik_sex_differs"),
        ({"birth_date": date(1990, 8, 18)}, "nik", "nik_birth_date_differs"),
        (
            {"nik": None, "no_nik_reason": "undocumented", "birth_date": TODAY + timedelta(days=1)},
            "birth_date",
            "date_in_future",
        ),
        (
            {"nik": None, "no_nik_reason": "undocumented", "birth_date": date(1890, 1, 1)},
            "birth_date",
            "birth_date_implausible",
        ),
    ],
)
def test_each_fault_of_a_person_is_named_with_its_field(fields: dict[str, object], pointer: str, code: str) -> None:
    assert found(proposal(FATHER.model_copy(update=fields))) == [(f"/change/members/0/{pointer}", code)]


@pytest.mark.parametrize("explained_by", [EvidenceType.CORRECTION_LETTER, EvidenceType.COURT_ORDER])
def test_a_correction_letter_explains_a_birth_date_that_the_nik_does_not_hold(explained_by: EvidenceType) -> None:
    corrected = proposal(FATHER.model_copy(update={"birth_date": date(1990, 8, 18)}))
    papers = (*EVERY_PAPER, EvidenceRef(type=explained_by, reference="470/1"))
    assert check_change(corrected, context(evidence=papers)) == []


def test_card_number_and_place_are_needed() -> None:
    assert found(proposal(kk_number="32061302032600")) == [("/change/kk_number", "kk_malformed")]
    assert found(proposal(address=Address(landmark="dekat mushola"))) == [("/change/address", "address_missing")]


def test_an_existing_household_is_not_named() -> None:
    violations = check_change(proposal(), context(family()))
    assert [(v.pointer, v.code) for v in violations] == [("/household_id", "household_not_expected")]


@pytest.mark.parametrize("members", [(), (FATHER,) * 31])
def test_nobody_or_more_than_thirty_are_refused(members: tuple[MemberDetails, ...]) -> None:
    with pytest.raises(ValidationError):
        NewHousehold(kk_number="1", address=Address(), circumstances=Circumstances(), members=members)
