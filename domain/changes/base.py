"""What every kind of change is made of: its model, what it needs, what it does, whom it has to match.

A kind is one module with a `KindSpec`, listed in `registry.py`. Checking, merging, diffing and matching are
written once over these parts, so that a further kind touches neither the workflow nor the services.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.evidence import EvidenceRef, EvidenceType
from domain.household import Household, HouseholdStatus, MemberDetails, Relation, Sex
from domain.vocabulary import Kind, MatchResult

MAX_MEMBERS = 30
"""Most members that one change may name."""


class ChangeBase(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """A proposal of one kind. Unknown fields are refused; in partial proposals null means "not proposed"."""

    kind: Kind


class MemberRelation(BaseModel, frozen=True, extra="forbid"):
    """A present member and the relation to the head that they are to have."""

    member_id: UUID
    relation: Relation


MemberRelations = Annotated[tuple[MemberRelation, ...], Field(max_length=MAX_MEMBERS)]


@dataclass(frozen=True, slots=True)
class SubmissionContext:
    """What a change is checked against: the day in the area's zone, its papers, the household it is based on.

    `counterpart` is the other household that the change names, if its kind names one and it is to be seen.
    """

    today: date
    evidence: tuple[EvidenceRef, ...]
    base: Household | None
    area_code: str
    counterpart: Household | None = None

    @property
    def household(self) -> Household:
        """The household of a kind that needs one; `check_change` has made sure that it is there."""
        return known(self.base)

    def has_any(self, *types: EvidenceType) -> bool:
        """Whether at least one paper of these types came with the change."""
        return any(e.type in types for e in self.evidence)


class IdentityExpectation(BaseModel, frozen=True):
    """One person to be matched with the civil registry, and the answers that let the case go on.

    `key` is stable over repairs: the member's id, or `new:0` for the first person not yet registered.
    `kk_number` is None where the family card is not compared: who has died or moved is no longer on it.
    """

    key: str
    nik: str = Field(repr=False)
    kk_number: str | None = Field(repr=False)
    name: str
    birth_date: date
    sex: Sex
    expected: frozenset[MatchResult] = frozenset({MatchResult.MATCHED})


@dataclass(frozen=True, slots=True)
class Edit:
    """One field, by its pointer in the household (see `fields.py`), and the value it is to have."""

    pointer: str
    value: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class Founding:
    """A household to be written anew, of people new to the registry or of members who leave another household.

    Without an address they stay at the one they left.
    """

    kk_number: str = field(repr=False)
    address: Address | None
    circumstances: Circumstances
    newcomers: tuple[MemberDetails, ...] = ()
    joining: tuple[MemberRelation, ...] = ()
    came_from: str | None = None
    came_on: date | None = None


@dataclass(frozen=True, slots=True)
class Absorption:
    """What becomes of another household that was a double entry, in whole or in part, of the one that is changed.

    `leaving` no longer belong to it; those of them in `joining` are to belong to the changed household.
    """

    leaving: tuple[UUID, ...]
    joining: tuple[MemberRelation, ...]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A household that a change concerns beside the one it is based on, in the version in which it was read."""

    household_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does, as data, worked out on the household that it was based on.

    `relies_on` names fields that it does not set but that must be as they were, or the merge would be wrong;
    `emptied` is what becomes of the household if nobody is left in it; `verifies` says that the facts of the
    household were seen to, so that their age begins anew.
    """

    edits: tuple[Edit, ...] = ()
    newcomers: tuple[MemberDetails, ...] = ()
    founding: Founding | None = None
    absorption: Absorption | None = None
    relies_on: tuple[str, ...] = ()
    emptied: HouseholdStatus | None = None
    verifies: bool = False


C = TypeVar("C", bound=ChangeBase)


def _no_counterpart(change: ChangeBase) -> None:
    del change


@dataclass(frozen=True, slots=True)
class KindSpec(Generic[C]):
    """One kind of change. Of each group of `evidence` at least one paper has to be there.

    `check` is called only with a base that suits `needs_household`, `effect` and `expectations` only with what
    `check` has accepted.
    """

    kind: Kind
    model: type[C]
    needs_household: bool
    evidence: tuple[frozenset[EvidenceType], ...]
    check: Callable[[C, SubmissionContext], list[Violation]]
    effect: Callable[[C, Household | None], Effect]
    expectations: Callable[[C, Household | None], tuple[IdentityExpectation, ...]]
    counterpart: Callable[[C], Counterpart | None] = _no_counterpart


def known(household: Household | None) -> Household:
    """The household, where the kind cannot be without one. Raises `ValueError`: a defect of the caller."""
    if household is None:
        raise ValueError("this kind of change needs the household it is based on")
    return household


def expect(
    person: MemberDetails,
    *,
    key: str,
    kk_number: str | None,
    result: MatchResult = MatchResult.MATCHED,
) -> tuple[IdentityExpectation, ...]:
    """The one match expected of this person; none without a NIK: they are referred to the civil registry."""
    if person.nik is None:
        return ()
    return (
        IdentityExpectation(
            key=key,
            nik=person.nik,
            kk_number=kk_number,
            name=person.name,
            birth_date=person.birth_date,
            sex=person.sex,
            expected=frozenset({result}),
        ),
    )
