"""Who may appoint whom, who may stand in for whom, and which accounts are one person's.

1. An administrator appoints within their own area only, and no role above their own tier.
2. Nobody appoints themselves, to whatever role; ending an appointment of one's own is always allowed.
3. A role is held over an area no wider than its tier: no village operator of a whole regency.
4. An account is administered by whoever may appoint to all that it holds and to all that is lent to it.
5. A leave is declared by the holder, an administrator of the area, or a superior: a supervising role over the area that
   stands above the holder's, on a higher tier or within the same office. None of them makes themselves the delegate.
6. Who stands in holds a working role of the same tier or a higher one in the same regency, is present for the whole
   period, and nobody stands in for them: there are no chains.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from domain.authority import NATION, PERMISSIONS, Actor, Permission, Seat, covers
from domain.errors import Forbidden, NotFound, Violation
from domain.vocabulary import AreaLevel, Role, Tier

LONGEST_LEAVE: Final = timedelta(days=366)


class LeaveReason(StrEnum):
    """Why the holder of a membership does not decide for a time, as a code: nothing is told of anybody's health."""

    ANNUAL_LEAVE = "annual_leave"
    SICK_LEAVE = "sick_leave"
    OFFICIAL_TRAVEL = "official_travel"
    TRAINING = "training"
    OTHER_DUTY = "other_duty"


class Verdict(StrEnum):
    """What an administrator found of two accounts that look like one person's."""

    SAME_PERSON = "same_person"
    DIFFERENT_PEOPLE = "different_people"


class Held(NamedTuple):
    """A role over an area, of a membership or lent by one."""

    role: Role
    area_code: str


class Identity(BaseModel):
    """What is sealed of whoever an account belongs to."""

    nik: str | None = None
    email: str | None = None

    @property
    def indexed(self) -> dict[str, str]:
        """What second accounts are found by; addresses that differ in case alone are one."""
        held = {"nik": self.nik, "email": None if self.email is None else self.email.strip().casefold()}
        return {purpose: value for purpose, value in held.items() if value is not None}


def identity_context(user_id: UUID) -> str:
    """Where the sealed identity of an account belongs."""
    return f"users.identity:{user_id}"


def index_purpose(purpose: str) -> str:
    """The purpose of a digest of an account: no household's number has the same."""
    return f"account.{purpose}"


_HEIGHT: Final = {tier: height for height, tier in enumerate(Tier)}

_TIER_OF_ROLE: Final[dict[Role, Tier]] = {
    Role.VILLAGE_OPERATOR: Tier.VILLAGE,
    Role.VILLAGE_HEAD: Tier.VILLAGE,
    Role.VILLAGE_COUNCIL: Tier.VILLAGE,
    Role.PUSKESOS_OFFICER: Tier.VILLAGE,
    Role.GROUND_CHECKER: Tier.DISTRICT,
    Role.DISTRICT_SUPERVISOR: Tier.DISTRICT,
    Role.SUBDISTRICT_HEAD: Tier.DISTRICT,
    Role.REGENCY_VERIFIER: Tier.REGENCY,
    Role.REGENCY_SUPERVISOR: Tier.REGENCY,
    Role.REGENCY_HEAD: Tier.REGENCY,
    Role.REGENCY_ASSISTANT: Tier.REGENCY,
    Role.REGENCY_SECRETARY: Tier.REGENCY,
    Role.REGENT: Tier.REGENCY,
    Role.INSPECTORATE: Tier.REGENCY,
    Role.PROVINCE_OBSERVER: Tier.PROVINCE,
    Role.MINISTRY_OFFICER: Tier.NATION,
}
"""The tier of each role that has one; planners, evaluators, administrators and machines stand on that of their area."""


_RANK: Final = {
    role: rank
    for rank, role in enumerate(
        (Role.REGENCY_SUPERVISOR, Role.REGENCY_HEAD, Role.REGENCY_ASSISTANT, Role.REGENCY_SECRETARY, Role.REGENT),
        start=1,
    )
} | {Role.SUBDISTRICT_HEAD: 1, Role.VILLAGE_HEAD: 1}
"""Within a tier, the roles that stand above others."""


