from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.changes import (
    Applied,
    Change,
    Conflicted,
    PbiReactivation,
    ProgrammeProposal,
    apply_change,
    check_change,
    diff_change,
    identity_expectations,
)
from domain.changes.graduation import Graduation
from domain.changes.pbi_reactivation import HealthNeed
from domain.changes.self_withdrawal import SelfWithdrawal
from domain.circumstances import Circumstances
from domain.household import Household, MemberStatus
from domain.programmes import Programme, Programmes, Standing
from domain.vocabulary import Kind
from tests.unit.changes.samples import SAMPLES
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, TODAY, VILLAGE, context, family, ids

BOTH = Programmes(pkh=Standing.PROPOSED, sembako=Standing.PROPOSED)


def found(change: Change, household: Household | None = None) -> list[tuple[str, str]]:
    return [(v.pointer, v.code) for v in check_change(change, context(household or family()))]


def apply(change: Change, *, current: Household | None = None) -> Applied | Conflicted:
    now = current or family()
    return apply_change(change, base=family(), current=now, area_code=VILLAGE, new_ids=ids(), on=TODAY)


def after(change: Change) -> Household:
    result = apply(change)
    assert isinstance(result, Applied)
    return result.households[0]


def test_a_household_is_proposed_for_programmes_and_each_of_its_members_for_insurance() -> None:
    change = ProgrammeProposal(programmes=(Programme.PKH, Programme.PBI_JK))
    assert found(change) == []
    proposed = after(change)
    assert proposed.programmes == Programmes(pkh=Standing.PROPOSED)
    assert {m.pbi_jk for m in proposed.active_members} == {Standing.PROPOSED}
    assert [e.key for e in identity_expectations(change, family())] == [str(HEAD.id)]


def test_insurance_is_proposed_for_those_who_are_named() -> None:
    change = ProgrammeProposal(programmes=(Programme.PBI_JK,), member_ids=(MOTHER.id,))
    proposed = after(change)
    assert {m.id for m in proposed.members if m.pbi_jk} == {MOTHER.id}
    assert proposed.programmes == Programmes()
    assert [d.pointer for d in diff_change(change, family())] == [f"/members/{MOTHER.id}/pbi_jk"]


def test_a_reactivation_is_told_from_a_first_proposal() -> None:
    change = PbiReactivation(member_ids=(MOTHER.id, CHILD.id), need=HealthNeed.EMERGENCY)
    assert found(change) == []
    held = after(change)
    assert {m.id: m.pbi_jk for m in held.members if m.pbi_jk} == {
        MOTHER.id: Standing.REACTIVATION_PROPOSED,
        CHILD.id: Standing.REACTIVATION_PROPOSED,
    }
    assert [e.key for e in identity_expectations(change, family())] == [str(MOTHER.id), str(CHILD.id)]


def test_a_graduation_ends_programmes_and_brings_the_facts_that_it_rests_on() -> None:
    change = SAMPLES[Kind.GRADUATION]
    held = after(change)
    assert held.programmes == Programmes(pkh=Standing.GRADUATED, sembako=Standing.GRADUATED)
    assert (held.circumstances.motorcycles, held.last_verified_on) == (2, TODAY)


def test_a_graduation_without_facts_leaves_the_age_of_the_data_alone() -> None:
    sample = SAMPLES[Kind.GRADUATION]
    assert after(sample.model_copy(update={"circumstances": None})).last_verified_on == family().last_verified_on
    assert after(sample.model_copy(update={"circumstances": Circumstances()})).last_verified_on != TODAY


def test_a_withdrawal_asks_the_civil_registry_about_who_confirmed_it() -> None:
    change = SAMPLES[Kind.SELF_WITHDRAWAL]
    assert after(change).programmes == Programmes(pkh=Standing.WITHDRAWN)
    assert [e.key for e in identity_expectations(change, family())] == [str(SPOUSE.id)]


