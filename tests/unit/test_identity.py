from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.household import Sex
from domain.identity import check_kk, check_nik, mask, nik_warnings
from tests.unit.families import TODAY, nik_of

BORN = date(1980, 5, 17)
WOMAN = nik_of(BORN, Sex.FEMALE)


def codes(nik: str, *, birth_date: date = BORN, sex: Sex = Sex.FEMALE) -> list[str]:
    found = check_nik(nik, birth_date=birth_date, sex=sex, today=TODAY, pointer="/nik")
    assert all(v.pointer == "/nik" and nik not in v.model_dump_json() for v in found if nik)
    return [v.code for v in found]


@given(st.dates(min_value=date(1927, 1, 1), max_value=TODAY), st.sampled_from(Sex), st.integers(1, 9999))
def test_a_number_made_from_birth_date_and_sex_agrees_with_them(born: date, sex: Sex, serial: int) -> None:
    assert codes(nik_of(born, sex, serial=serial), birth_date=born, sex=sex) == []


@pytest.mark.parametrize(
    "nik",
    [
        "",
        WOMAN[:-1],
        WOMAN + "1",
        f"{WOMAN[:6]}.{WOMAN[6:]}",
        "٣٢٠٦١٣٥٧٠٥٨٠٠٠٠١",
        "3206135705800000",
        "3200135705800001",
        "3206003005800001",
        "3206137205800001",
        "3206134005800001",
        "3206133002800001",
        "3206135713800001",
    ],
)
def test_what_cannot_be_a_nik_is_malformed_and_nothing_else(nik: str) -> None:
    assert codes(nik) == ["nik_malformed"]


def test_women_are_told_by_forty_added_to_the_day() -> None:
    assert codes(WOMAN, sex=Sex.MALE) == ["nik_sex_differs"]
    assert codes(nik_of(BORN, Sex.MALE)) == ["nik_sex_differs"]


def test_a_differing_birth_date_is_named() -> None:
    assert codes(WOMAN, birth_date=date(1980, 5, 18)) == ["nik_birth_date_differs"]
    assert codes(WOMAN, birth_date=date(1980, 6, 17)) == ["nik_birth_date_differs"]
    assert codes(WOMAN, birth_date=date(1981, 5, 17)) == ["nik_birth_date_differs"]


def test_a_child_of_2005_is_not_dated_to_1905_and_a_person_of_101_is_not_a_baby() -> None:
    assert codes(nik_of(date(2005, 8, 1), Sex.FEMALE), birth_date=date(2005, 8, 1)) == []
    assert codes(nik_of(date(1924, 8, 1), Sex.FEMALE), birth_date=date(1924, 8, 1)) == []


def test_numbers_of_old_provinces_and_old_regencies_are_warned_of_and_not_refused() -> None:
    former_province = nik_of(BORN, Sex.FEMALE, prefix="540101")
    former_regency = nik_of(BORN, Sex.FEMALE, prefix="326913")
    assert codes(former_province) == []
    assert nik_warnings(former_province) == ["nik_province_unknown"]
    assert codes(former_regency) == []
    assert nik_warnings(former_regency) == ["nik_region_unknown"]
    assert nik_warnings(WOMAN) == []
    assert nik_warnings("not a number") == []


@pytest.mark.parametrize("kk", ["", "320613010110000", "32061301011000071", "3206 1301 0110 0007", "32061301O1100007"])
def test_a_card_number_is_sixteen_digits(kk: str) -> None:
    assert [v.code for v in check_kk(kk, pointer="/kk_number")] == ["kk_malformed"]
    assert check_kk("3206130101100007", pointer="/kk_number") == []


def test_masking_leaves_the_place_of_issue_and_the_serial() -> None:
    assert mask("3206135705800001") == "3206••••••••0001"
    assert mask("320613") == "••••••"