def tier_of_area(area_code: str) -> Tier:
    """The tier of government that an area is a node of."""
    if area_code == NATION:
        return Tier.NATION
    levels = {
        AreaLevel.PROVINCE: Tier.PROVINCE,
        AreaLevel.REGENCY: Tier.REGENCY,
        AreaLevel.DISTRICT: Tier.DISTRICT,
        AreaLevel.VILLAGE: Tier.VILLAGE,
    }
    return levels[AreaLevel(min(area_code.count(".") + 1, AreaLevel.VILLAGE))]


def tier_of_role(role: Role, *, area_code: str) -> Tier:
    """The tier that a role over this area stands on."""
    return _TIER_OF_ROLE.get(role) or tier_of_area(area_code)


def sees_objectors(actor: Actor, *, area_code: str) -> bool:
    """Whether the actor may know who objected in this area: from the regency upwards, never beside the village."""
    return any(
        is_higher(tier_of_role(seat.role, area_code=seat.area_code), Tier.DISTRICT)
        for seat in actor.seats_over(area_code)
    )


def is_higher(tier: Tier, other: Tier) -> bool:
    """Whether `tier` stands above `other`."""
    return _HEIGHT[tier] > _HEIGHT[other]


def is_superior(role: Role, area_code: str, *, to: Role, over: str) -> bool:
    """Whether a role over `area_code` stands above the role `to` over the area `over`, by tier or within it."""
    mine, theirs = tier_of_role(role, area_code=area_code), tier_of_role(to, area_code=over)
    return (_HEIGHT[mine], _RANK.get(role, 0)) > (_HEIGHT[theirs], _RANK.get(to, 0))


def works(role: Role) -> bool:
    """Whether the role works on tasks: a policy may make it a decider."""
    return Permission.TASKS_WORK in PERMISSIONS[role]


def managing_seat(actor: Actor, *, area_code: str) -> Seat:
    """The seat in which `actor` manages the people of an area. Raises NotFound outside, Forbidden without the right."""
    return actor.seat_for(Permission.PEOPLE_MANAGE, area_code=area_code)


def appointing_seat(actor: Actor, *, user_id: UUID, role: Role, area_code: str) -> Seat:
    """The seat in which `actor` may make an account a `role` over an area, or change or end that it is one.

    Raises NotFound for an area outside the actor's, Forbidden for a role above their tier or for themselves.
    """
    seat = managing_seat(actor, area_code=area_code)
    if actor.person.has(user_id):
        raise Forbidden("Nobody appoints themselves.", remedy="Ask another administrator, of this area or above.")
    if not _appoints(seat, Held(role, area_code)):
        raise Forbidden(
            f"{role.value} stands above the {tier_of_area(seat.area_code).value}.",
            remedy="Ask an administrator of the tier of that role.",
        )
    return seat


def seat_to_govern(actor: Actor, *, user_id: UUID, home: str, held: Iterable[Held]) -> Seat:
    """The seat in which `actor` governs an account of the area `home`, which holds this and is lent this.

    Raises Forbidden for one's own account, and where the actor could not appoint to something of it; NotFound where
    its area is none of theirs.
    """
    if actor.person.has(user_id):
        raise Forbidden("Nobody administers their own account.", remedy="Ask another administrator.")
    seats = [seat for seat in actor.seats if Permission.PEOPLE_MANAGE in seat.permissions]
    if not all(any(_appoints(seat, each) for seat in seats) for each in held):
        raise _beyond()
    if not any(covers(seat.area_code, home) for seat in seats):
        raise _beyond()
    return managing_seat(actor, area_code=home)


def _appoints(seat: Seat, held: Held) -> bool:
    """Whether the seat reaches the area, and the role stands no higher than the seat's own tier."""
    tier = tier_of_role(held.role, area_code=held.area_code)
    return covers(seat.area_code, held.area_code) and not is_higher(tier, tier_of_area(seat.area_code))


def _beyond() -> Forbidden:
    return Forbidden(
        "This account belongs, is appointed or stands in beyond your area, or above your tier.",
        remedy="Ask an administrator of an area that covers all of it; end the appointments within yours.",
    )


