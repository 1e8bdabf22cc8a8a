"""Households and acceptable changes to them, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

from hypothesis import strategies as st

from domain.changes import (
    AddMember,
    Change,
    ChangeHead,
    CircumstancesChange,
    Death,
    Graduation,
    IdentityCorrection,
    MemberRelation,
    MoveOut,
    Objection,
    ProgrammeProposal,
    SplitHousehold,
    Staying,
)
from domain.changes.graduation import GraduationCause
from domain.changes.objection import Ground
from domain.circumstances import Address, Circumstances, Floor, Wall
from domain.household import Household, Member, MemberDetails, Relation, Sex
from domain.programmes import Programme
from tests.unit.families import TODAY, family, nik_of

NAMES = st.sampled_from(("Asep", "Euis", "Dede", "Iis", "Ujang", "Neng", "Cecep", "Imas"))
OTHERS = st.sampled_from([r for r in Relation if r is not Relation.HEAD])
FACTS = st.builds(
    Circumstances,
    floor=st.none() | st.sampled_from(Floor),
    wall=st.none() | st.sampled_from(Wall),
    power_va=st.none() | st.sampled_from((0, 450, 900, 1300)),
    motorcycles=st.none() | st.integers(0, 3),
)
PLACES = st.builds(Address, rt=st.none() | st.integers(1, 20).map(str), hamlet=st.none() | st.just("Pasir"))


@st.composite
def people(draw: st.DrawFn, *, serial: int, relation: Relation) -> MemberDetails:
    born = draw(st.dates(date(1930, 1, 1), TODAY - timedelta(days=400)))
    sex = draw(st.sampled_from(Sex))
    return MemberDetails(
        nik=nik_of(born, sex, serial=serial),
        name=draw(NAMES),
        sex=sex,
        birth_date=born,
        relation=relation,
    )


@st.composite
def households(draw: st.DrawFn) -> Household:
    size = draw(st.integers(1, 6))
    head = draw(st.integers(0, size - 1))
    members: list[Member] = []
    for i in range(size):
        relation = Relation.HEAD if i == head else draw(OTHERS)
        details = draw(people(serial=i + 1, relation=relation))
        members.append(Member(id=UUID(int=i + 1), **dict(details)))
    return family(*members).model_copy(update={"circumstances": draw(FACTS), "address": draw(PLACES)})


@st.composite
def circumstances_changes(draw: st.DrawFn, household: Household) -> CircumstancesChange:
    del household
    return CircumstancesChange(circumstances=draw(FACTS), address=draw(st.none() | PLACES))


@st.composite
def corrections(draw: st.DrawFn, household: Household) -> IdentityCorrection:
    member = draw(st.sampled_from(household.active_members))
    return IdentityCorrection(
        member_id=member.id,
        name=draw(st.none() | NAMES),
        nik=draw(st.none() | st.just(nik_of(member.birth_date, member.sex, serial=5000))),
        kk_number=draw(st.none() | st.just("3206130101990001")),
    )


@st.composite
def additions(draw: st.DrawFn, household: Household) -> AddMember:
    del household
    return AddMember(member=draw(people(serial=draw(st.integers(6000, 9999)), relation=draw(OTHERS))))


@st.composite
def deaths(draw: st.DrawFn, household: Household) -> Death:
    member = draw(st.sampled_from(household.active_members))
    return Death(
        member_id=member.id,
        died_on=draw(st.dates(member.birth_date, TODAY)),
        new_head_id=draw(successors(household, leaving={member.id})),
    )


@st.composite
def moves(draw: st.DrawFn, household: Household) -> MoveOut:
    ids = [m.id for m in household.active_members]
    leaving = draw(st.sets(st.sampled_from(ids), min_size=1))
    whole = leaving == set(ids) and draw(st.booleans())
    return MoveOut(
        whole_household=whole,
        member_ids=() if whole else tuple(i for i in ids if i in leaving),
        moved_on=TODAY,
        destination_country="MY",
        new_head_id=draw(successors(household, leaving=leaving)),
    )


@st.composite
def splits(draw: st.DrawFn, household: Household) -> SplitHousehold:
    """Two sides with a head each; the members' relations are otherwise as they may be."""
    members = draw(st.permutations(household.active_members))
    cut = draw(st.integers(0, len(members)))
    head = household.head
    return SplitHousehold.model_construct(
        kk_number="3206130101990002",
        staying=tuple(
            Staying(
                member_id=m.id,
                relation=Relation.HEAD if i == 0 and head not in members[:cut] else draw(st.none() | OTHERS),
            )
            if m != head
            else Staying(member_id=m.id)
            for i, m in enumerate(members[:cut])
        ),
        leaving=tuple(
            MemberRelation(member_id=m.id, relation=draw(OTHERS) if i else Relation.HEAD)
            for i, m in enumerate(members[cut:])
        ),
        address=draw(st.none() | PLACES),
    )


