"""Who may do what, where: roles, areas, powers over a task, and separation of duties by user id.

Everything here is decided on a snapshot; the same functions answer the API before an act and the activity that
records it, so that the two never disagree about a rule, only about the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.errors import Forbidden, NotFound, SeparationOfDuties
from domain.policy import Power, Rung
from domain.vocabulary import Role, Stage

NATION = "*"
"""The area of a seat that covers the whole country."""


class Permission(StrEnum):
    """What an endpoint asks for, as `scope:resource:action`."""

    UPDATES_READ = "area:updates:read"
    UPDATES_SUBMIT = "area:updates:submit"
    UPDATES_REPAIR = "area:updates:repair"
    UPDATES_WITHDRAW = "area:updates:withdraw"
    TASKS_READ = "area:tasks:read"
    TASKS_WORK = "area:tasks:work"
    STALLED_READ = "area:stalled:read"
    HOUSEHOLDS_READ = "area:households:read"
    PERSONS_UNMASK = "area:persons:unmask"
    UNMASKING_READ = "area:unmasking:read"
    UNMASKING_REQUEST = "area:unmasking:request"
    UNMASKING_APPROVE = "area:unmasking:approve"
    READ_LOG_READ = "area:read-log:read"
    AUDIT_READ = "area:audit:read"
    POLICIES_READ = "nation:policies:read"
    POLICIES_PUBLISH = "area:policies:publish"


_READER = frozenset(
    {
        Permission.UPDATES_READ,
        Permission.TASKS_READ,
        Permission.STALLED_READ,
        Permission.HOUSEHOLDS_READ,
        Permission.AUDIT_READ,
        Permission.POLICIES_READ,
    },
)
_OFFICER = _READER | {Permission.TASKS_WORK, Permission.PERSONS_UNMASK}
_OPERATOR = _OFFICER | {Permission.UPDATES_SUBMIT, Permission.UPDATES_REPAIR, Permission.UPDATES_WITHDRAW}
_BULK = frozenset({Permission.UNMASKING_READ, Permission.UNMASKING_REQUEST})
_SECOND_EYES = frozenset({Permission.UNMASKING_READ, Permission.UNMASKING_APPROVE})
_OBSERVER = frozenset({Permission.STALLED_READ, Permission.POLICIES_READ})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VILLAGE_OPERATOR: _OPERATOR,
    Role.VILLAGE_HEAD: _OFFICER,
    Role.VILLAGE_COUNCIL: _READER,
    Role.PUSKESOS_OFFICER: _OFFICER | {Permission.UPDATES_SUBMIT},
    Role.GROUND_CHECKER: _OFFICER,
    Role.DISTRICT_SUPERVISOR: _OFFICER,
    Role.SUBDISTRICT_HEAD: _OFFICER,
    Role.REGENCY_VERIFIER: _OFFICER | _BULK,
    Role.REGENCY_SUPERVISOR: _OFFICER | _BULK,
    Role.REGENCY_HEAD: _OFFICER | _SECOND_EYES,
    Role.REGENCY_ASSISTANT: _OFFICER,
    Role.REGENCY_SECRETARY: _READER,
    Role.REGENT: _READER,
    Role.INSPECTORATE: _READER | _SECOND_EYES | {Permission.READ_LOG_READ},
    Role.DATA_PROTECTION_OFFICER: _READER | _SECOND_EYES | {Permission.PERSONS_UNMASK, Permission.READ_LOG_READ},
    Role.PROVINCE_OBSERVER: _OBSERVER,
    Role.MINISTRY_OFFICER: _READER,
    Role.PLANNER: _READER | _BULK,
    Role.EVALUATOR: _READER,
    Role.ADMINISTRATOR: frozenset({Permission.POLICIES_READ, Permission.POLICIES_PUBLISH, Permission.STALLED_READ}),
    Role.SERVICE: frozenset(),
}
"""What each role may do in its area. Powers over a single task come on top, from the policy's grants."""


class Seat(BaseModel):
    """What a person is in one office: a membership, valid now."""

    model_config = ConfigDict(frozen=True)

    role: Role
    office_id: UUID
    area_code: str


