"""One acceptable change of each kind, for the household of `families.family()` where it needs one."""

from __future__ import annotations

from datetime import date

from domain.changes import (
    AddMember,
    Change,
    ChangeHead,
    CircumstancesChange,
    Death,
    DoubleEntry,
    Graduation,
    IdentityCorrection,
    MemberRelation,
    MergeDuplicates,
    MoveIn,
    MoveOut,
    NewHousehold,
    Objection,
    Objector,
    PbiReactivation,
    ProgrammeProposal,
    SelfWithdrawal,
    SplitHousehold,
    Staying,
)
from domain.changes.graduation import GraduationCause
from domain.changes.objection import Ground
from domain.changes.pbi_reactivation import HealthNeed
from domain.circumstances import Address, Circumstances, Floor
from domain.household import Relation, Sex
from domain.programmes import Programme
from domain.vocabulary import Kind
from tests.unit.families import CHILD, DUPLICATE, HEAD, MOTHER, SPOUSE, person

SAMPLES: dict[Kind, Change] = {
    Kind.NEW_HOUSEHOLD: NewHousehold(
        kk_number="3206130203260001",
        address=Address(hamlet="Sukasari", rt="3", rw="1"),
        circumstances=Circumstances(floor=Floor.EARTH),
        members=(
            person("Ujang Solihin", Relation.HEAD, born=date(1990, 8, 17), sex=Sex.MALE),
            person("Iis Aisah", Relation.SPOUSE, born=date(1993, 4, 2)),
        ),
    ),
    Kind.CIRCUMSTANCES: CircumstancesChange(
        circumstances=Circumstances(floor=Floor.CERAMIC, power_va=900),
        address=Address(rt="5"),
    ),
    Kind.IDENTITY_CORRECTION: IdentityCorrection(member_id=SPOUSE.id, name="Euis Komalasari"),
    Kind.ADD_MEMBER: AddMember(member=person("Neng Siti", Relation.CHILD_IN_LAW, born=date(2005, 6, 1))),
    Kind.DEATH: Death(member_id=MOTHER.id, died_on=date(2026, 2, 27)),
    Kind.MOVE_OUT: MoveOut(member_ids=(CHILD.id,), moved_on=date(2026, 2, 1), destination_area="32.73"),
    Kind.SPLIT_HOUSEHOLD: SplitHousehold(
        kk_number="3206130203260002",
        staying=tuple(Staying(member_id=m.id) for m in (HEAD, SPOUSE, MOTHER)),
        leaving=(MemberRelation(member_id=CHILD.id, relation=Relation.HEAD),),
    ),
    Kind.MOVE_IN: MoveIn(
        kk_number="3206130203260003",
        address=Address(hamlet="Cikadu", rt="2", rw="4"),
        circumstances=Circumstances(floor=Floor.CEMENT),
        members=(person("Cecep Hidayat", Relation.HEAD, born=date(1985, 3, 30), sex=Sex.MALE, serial=3),),
        moved_on=date(2026, 1, 12),
        origin_area="32.73",
    ),
    Kind.CHANGE_HEAD: ChangeHead(
        new_head_id=SPOUSE.id,
        relations=(MemberRelation(member_id=HEAD.id, relation=Relation.SPOUSE),),
    ),
    Kind.MERGE_DUPLICATES: MergeDuplicates(
        duplicate_id=DUPLICATE.id,
        duplicate_version=DUPLICATE.version,
        members=(
            DoubleEntry(member_id=DUPLICATE.members[0].id, same_as=HEAD.id),
            DoubleEntry(member_id=DUPLICATE.members[1].id, relation=Relation.CHILD),
        ),
    ),
    Kind.GRADUATION: Graduation(
        programmes=(Programme.PKH, Programme.SEMBAKO),
        cause=GraduationCause.IMPROVED_MEANS,
        assessed_on=date(2026, 2, 20),
        circumstances=Circumstances(motorcycles=2),
    ),
    Kind.SELF_WITHDRAWAL: SelfWithdrawal(
        programmes=(Programme.PKH,),
        confirmed_by=SPOUSE.id,
        confirmed_on=date(2026, 2, 25),
    ),
    Kind.PROGRAMME_PROPOSAL: ProgrammeProposal(
        programmes=(Programme.SEMBAKO, Programme.PBI_JK),
        member_ids=(MOTHER.id,),
    ),
    Kind.PBI_REACTIVATION: PbiReactivation(member_ids=(MOTHER.id,), need=HealthNeed.CHRONIC),
    Kind.OBJECTION: Objection(
        ground=Ground.BETTER_OFF,
        statement="Rumahnya sudah berlantai keramik dan ada dua mobil.",
        objector=Objector(name="Yayat Supriatna", contact="RT 03 RW 01"),
        circumstances=Circumstances(floor=Floor.CERAMIC, cars=2),
    ),
}