def successors(household: Household, *, leaving: set[UUID]) -> st.SearchStrategy[UUID | None]:
    """A member to become head where one is needed, and now and then where none is."""
    remaining = [m.id for m in household.active_members if m.id not in leaving]
    head = household.head
    if remaining and head is not None and head.id in leaving:
        return st.sampled_from(remaining)
    return st.none()


@st.composite
def new_heads(draw: st.DrawFn, household: Household) -> ChangeHead:
    head = household.head
    assert head is not None
    others = [m.id for m in household.active_members if m.id != head.id]
    return ChangeHead(
        new_head_id=draw(st.sampled_from(others)) if others else head.id,
        relations=(MemberRelation(member_id=head.id, relation=draw(OTHERS)),),
        kk_number=draw(st.none() | st.just("3206130101990003")),
    )


@st.composite
def proposals(draw: st.DrawFn, household: Household) -> ProgrammeProposal:
    programmes = draw(st.lists(st.sampled_from(Programme), min_size=1, unique=True))
    return ProgrammeProposal(programmes=tuple(programmes), member_ids=draw(some_insured(household, programmes)))


@st.composite
def graduations(draw: st.DrawFn, household: Household) -> Graduation:
    programmes = draw(st.lists(st.sampled_from(Programme), min_size=1, unique=True))
    return Graduation(
        programmes=tuple(programmes),
        member_ids=draw(some_insured(household, programmes)),
        cause=draw(st.sampled_from(GraduationCause)),
        assessed_on=TODAY,
        circumstances=draw(st.none() | FACTS),
    )


@st.composite
def objections(draw: st.DrawFn, household: Household) -> Objection:
    del household
    return Objection(
        ground=draw(st.sampled_from(Ground)),
        statement="Tidak sesuai keadaan.",
        circumstances=draw(st.none() | FACTS),
    )


def some_insured(household: Household, programmes: list[Programme]) -> st.SearchStrategy[tuple[UUID, ...]]:
    """Members whose insurance a change is about; none where it is about no insurance."""
    if Programme.PBI_JK not in programmes:
        return st.just(())
    ids = [m.id for m in household.active_members]
    return st.lists(st.sampled_from(ids), unique=True).map(tuple)


KINDS: tuple[Callable[[Household], st.SearchStrategy[Change]], ...] = (
    circumstances_changes,
    corrections,
    additions,
    deaths,
    moves,
    splits,
    new_heads,
    proposals,
    graduations,
    objections,
)


@st.composite
def changed_households(draw: st.DrawFn) -> tuple[Household, Change]:
    household = draw(households())
    return household, draw(draw(st.sampled_from(KINDS))(household))


@st.composite
def twice_changed_households(draw: st.DrawFn) -> tuple[Household, Change, Change]:
    household, first = draw(changed_households())
    return household, first, draw(draw(st.sampled_from(KINDS))(household))