class Actor(BaseModel):
    """A person with all the seats that are valid at the moment of the act."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    display_name: str
    seats: tuple[Seat, ...]

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas that the seats cover, without those that lie inside another."""
        codes = {seat.area_code for seat in self.seats}
        return tuple(
            sorted(code for code in codes if not any(other != code and covers(other, code) for other in codes))
        )

    def seats_over(self, area_code: str) -> tuple[Seat, ...]:
        """The seats whose area contains `area_code`."""
        return tuple(seat for seat in self.seats if covers(seat.area_code, area_code))

    def seat_for(self, permission: Permission, *, area_code: str) -> Seat:
        """The seat that gives `permission` over `area_code`.

        Raises NotFound when no seat reaches the area at all, Forbidden when none that does gives the permission.
        """
        within = self.seats_over(area_code)
        if not within:
            raise NotFound(f"There is no area {area_code!r} for you.", pointer="/area_code")
        for seat in within:
            if permission in PERMISSIONS[seat.role]:
                return seat
        raise Forbidden(f"None of your roles in {area_code} allows {permission.value}.")

    def may_anywhere(self, permission: Permission) -> bool:
        """Whether any seat gives `permission` somewhere."""
        return any(permission in PERMISSIONS[seat.role] for seat in self.seats)


def covers(area_code: str, inner: str) -> bool:
    """Whether the area `area_code` is, or contains, the area `inner`."""
    return area_code in {NATION, inner} or inner.startswith(f"{area_code}.")


class Grant(BaseModel):
    """A power over one task that a role has, by the stage's rule or by a rung of the ladder."""

    model_config = ConfigDict(frozen=True)

    role: Role
    power: Power


def granted(rung: Rung) -> list[Grant]:
    """The powers that a rung gives to its receiver."""
    return [Grant(role=Role(rung.to), power=power) for power in sorted(rung.grants)]


class Involvement(BaseModel):
    """That a person submitted or repaired the case (`stage` None), or decided in one of its stages."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    stage: Stage | None


class Candidate(BaseModel):
    """A person who holds a role over the area of a task."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    role: Role


def involved_elsewhere(user_id: UUID, *, stage: Stage, involvements: Iterable[Involvement]) -> Involvement | None:
    """How this person has already had a part in the case that bars them from deciding in `stage`, or None.

    Nobody decides in two stages of one case, nor in any stage of what they submitted. To decide again in the same
    stage, after a repair, is the same part and no bar.
    """
    for involvement in involvements:
        if involvement.user_id == user_id and involvement.stage != stage:
            return involvement
    return None


def deciding_seat(
    actor: Actor,
    *,
    area_code: str,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> Seat:
    """The seat in which `actor` may decide a task of `stage`.

    Raises NotFound outside the actor's areas, Forbidden when no role of theirs has the power, and
    SeparationOfDuties when they have the power but had another part in the case.
    """
    within = actor.seats_over(area_code)
    if not within:
        raise NotFound("There is no such task for you.")
    deciders = {grant.role for grant in grants if grant.power is Power.DECIDE}
    seat = next((seat for seat in within if seat.role in deciders), None)
    if seat is None:
        named = ", ".join(sorted(deciders)) or "nobody but the system"
        raise Forbidden(f"This task is decided by: {named}.", data={"deciders": sorted(deciders)})
    bar = involved_elsewhere(actor.user_id, stage=stage, involvements=involvements)
    if bar is not None:
        part = "submitted this update" if bar.stage is None else f"decided in {bar.stage.value}"
        raise SeparationOfDuties(f"You {part}; someone else has to decide in {stage.value}.")
    return seat


def eligible_deciders(
    candidates: Iterable[Candidate],
    *,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> frozenset[UUID]:
    """Who of `candidates` could decide a task of `stage` now: right role, and no other part in the case."""
    deciders = {grant.role for grant in grants if grant.power is Power.DECIDE}
    return frozenset(
        candidate.user_id
        for candidate in candidates
        if candidate.role in deciders
        and involved_elsewhere(candidate.user_id, stage=stage, involvements=involvements) is None
    )
