"""Each kind of change, from its submission to what it makes of the registry."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.changes import (
    AddMember,
    ChangeHead,
    CircumstancesChange,
    Death,
    DoubleEntry,
    IdentityCorrection,
    MemberRelation,
    MergeDuplicates,
    MoveIn,
    MoveOut,
    NewHousehold,
    Objection,
    Objector,
    ProgrammeProposal,
    SelfWithdrawal,
    SplitHousehold,
    Staying,
)
from domain.changes.objection import Ground
from domain.circumstances import Address, Circumstances, Floor
from domain.contracts import AwaitDecision, Closed
from domain.household import Household, HouseholdStatus, Member, MemberStatus, Relation, Sex
from domain.ids import new_id
from domain.programmes import Programme, Standing
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from tests.casework.play import Play
from tests.scene import HOUSEHOLDS, household_of
from tests.unit.families import person

NEWCOMER = person("Neng Siti", Relation.CHILD, born=date(2019, 6, 1), serial=7001)
NEW_CARD = "3206130203269901"


def place_of(*, at_least: int, but: int | None = None) -> int:
    """Where a household of so many members stands, all of them with a NIK; not the one at `but`."""
    return next(
        place
        for place in range(HOUSEHOLDS)
        if place != but
        and len(household_of(place).members) >= at_least
        and all(m.nik for m in household_of(place).members)
    )


FAMILY = place_of(at_least=3)


def family() -> Household:
    return household_of(FAMILY)


async def test_new_household_is_founded(play: Play) -> None:
    change = NewHousehold(
        kk_number=NEW_CARD,
        address=Address(hamlet="Sukasari", rt="3", rw="1"),
        circumstances=Circumstances(floor=Floor.EARTH),
        members=(person("Ujang Solihin", Relation.HEAD, born=date(1990, 8, 17), sex=Sex.MALE, serial=7002),),
    )
    update_id = await play.begin(change, place=None)
    assert isinstance(await play.through(update_id), Closed)
    case = await play.case(update_id)
    assert case.status == Status.APPLIED
    founded = await play.scene.household(case.household_id)
    assert (founded.version, founded.kk_number, founded.area_code) == (1, NEW_CARD, case.area_code)
    assert [member.name for member in founded.members] == ["Ujang Solihin"]


async def test_circumstances_are_changed_and_the_facts_are_of_today(play: Play) -> None:
    change = CircumstancesChange(circumstances=Circumstances(floor=Floor.BAMBOO, floor_area_m2=21))
    update_id = await play.begin(change, place=FAMILY)
    await play.through(update_id)
    household = await play.scene.household(family().id)
    assert (household.circumstances.floor, household.circumstances.floor_area_m2) == (Floor.BAMBOO, 21)
    assert household.version == 2
    assert household.last_verified_on is not None
    assert household.last_verified_on >= datetime.now(UTC).date()
    assert household.members == family().members


async def test_identity_is_corrected(play: Play) -> None:
    member = family().members[1]
    update_id = await play.begin(IdentityCorrection(member_id=member.id, name="Euis Komalasari"), place=FAMILY)
    await play.through(update_id)
    corrected = (await play.scene.household(family().id)).member(member.id)
    assert corrected == member.model_copy(update={"name": "Euis Komalasari"})


async def test_member_is_added(play: Play) -> None:
    update_id = await play.begin(AddMember(member=NEWCOMER), place=FAMILY)
    await play.through(update_id)
    household = await play.scene.household(family().id)
    assert household.members[:-1] == family().members
    assert household.members[-1].name == NEWCOMER.name


async def test_death_of_a_member_is_entered(play: Play) -> None:
    member = family().members[-1]
    update_id = await play.begin(Death(member_id=member.id, died_on=date(2026, 1, 5)), place=FAMILY)
    await play.through(update_id)
    household = await play.scene.household(family().id)
    gone = household.member(member.id)
    assert gone is not None
    assert (gone.status, gone.died_on) == (MemberStatus.DECEASED, date(2026, 1, 5))
    assert household.status is HouseholdStatus.ACTIVE


async def test_member_moves_out(play: Play) -> None:
    member = family().members[-1]
    change = MoveOut(member_ids=(member.id,), moved_on=date(2026, 2, 1), destination_area="32.73")
    update_id = await play.begin(change, place=FAMILY)
    await play.through(update_id)
    gone = (await play.scene.household(family().id)).member(member.id)
    assert gone is not None
    assert (gone.status, gone.moved_to) == (MemberStatus.MOVED_OUT, "32.73")


async def test_household_is_split_and_both_are_written_as_one(play: Play) -> None:
    *staying, leaving = family().members
    change = SplitHousehold(
        kk_number=NEW_CARD,
        staying=tuple(Staying(member_id=member.id) for member in staying),
        leaving=(MemberRelation(member_id=leaving.id, relation=Relation.HEAD),),
    )
    update_id = await play.begin(change, place=FAMILY)
    await play.through(update_id)
    case = await play.case(update_id)
    assert case.household_id == family().id
    rows = await play.scene.rows("SELECT household_id FROM household_versions WHERE update_id = :id", id=update_id)
    (founded_id,) = {row.household_id for row in rows} - {family().id}
    old, founded = await play.scene.household(family().id), await play.scene.household(founded_id)
    assert [member.id for member in old.active_members] == [member.id for member in staying]
    assert [(member.id, member.relation) for member in founded.members] == [(leaving.id, Relation.HEAD)]
    assert founded.kk_number == NEW_CARD


async def test_household_that_moves_in_is_founded_with_where_it_came_from(play: Play) -> None:
    change = MoveIn(
        kk_number=NEW_CARD,
        address=Address(hamlet="Sukasari", rt="3", rw="1"),
        circumstances=Circumstances(),
        members=(person("Ujang Solihin", Relation.HEAD, born=date(1990, 8, 17), sex=Sex.MALE, serial=7003),),
        moved_on=date(2026, 1, 5),
        origin_country="MY",
    )
    update_id = await play.begin(change, place=None)
    assert isinstance(await play.through(update_id), Closed)
    founded = await play.scene.household((await play.case(update_id)).household_id)
    assert (founded.came_from, founded.came_on) == ("MY", date(2026, 1, 5))


async def test_household_gets_a_new_head_and_a_new_card(play: Play) -> None:
    head, heir, *_ = family().members
    former = MemberRelation(member_id=head.id, relation=Relation.PARENT)
    update_id = await play.begin(
        ChangeHead(new_head_id=heir.id, relations=(former,), kk_number=NEW_CARD),
        place=FAMILY,
    )
    assert isinstance(await play.through(update_id), Closed)
    household = await play.scene.household(family().id)
    assert household.head is not None
    assert (household.head.id, household.kk_number) == (heir.id, NEW_CARD)
    assert {m.id for m in household.active_members} == {m.id for m in family().members}


async def test_double_entry_ends_and_both_keep_their_history(play: Play) -> None:
    other = household_of(place_of(at_least=1, but=FAMILY))
    joining = tuple(DoubleEntry(member_id=m.id, relation=Relation.OTHER_RELATIVE) for m in other.members)
    change = MergeDuplicates(duplicate_id=other.id, duplicate_version=other.version, members=joining)
    update_id = await play.begin(change, place=FAMILY)
    assert isinstance(await play.through(update_id), Closed)
    kept, ended = await play.scene.household(family().id), await play.scene.household(other.id)
    assert {m.id for m in kept.active_members} == {m.id for m in (*family().members, *other.members)}
    assert (ended.status, ended.merged_into, ended.active_members) == (HouseholdStatus.MERGED, kept.id, ())
    versions = await play.scene.rows(
        "SELECT household_id, version FROM household_versions WHERE update_id = :id",
        id=update_id,
    )
    assert {(row.household_id, row.version) for row in versions} == {(kept.id, 2), (ended.id, 2)}
    held = await play.scene.rows(
        "SELECT 1 FROM identity_digests WHERE household_id = :id AND ended_at IS NULL", id=other.id
    )
    assert held == []


async def test_double_entry_that_changed_meanwhile_is_looked_at_again(play: Play) -> None:
    other = household_of(place_of(at_least=1, but=FAMILY))
    joining = tuple(DoubleEntry(member_id=m.id, relation=Relation.OTHER_RELATIVE) for m in other.members)
    change = MergeDuplicates(duplicate_id=other.id, duplicate_version=other.version, members=joining)
    update_id = await play.begin(change, place=FAMILY)
    newborn = Member(id=new_id(), **dict(NEWCOMER))
    await play.scene.change_meanwhile(other, members=(*other.members, newborn))
    assert isinstance(await play.through(update_id), AwaitDecision)
    case = await play.case(update_id)
    assert case.status == Status.IN_VERIFICATION
    assert case.findings[0]["fields"] == ["/duplicate/members"]
    assert (await play.scene.household(other.id)).status is HouseholdStatus.ACTIVE


async def test_programmes_are_proposed_and_later_left(play: Play) -> None:
    member = family().members[0]
    proposal = ProgrammeProposal(programmes=(Programme.SEMBAKO, Programme.PBI_JK), member_ids=(member.id,))
    assert isinstance(await play.through(await play.begin(proposal, place=FAMILY)), Closed)
    household = await play.scene.household(family().id)
    assert household.programmes.sembako is Standing.PROPOSED
    assert {m.id for m in household.members if m.pbi_jk is Standing.PROPOSED} == {member.id}

    withdrawal = SelfWithdrawal(
        programmes=(Programme.SEMBAKO,),
        confirmed_by=member.id,
        confirmed_on=date(2026, 2, 1),
    )
    assert isinstance(await play.through(await play.begin(withdrawal, place=FAMILY), receipt_no="SIKS-2"), Closed)
    assert (await play.scene.household(family().id)).programmes.sembako is Standing.WITHDRAWN


async def test_objection_that_is_upheld_sets_the_facts(play: Play) -> None:
    change = Objection(
        ground=Ground.BETTER_OFF,
        statement="Sudah punya dua mobil.",
        objector=Objector(name="Yayat Supriatna"),
        circumstances=Circumstances(cars=2),
    )
    update_id = await play.begin(change, place=FAMILY)
    assert isinstance(await play.through(update_id), Closed)
    assert (await play.scene.household(family().id)).circumstances.cars == 2
    decided = await play.scene.rows(
        "SELECT stage FROM decisions WHERE update_id = :id AND decided_by = 'officer' ORDER BY decided_at", id=update_id
    )
    assert [row.stage for row in decided] == ["ground_check", "verification", "approval"]


def other_floor(square_metres: int) -> dict[str, object]:
    return {"circumstances": family().circumstances.model_copy(update={"floor_area_m2": square_metres})}


async def test_field_that_nobody_else_touched_merges_with_what_changed_meanwhile(play: Play) -> None:
    update_id = await play.begin(CircumstancesChange(circumstances=Circumstances(power_va=900)), place=FAMILY)
    await play.scene.change_meanwhile(family(), **other_floor(77))
    await play.through(update_id)
    household = await play.scene.household(family().id)
    assert household.version == 3
    assert (household.circumstances.power_va, household.circumstances.floor_area_m2) == (900, 77)


async def test_field_that_somebody_else_changed_meanwhile_goes_back_to_verification_and_is_then_applied(
    play: Play,
) -> None:
    update_id = await play.begin(CircumstancesChange(circumstances=Circumstances(floor_area_m2=30)), place=FAMILY)
    await play.scene.change_meanwhile(family(), **other_floor(77))
    step = await play.through(update_id)
    assert isinstance(step, AwaitDecision)
    case = await play.case(update_id)
    assert (case.status, case.base_version, case.closed_at) == (Status.IN_VERIFICATION, 2, None)
    assert [finding["code"] for finding in case.findings] == ["data_conflict"]
    assert case.findings[0]["fields"] == ["/circumstances/floor_area_m2"]
    assert (await play.scene.household(family().id)).circumstances.floor_area_m2 == 77

    assert isinstance(await play.through(update_id, receipt_no="SIKS-2"), Closed)
    household = await play.scene.household(family().id)
    assert (household.version, household.circumstances.floor_area_m2) == (3, 30)


async def test_conflict_does_not_ask_the_village_again(play: Play) -> None:
    update_id = await play.begin(CircumstancesChange(circumstances=Circumstances(floor_area_m2=30)), place=FAMILY)
    await play.scene.change_meanwhile(family(), **other_floor(77))
    await play.through(update_id)
    step = (await play.decide(update_id, "puskesos.taraju")).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.APPROVAL


async def test_conflict_that_a_verifier_finds_untrue_by_now_is_rejected(play: Play) -> None:
    member = family().members[-1]
    update_id = await play.begin(Death(member_id=member.id, died_on=date(2026, 1, 5)), place=FAMILY)
    moved = member.model_copy(update={"status": MemberStatus.MOVED_OUT, "moved_on": date(2026, 2, 1)})
    await play.scene.change_meanwhile(family(), members=(*family().members[:-1], moved))
    assert isinstance(await play.through(update_id), AwaitDecision)
    await play.decide(update_id, "puskesos.taraju", Outcome.REJECT, reason=ReasonCode.MOVED)
    assert (await play.case(update_id)).status == Status.REJECTED
    assert (await play.scene.household(family().id)).version == 2
