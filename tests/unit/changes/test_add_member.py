from __future__ import annotations

from datetime import date

from domain.changes import AddMember, check_change, identity_expectations
from domain.household import MemberDetails, Relation, Sex
from tests.unit.families import SPOUSE, context, family, person

BABY = MemberDetails(
    no_nik_reason="newborn",
    name="Cep Rizki",
    sex=Sex.MALE,
    birth_date=date(2026, 2, 20),
    relation=Relation.GRANDCHILD,
)
BRIDE = person("Neng Siti", Relation.CHILD_IN_LAW, born=date(2005, 6, 1))


def found(details: MemberDetails) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(AddMember(member=details), context(family()))]


def test_a_newborn_without_nik_is_accepted_and_matched_with_nobody() -> None:
    assert found(BABY) == []
    assert identity_expectations(AddMember(member=BABY), family()) == ()


def test_who_has_a_nik_is_matched_on_the_card_of_the_household() -> None:
    assert found(BRIDE) == []
    (expected,) = identity_expectations(AddMember(member=BRIDE), family())
    assert (expected.key, expected.nik, expected.kk_number) == ("new:0", BRIDE.nik, family().kk_number)


def test_a_second_head_or_somebody_already_there_is_refused() -> None:
    assert found(BRIDE.model_copy(update={"relation": Relation.HEAD})) == [
        ("/change/member/relation", "one_head_required"),
    ]
    again = MemberDetails.model_validate(SPOUSE.model_dump(include=set(MemberDetails.model_fields)))
    assert found(again) == [("/change/member/nik", "nik_duplicate")]
