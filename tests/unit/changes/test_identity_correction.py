from __future__ import annotations

from datetime import date

import pytest

from domain.changes import IdentityCorrection, check_change, identity_expectations
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import Household, MemberStatus, Sex
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, context, family, nik_of

UNKNOWN = CHILD.model_copy(update={"nik": None, "no_nik_reason": "newborn"})


def found(change: IdentityCorrection, base: Household | None = None) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(base or family()))]


def test_a_name_is_corrected_and_matched_as_corrected() -> None:
    change = IdentityCorrection(member_id=SPOUSE.id, name="Euis Komalasari")
    assert found(change) == []
    (expected,) = identity_expectations(change, family())
    assert (expected.name, expected.nik, expected.key) == ("Euis Komalasari", SPOUSE.nik, str(SPOUSE.id))


def test_a_name_is_corrected_whatever_else_an_earlier_paper_explained() -> None:
    explained = SPOUSE.model_copy(update={"birth_date": date(1980, 5, 18)})
    change = IdentityCorrection(member_id=SPOUSE.id, name="Euis Komalasari")
    assert found(change, family(HEAD, explained)) == []
    assert found(IdentityCorrection(member_id=UNKNOWN.id, name="Dede R"), family(HEAD, UNKNOWN)) == []


def test_a_new_card_number_is_matched_with_the_head() -> None:
    change = IdentityCorrection(kk_number="3206130101260009")
    assert found(change) == []
    (expected,) = identity_expectations(change, family())
    assert (expected.key, expected.kk_number) == (str(HEAD.id), "3206130101260009")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (IdentityCorrection(), ("/change", "nothing_proposed")),
        (IdentityCorrection(member_id=SPOUSE.id), ("/change", "nothing_proposed")),
        (IdentityCorrection(name="Siti"), ("/change/member_id", "member_required")),
        (IdentityCorrection(member_id=family().id, name="Siti"), ("/change/member_id", "member_unknown")),
        (IdentityCorrection(kk_number="1"), ("/change/kk_number", "kk_malformed")),
        (IdentityCorrection(member_id=SPOUSE.id, nik="1"), ("/change/nik", "nik_malformed")),
        (IdentityCorrection(member_id=SPOUSE.id, sex=Sex.MALE), ("/change/sex", "nik_sex_differs")),
        (
            IdentityCorrection(member_id=SPOUSE.id, birth_date=date(1980, 5, 18)),
            ("/change/birth_date", "nik_birth_date_differs"),
        ),
        (
            IdentityCorrection(
                member_id=UNKNOWN.id, birth_date=date(2027, 1, 1), nik=nik_of(date(2027, 1, 1), Sex.MALE)
            ),
            ("/change/birth_date", "date_in_future"),
        ),
    ],
)
def test_each_fault_is_named_with_its_field(change: IdentityCorrection, expected: tuple[str, str]) -> None:
    assert found(change) == [expected]


def test_the_nik_of_another_member_is_refused() -> None:
    change = IdentityCorrection(member_id=MOTHER.id, nik=SPOUSE.nik, birth_date=SPOUSE.birth_date)
    assert found(change) == [("/change/nik", "nik_duplicate")]


def test_a_member_who_left_is_not_corrected() -> None:
    gone = SPOUSE.model_copy(update={"status": MemberStatus.MOVED_OUT})
    change = IdentityCorrection(member_id=gone.id, name="Siti")
    assert found(change, family(HEAD, gone)) == [("/change/member_id", "member_unknown")]


def test_a_court_order_changes_a_birth_date_and_leaves_the_nik() -> None:
    change = IdentityCorrection(member_id=SPOUSE.id, birth_date=date(1981, 5, 17))
    order = (EvidenceRef(type=EvidenceType.COURT_ORDER, reference="12/Pdt.P/2026"),)
    assert check_change(change, context(family(), evidence=order)) == []
