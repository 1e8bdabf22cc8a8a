"""Pindah keluar: members, or all of them, have left the village."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from domain.changes.base import (
    MAX_MEMBERS,
    Effect,
    IdentityExpectation,
    KindSpec,
    SubmissionContext,
    expect,
    known,
)
from domain.changes.headship import Departure, check_headship, departure_edits, headship_edits, relied_on
from domain.changes.persons import check_event_date, check_named
from domain.changes.places import AreaCode, CountryCode, Elsewhere, check_elsewhere
from domain.errors import Violation
from domain.evidence import EvidenceType
from domain.household import Household, HouseholdStatus, Member, MemberStatus
from domain.text import IsoDate
from domain.vocabulary import Kind


class MoveOut(Departure, frozen=True):
    """Who moved, when, and where to: an area of any level, or a country by its ISO 3166-1 code."""

    kind: Literal[Kind.MOVE_OUT] = Kind.MOVE_OUT
    whole_household: bool = False
    member_ids: Annotated[tuple[UUID, ...], Field(max_length=MAX_MEMBERS)] = ()
    moved_on: IsoDate
    destination_area: AreaCode | None = None
    destination_country: CountryCode | None = None


def check(change: MoveOut, context: SubmissionContext) -> list[Violation]:
    """Who, when and where to are clear, and those who remain have a head."""
    household = context.household
    named = [(f"/change/member_ids/{i}", member_id) for i, member_id in enumerate(change.member_ids)]
    violations = check_event_date(change.moved_on, today=context.today, pointer="/change/moved_on")
    destination = Elsewhere("destination", change.destination_area, change.destination_country)
    violations += check_elsewhere(destination, area_code=context.area_code)
    violations += check_named(household, named)
    if change.whole_household == bool(change.member_ids):
        violations.append(
            Violation(
                pointer="/change/member_ids",
                code="movers_unclear",
                detail="Either the whole household moves or the members named do.",
                remedy="Give `member_ids`, or set `whole_household` and name nobody.",
            ),
        )
    leaving = {m.id for m in _movers(change, household)}
    return violations + check_headship(change, household, leaving=leaving)


def effect(change: MoveOut, base: Household | None) -> Effect:
    """The movers are marked; a whole household relies on being whole: who joined meanwhile may not have moved."""
    destination = change.destination_area or change.destination_country
    moved = tuple(
        edit
        for member in _movers(change, known(base))
        for edit in departure_edits(
            member.id,
            MemberStatus.MOVED_OUT,
            moved_on=change.moved_on,
            moved_to=destination,
        )
    )
    return Effect(
        edits=(*moved, *headship_edits(change)),
        relies_on=("/members",) if change.whole_household else relied_on(change),
        emptied=HouseholdStatus.MOVED_OUT,
    )


def expectations(change: MoveOut, base: Household | None) -> tuple[IdentityExpectation, ...]:
    """Each mover, on whichever card they are now."""
    return tuple(
        match for member in _movers(change, known(base)) for match in expect(member, key=str(member.id), kk_number=None)
    )


def _movers(change: MoveOut, household: Household) -> tuple[Member, ...]:
    if change.whole_household:
        return household.active_members
    return tuple(m for m in household.active_members if m.id in change.member_ids)


SPEC = KindSpec(
    kind=Kind.MOVE_OUT,
    model=MoveOut,
    needs_household=True,
    evidence=(frozenset({EvidenceType.RELOCATION_LETTER, EvidenceType.SPTJM}),),
    check=check,
    effect=effect,
    expectations=expectations,
)
