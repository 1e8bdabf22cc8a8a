"""A household of the registry as one immutable snapshot, and what must hold of it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from domain.circumstances import Address, Circumstances
from domain.errors import Violation
from domain.programmes import Programmes, Standing
from domain.text import IdentityNumber, IsoDate, PersonName, ShortText

VillageCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}$")]
NoNikReason = Literal["newborn", "undocumented"]


class Sex(StrEnum):
    """Sex as the civil registry records it."""

    FEMALE = "female"
    MALE = "male"


class Relation(StrEnum):
    """Relation to the head of the family (SHDK, status hubungan dalam keluarga)."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    CHILD_IN_LAW = "child_in_law"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    PARENT_IN_LAW = "parent_in_law"
    OTHER_RELATIVE = "other_relative"
    DOMESTIC_WORKER = "domestic_worker"
    OTHER = "other"


class MaritalStatus(StrEnum):
    """Status perkawinan."""

    SINGLE = "single"
    MARRIED = "married"
    DIVORCED = "divorced"
    WIDOWED = "widowed"


class Education(StrEnum):
    """Highest school completed (ijazah tertinggi)."""

    NONE = "none"
    PRIMARY = "primary"
    JUNIOR_SECONDARY = "junior_secondary"
    SENIOR_SECONDARY = "senior_secondary"
    HIGHER = "higher"


class Occupation(StrEnum):
    """Main occupation; the public service is told apart because it excludes from aid."""

    NONE = "none"
    PUPIL = "pupil"
    HOMEMAKER = "homemaker"
    FARMER = "farmer"
    FARM_LABOURER = "farm_labourer"
    FISHER = "fisher"
    CASUAL_LABOURER = "casual_labourer"
    TRADER = "trader"
    ARTISAN = "artisan"
    DRIVER = "driver"
    EMPLOYEE = "employee"
    MIGRANT_WORKER = "migrant_worker"
    PUBLIC_SERVICE = "public_service"
    PENSIONER = "pensioner"
    OTHER = "other"


class MemberStatus(StrEnum):
    """Whether the person still belongs here. Nobody is removed from a household: the status says why they left."""

    ACTIVE = "active"
    DECEASED = "deceased"
    MOVED_OUT = "moved_out"
    SPLIT_OFF = "split_off"
    MERGED = "merged"


class HouseholdStatus(StrEnum):
    """An active household has members; one without them has moved away, is dissolved, or was a double entry."""

    ACTIVE = "active"
    MOVED_OUT = "moved_out"
    DISSOLVED = "dissolved"
    MERGED = "merged"


class MemberDetails(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """What is said of a person, in the registry as in a proposal. Without a NIK there is a reason why."""

    nik: IdentityNumber | None = Field(default=None, repr=False)
    no_nik_reason: NoNikReason | None = None
    name: PersonName
    sex: Sex
    birth_date: IsoDate
    relation: Relation
    marital_status: MaritalStatus | None = None
    disabled: bool | None = None
    education: Education | None = None
    in_school: bool | None = None
    occupation: Occupation | None = None


class Member(MemberDetails, frozen=True):
    """A person of a registered household.

    `moved_to` is an area code or a country code. Who is split off or joins another household when two entries are
    merged keeps their id there, and stays in the old one with that status. `pbi_jk` is what was last settled about
    their health insurance, which is proposed person by person.
    """

    id: UUID
    status: MemberStatus = MemberStatus.ACTIVE
    died_on: IsoDate | None = None
    moved_on: IsoDate | None = None
    moved_to: ShortText | None = None
    pbi_jk: Standing | None = None


FIRST_VERSION: Final = 1


class Household(BaseModel, frozen=True, extra="forbid", hide_input_in_errors=True):
    """One version of a household. `desil` (national rank 1-10) is the statistics office's, no change sets it.

    `came_from` is the area or country that it moved here from, `merged_into` the household that it was a double
    entry of.
    """

    id: UUID
    version: int = Field(ge=FIRST_VERSION)
    area_code: VillageCode
    kk_number: IdentityNumber = Field(repr=False)
    address: Address
    circumstances: Circumstances
    members: tuple[Member, ...]
    status: HouseholdStatus = HouseholdStatus.ACTIVE
    desil: Annotated[int, Field(ge=1, le=10)] | None = None
    last_verified_on: IsoDate | None = None
    programmes: Programmes = Programmes()
    came_from: ShortText | None = None
    came_on: IsoDate | None = None
    merged_into: UUID | None = None

    @property
    def active_members(self) -> tuple[Member, ...]:
        """Those who still belong to the household, in its order."""
        return tuple(m for m in self.members if m.status is MemberStatus.ACTIVE)

    @property
    def head(self) -> Member | None:
        """The active head; None once nobody is left."""
        return next((m for m in self.active_members if m.relation is Relation.HEAD), None)

    def member(self, member_id: UUID) -> Member | None:
        """The member of that id, whatever their status."""
        return next((m for m in self.members if m.id == member_id), None)


def check_household(household: Household) -> list[Violation]:
    """Every invariant that does not hold of a stored household; empty for a sound one.

    Codes: `household_empty`, `household_not_empty`, `one_head_required`, `nik_duplicate`, `member_id_duplicate`,
    `nik_or_reason`. Pointers name members by id (`/members/{id}/nik`), since positions differ between versions.
    """
    active = household.active_members
    violations: list[Violation] = []
    if household.status is HouseholdStatus.ACTIVE:
        violations += _check_composition(active)
    elif active:
        violations.append(
            _broken("/status", "household_not_empty", "Members are active in a household that has ended."),
        )
    violations += _check_numbers(active)
    if len({m.id for m in household.members}) < len(household.members):
        violations.append(_broken("/members", "member_id_duplicate", "Two members bear the same id."))
    return violations


def _check_composition(active: tuple[Member, ...]) -> list[Violation]:
    if not active:
        return [_broken("/members", "household_empty", "An active household has nobody in it.")]
    heads = sum(m.relation is Relation.HEAD for m in active)
    if heads != 1:
        return [_broken("/members", "one_head_required", f"The household has {heads} active heads.")]
    return []


def _check_numbers(active: tuple[Member, ...]) -> list[Violation]:
    held = Counter(m.nik for m in active if m.nik is not None)
    violations: list[Violation] = []
    for member in active:
        pointer = f"/members/{member.id}/nik"
        if member.nik is not None and held[member.nik] > 1:
            violations.append(_broken(pointer, "nik_duplicate", "Two active members hold this NIK."))
        if (member.nik is None) == (member.no_nik_reason is None):
            violations.append(_broken(pointer, "nik_or_reason", "A member has a NIK or a reason for having none."))
    return violations


def _broken(pointer: str, code: str, detail: str) -> Violation:
    return Violation(pointer=pointer, code=code, detail=detail, remedy="Read the household again and mend the update.")
