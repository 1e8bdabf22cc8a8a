"""What the civil registry's answers make of a case."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import insert

from db.models import IdentityResult
from domain.changes import AddMember, Death, IdentityCorrection, NewHousehold
from domain.circumstances import Address, Circumstances
from domain.contracts import AwaitDecision, AwaitRepair, CheckIdentity
from domain.errors import Forbidden
from domain.household import Household, Relation, Sex
from domain.vocabulary import MatchResult, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.casework.refused import refused
from tests.scene import SYSTEM, household_of
from tests.unit.families import person
from tests.workflows.stack import floor_area


def couple(**of_spouse: object) -> NewHousehold:
    spouse = person("Iis Aisah", Relation.SPOUSE, born=date(1993, 4, 2), serial=7102)
    return NewHousehold(
        kk_number="3206130203269902",
        address=Address(hamlet="Sukasari", rt="3", rw="1"),
        circumstances=Circumstances(floor_area_m2=20),
        members=(
            person("Ujang Solihin", Relation.HEAD, born=date(1990, 8, 17), sex=Sex.MALE, serial=7101),
            spouse.model_copy(update=of_spouse),
        ),
    )


def head_of(household: Household) -> str:
    assert household.head is not None
    return str(household.head.id)


@pytest.mark.parametrize(
    ("result", "fields", "reason"),
    [
        (MatchResult.MISMATCHED, ["name"], ReasonCode.IDENTITY_MISMATCH),
        (MatchResult.NOT_FOUND, [], ReasonCode.IDENTITY_NOT_FOUND),
        (MatchResult.DECEASED, [], ReasonCode.DECEASED),
    ],
)
async def test_unexpected_answer_about_one_member_returns_the_case_with_its_reason_and_field(
    play: Play,
    result: MatchResult,
    fields: list[str],
    reason: ReasonCode,
) -> None:
    update_id = await play.begin(couple(), place=None)
    step = await play.registry_says(update_id, {"new:1": (result, fields)})
    assert isinstance(step, AwaitRepair)
    case = await play.case(update_id)
    assert (case.status, case.reason, case.returned_from) == (Status.RETURNED, reason, Stage.IDENTITY_CHECK)
    answers = await play.scene.rows("SELECT person_key, result, fields FROM identity_results ORDER BY person_key")
    assert [tuple(row) for row in answers] == [("new:0", "matched", []), ("new:1", result, fields)]
    decision = await play.scene.one("SELECT * FROM decisions WHERE update_id = :id", id=update_id)
    assert (decision.outcome, decision.reason, decision.decided_by, decision.actor_id) == (
        *("return", reason, "system"),
        None,
    )
    told = await play.scene.rows("SELECT to_user_id FROM notifications WHERE subject = 'returned'")
    assert [row.to_user_id for row in told] == [case.submitted_by]


async def test_death_expects_the_registry_to_know_of_it(play: Play) -> None:
    household = household_of(0)
    change = Death(member_id=household.members[-1].id, died_on=date(2026, 1, 5))
    update_id = await play.begin(change)
    step = await play.registry_says(update_id, MatchResult.DECEASED)
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.VERIFICATION


async def test_death_of_somebody_who_is_alive_to_the_registry_returns_as_a_conflict_of_sources(play: Play) -> None:
    change = Death(member_id=household_of(0).members[-1].id, died_on=date(2026, 1, 5))
    update_id = await play.begin(change)
    assert isinstance(await play.registry_says(update_id, MatchResult.MATCHED), AwaitRepair)
    assert (await play.case(update_id)).reason == ReasonCode.SOURCE_CONFLICT


async def test_newborn_without_a_number_goes_on_with_nobody_to_ask_about(play: Play) -> None:
    newborn = person("Neng Siti", Relation.CHILD, born=date(2026, 2, 1)).model_copy(
        update={"nik": None, "no_nik_reason": "newborn"},
    )
    update_id = await play.begin(AddMember(member=newborn))
    case = await play.case(update_id)
    assert (case.status, case.settled) == (Status.IN_VERIFICATION, ["identity_check"])
    assert await play.scene.rows("SELECT 1 FROM tasks WHERE stage = 'identity_check'") == []


async def test_member_without_a_number_is_not_asked_about_and_the_others_are(play: Play) -> None:
    change = couple(nik=None, no_nik_reason="undocumented")
    step = await play.open(await play.begin(change, place=None))
    assert isinstance(step, CheckIdentity)
    assert step.persons == ("new:0",)


async def test_correction_is_matched_with_the_proposed_values(play: Play) -> None:
    household = household_of(0)
    assert household.head is not None
    update_id = await play.begin(IdentityCorrection(member_id=household.head.id, name="Asep Suherman"))
    step = await play.open(update_id)
    assert isinstance(step, CheckIdentity)
    assert step.persons == (head_of(household),)


async def test_check_is_not_judged_while_an_answer_is_missing(play: Play) -> None:
    update_id = await play.begin(couple(), place=None)
    step = await play.open(update_id)
    assert isinstance(step, CheckIdentity)
    async with play.scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            insert(IdentityResult).values(
                update_id=update_id,
                task_id=step.task_id,
                person_key="new:0",
                area_code="32.06.13.2001",
                result="matched",
                checked_at=play.now,
            ),
        )
    still = await play.judge(update_id, step.task_id)
    assert isinstance(still, CheckIdentity)
    assert still.persons == ("new:1",)
    assert (await play.case(update_id)).status == Status.CHECKING
    assert await play.scene.rows("SELECT 1 FROM decisions") == []


async def test_judging_twice_judges_once(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    checked = (await play.case(update_id)).task
    first = await play.registry_says(update_id)
    assert await play.judge(update_id, checked) == first
    assert len(await play.scene.rows("SELECT 1 FROM decisions")) == 1


async def test_returned_case_is_checked_again_with_what_was_repaired(play: Play) -> None:
    update_id = await play.begin(couple(), place=None)
    await play.registry_says(update_id, {"new:1": (MatchResult.MISMATCHED, ["name"])})
    step = (await play.resubmit(update_id, couple(name="Iis Aisyah"))).next
    assert isinstance(step, CheckIdentity)
    assert step.persons == ("new:0", "new:1"), "answers about an earlier submission do not count"
    assert isinstance(await play.registry_says(update_id), AwaitDecision)
    assert (await play.case(update_id)).revision == 2


async def test_waiver_lets_the_case_go_on_only_once_the_patience_is_over_and_is_made_up_for(play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    with refused(Forbidden):
        await play.decide(update_id, "kabid")

    step = await play.milestone(update_id)
    assert (step.level, step.status) == (1, Status.CHECKING)
    waived = await play.decide(update_id, "kabid", minutes=None)
    assert waived.next.status is Status.IN_VERIFICATION
    assert (await play.case(update_id)).identity_waived

    step = await play.forward_to(update_id, Stage.ENDORSEMENT)
    step = (await play.decide(update_id, "kadis")).next
    assert isinstance(step, CheckIdentity), "nothing leaves the regency unchecked"
    again = await play.milestone(update_id)
    assert again.level == 1
    case = await play.case(update_id)
    grants = await play.scene.rows("SELECT power FROM task_grants WHERE task_id = :task", task=case.task)
    assert [row.power for row in grants] == ["manage"], "what was waived is not waived twice"
    step = await play.registry_says(update_id)
    assert step.status is Status.IN_DELIVERY
    assert not (await play.case(update_id)).identity_waived