def check_breadth(role: Role, area_code: str) -> list[Violation]:
    """What is wrong with holding the role over this area: nothing, or that the area is wider than the role."""
    tier = tier_of_role(role, area_code=area_code)
    if not is_higher(tier_of_area(area_code), tier):
        return []
    return [
        Violation(
            pointer="/area_code",
            code="area_wider_than_role",
            detail=f"{role.value} is a role of the {tier.value} and is not held over a wider area.",
            remedy="Name an area of that tier, or one below it; several areas are several memberships.",
        ),
    ]


def leave_granting_seat(actor: Actor, *, holder_id: UUID, role: Role, area_code: str) -> Seat | None:
    """The seat in which `actor` may send the holder of a role over an area on leave; None for the holder themselves.

    Raises NotFound outside the actor's areas, Forbidden for whoever is neither the holder, an administrator, nor a
    superior.
    """
    if holder_id == actor.user_id:
        return None
    within = [seat for seat in actor.seats_over(area_code) if Permission.DELEGATIONS_MANAGE in seat.permissions]
    if not within:
        if actor.seats_over(area_code):
            raise Forbidden("Only the holder, a superior or an administrator declares a leave.")
        raise NotFound("There is no such membership for you.")
    for seat in within:
        if _declares_for(seat, role, area_code):
            return seat
    raise Forbidden(f"A leave of {role.value} is declared by a superior, or by an administrator.")


def _declares_for(seat: Seat, role: Role, area_code: str) -> bool:
    if Permission.PEOPLE_MANAGE in seat.permissions:
        return not is_higher(tier_of_role(role, area_code=area_code), tier_of_area(seat.area_code))
    return is_superior(seat.role, seat.area_code, to=role, over=area_code)


def refuse_delegate(
    delegate: Actor,
    *,
    holder: UUID,
    declared_by: Actor | None,
    role: Role,
    area_code: str,
) -> Violation | None:
    """Why this person cannot stand in for the holder of `role` over an area, or None.

    `declared_by` is None where the operator of the installation declares the leave.
    """
    if delegate.person.has(holder):
        return _not_as_delegate("delegate_is_holder", "Nobody stands in for themselves, under whatever account.")
    if declared_by is not None and declared_by.person.has(delegate.user_id):
        return _not_as_delegate("delegate_is_declarer", "Nobody makes themselves a delegate.")
    tier = tier_of_role(role, area_code=area_code)
    if any(_fits(seat, tier=tier, area_code=area_code) for seat in delegate.seats):
        return None
    return _not_as_delegate(
        "delegate_unfit",
        f"This person works in no role of the {tier.value} or a higher tier in the same regency.",
    )


def _fits(seat: Seat, *, tier: Tier, area_code: str) -> bool:
    """Whether somebody with this seat may stand in on `tier` in the area."""
    if seat.lent_by is not None or not works(seat.role):
        return False
    if is_higher(tier, tier_of_role(seat.role, area_code=seat.area_code)):
        return False
    return covers(seat.area_code, area_code) or _regency(seat.area_code) == _regency(area_code)


def _regency(area_code: str) -> str:
    return ".".join(area_code.split(".")[:2])


def _not_as_delegate(code: str, detail: str) -> Violation:
    return Violation(
        pointer="/delegate_id",
        code=code,
        detail=detail,
        remedy="Name an officer of this tier or a higher one in the regency, or nobody: then the ladder is climbed.",
    )


def check_period(valid_from: datetime, valid_to: datetime, *, at: datetime) -> list[Violation]:
    """Everything wrong with the period of a leave that is declared `at` this moment."""
    found: list[Violation] = []
    if valid_to <= max(valid_from, at):
        found.append(
            Violation(
                pointer="/valid_to",
                code="period_empty",
                detail="The leave ends before it begins, or is over already.",
                remedy="Name an end after the beginning that is still to come.",
            ),
        )
    elif valid_to - valid_from > LONGEST_LEAVE:
        found.append(
            Violation(
                pointer="/valid_to",
                code="period_too_long",
                detail=f"A leave lasts {LONGEST_LEAVE.days} days at most.",
                remedy="End the membership of somebody who does not come back, and appoint another.",
            ),
        )
    return found
