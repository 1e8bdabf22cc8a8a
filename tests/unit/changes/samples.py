"""One acceptable change of each kind, for the household of `families.family()` where it needs one."""

from __future__ import annotations

from datetime import date

from domain.changes import (
    AddMember,
    Change,
    CircumstancesChange,
    Death,
    IdentityCorrection,
    MemberRelation,
    MoveOut,
    NewHousehold,
    SplitHousehold,
    Staying,
)
from domain.circumstances import Address, Circumstances, Floor
from domain.household import Relation, Sex
from domain.vocabulary import Kind
from tests.unit.families import CHILD, HEAD, MOTHER, SPOUSE, person

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
}