def test_a_withdrawal_is_not_applied_when_who_confirmed_it_has_died_meanwhile() -> None:
    dead = SPOUSE.model_copy(update={"status": MemberStatus.DECEASED, "died_on": TODAY})
    current = family(HEAD, dead, CHILD, MOTHER).model_copy(update={"version": 4})
    result = apply(SAMPLES[Kind.SELF_WITHDRAWAL], current=current)
    assert isinstance(result, Conflicted)
    assert [c.pointer for c in result.conflicts] == [f"/members/{SPOUSE.id}/status"]


def test_two_cases_that_settle_a_programme_differently_are_a_conflict() -> None:
    current = family().model_copy(update={"version": 4, "programmes": Programmes(pkh=Standing.GRADUATED)})
    result = apply(ProgrammeProposal(programmes=(Programme.PKH, Programme.SEMBAKO)), current=current)
    assert isinstance(result, Conflicted)
    assert [c.pointer for c in result.conflicts] == ["/programmes/pkh"]


def test_cases_about_different_programmes_merge() -> None:
    current = family().model_copy(update={"version": 4, "programmes": Programmes(pkh=Standing.GRADUATED)})
    result = apply(ProgrammeProposal(programmes=(Programme.SEMBAKO,)), current=current)
    assert isinstance(result, Applied)
    assert result.households[0].programmes == Programmes(pkh=Standing.GRADUATED, sembako=Standing.PROPOSED)


def proposal(**fields: Any) -> ProgrammeProposal:
    return ProgrammeProposal(programmes=(Programme.PKH,)).model_copy(update=fields)


def withdrawal(**fields: Any) -> SelfWithdrawal:
    sample = SAMPLES[Kind.SELF_WITHDRAWAL]
    assert isinstance(sample, SelfWithdrawal)
    return sample.model_copy(update=fields)


def graduation(**fields: Any) -> Graduation:
    sample = SAMPLES[Kind.GRADUATION]
    assert isinstance(sample, Graduation)
    return sample.model_copy(update=fields)


STRANGER = UUID(int=999)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (proposal(programmes=(Programme.PKH, Programme.PKH)), ("/change/programmes", "programme_twice")),
        (proposal(member_ids=(MOTHER.id,)), ("/change/member_ids", "members_not_expected")),
        (
            proposal(programmes=(Programme.PBI_JK,), member_ids=(STRANGER,)),
            ("/change/member_ids/0", "member_unknown"),
        ),
        (
            PbiReactivation(member_ids=(MOTHER.id, MOTHER.id), need=HealthNeed.CHRONIC),
            ("/change/member_ids/1", "member_twice"),
        ),
        (withdrawal(confirmed_by=STRANGER), ("/change/confirmed_by", "member_unknown")),
        (withdrawal(confirmed_on=TODAY + timedelta(days=1)), ("/change/confirmed_on", "date_in_future")),
        (graduation(assessed_on=TODAY + timedelta(days=1)), ("/change/assessed_on", "date_in_future")),
    ],
)
def test_what_keeps_a_change_about_programmes_from_being_accepted(change: Change, problem: tuple[str, str]) -> None:
    assert problem in found(change)


def test_what_the_registry_says_already_is_no_change() -> None:
    held = family().model_copy(update={"programmes": BOTH})
    assert found(proposal(), held) == [("/change", "already_settled")]
    assert found(proposal(programmes=(Programme.PKH, Programme.PBI_JK)), held) == []


@pytest.mark.parametrize(
    ("born", "accepted"),
    [(date(TODAY.year - 17, TODAY.month, TODAY.day), True), (date(TODAY.year - 17, TODAY.month, TODAY.day + 1), False)],
)
def test_a_minor_gives_nothing_up_until_the_day_they_are_seventeen(born: date, *, accepted: bool) -> None:
    child = CHILD.model_copy(update={"birth_date": born})
    problems = found(withdrawal(confirmed_by=child.id), family(HEAD, SPOUSE, child))
    assert (("/change/confirmed_by", "confirmed_by_a_minor") not in problems) is accepted


def test_a_head_of_seventeen_or_less_may_since_nobody_else_can() -> None:
    head = HEAD.model_copy(update={"birth_date": date(2012, 1, 1)})
    assert found(withdrawal(confirmed_by=head.id), family(head)) == []
