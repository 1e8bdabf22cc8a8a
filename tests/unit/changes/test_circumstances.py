from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.changes import CHANGE_ADAPTER, CircumstancesChange, check_change, identity_expectations
from domain.circumstances import Address, Circumstances, Floor
from tests.unit.families import HEAD, context, family


@pytest.mark.parametrize(
    "change",
    [
        CircumstancesChange(),
        CircumstancesChange(circumstances=Circumstances(), address=Address()),
        CircumstancesChange(circumstances=Circumstances(floor=None)),
    ],
)
def test_a_change_that_proposes_nothing_is_refused(change: CircumstancesChange) -> None:
    assert [v.code for v in check_change(change, context(family()))] == ["nothing_proposed"]


def test_repeating_what_is_known_is_accepted_since_it_renews_the_record() -> None:
    same = CircumstancesChange(circumstances=Circumstances(floor=Floor.CEMENT))
    assert check_change(same, context(family())) == []


def test_the_head_answers_for_the_household() -> None:
    change = CircumstancesChange(address=Address(rt="5"))
    (expected,) = identity_expectations(change, family())
    assert (expected.key, expected.nik, expected.kk_number) == (str(HEAD.id), HEAD.nik, family().kk_number)


@pytest.mark.parametrize(
    "fields",
    [{"floor": "gold"}, {"floor_area_m2": 0}, {"motorcycles": -1}, {"power_va": 10**9}, {"monthly_income_idr": 1.5}],
)
def test_values_out_of_bounds_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CHANGE_ADAPTER.validate_python({"kind": "circumstances", "circumstances": fields})
