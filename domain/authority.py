"""Who may do it where: seats and areas, powers over a task, and separation of duties by person.

Everything here is decided on a snapshot; the same functions answer the API before an act and the activity that
records it, so that the two never disagree about a rule, only about the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.errors import Forbidden, NotFound, SeparationOfDuties
from domain.permissions import LENT, PERMISSIONS, READING, Permission
from domain.policy import Power, Rung
from domain.vocabulary import Role, Stage

NATION = "*"
"""The area of a seat that covers the whole country."""


class Person(BaseModel):
    """A person as separation of duties knows them: by every account that was confirmed to be theirs."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    other_accounts: frozenset[UUID] = frozenset()

    def has(self, user_id: UUID) -> bool:
        """Whether the account is this person's."""
        return user_id == self.user_id or user_id in self.other_accounts

    @property
    def accounts(self) -> frozenset[UUID]:
        """Every account of the person."""
        return self.other_accounts | {self.user_id}


class Seat(BaseModel):
    """What a person is in one office: a membership, valid now, their own or lent to them by somebody on leave."""

    model_config = ConfigDict(frozen=True)

    role: Role
    office_id: UUID
    area_code: str
    membership_id: UUID | None = None
    lent_by: Person | None = None
    on_leave: bool = False
    scopes: frozenset[Permission] | None = None
    """What of it the key carries with which a machine asks; None where no key narrows it."""

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the seat allows in its area now."""
        held = PERMISSIONS[self.role]
        if self.scopes is not None:
            return held & self.scopes
        if self.lent_by is not None:
            return held & LENT
        return held & READING if self.on_leave else held

    @property
    def on_behalf_of(self) -> UUID | None:
        """Whose seat it is, where it is lent."""
        return None if self.lent_by is None else self.lent_by.user_id


class Actor(BaseModel):
    """A person with all the seats that are valid at the moment of the act."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    display_name: str
    seats: tuple[Seat, ...]
    other_accounts: frozenset[UUID] = frozenset()
    api_key: UUID | None = None
    """The key with which a machine asks; the trail names it beside the account."""

    @property
    def person(self) -> Person:
        """Who the actor is, whichever account they use."""
        return Person(user_id=self.user_id, other_accounts=self.other_accounts)

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas that the seats cover, without those that lie inside another."""
        return widest(seat.area_code for seat in self.seats)

    def by_key(self, key_id: UUID, *, scopes: Iterable[Permission], area_code: str) -> Actor:
        """The same as far as a key carries it: where the area of the key and that of a seat as `service` meet.

        There it may do what the role and the scopes both allow. What the account is besides comes through no key.
        """
        carried = frozenset(scopes)
        met = [
            (seat, seat.area_code if covers(area_code, seat.area_code) else area_code)
            for seat in self.seats
            if seat.role is Role.SERVICE and (covers(area_code, seat.area_code) or covers(seat.area_code, area_code))
        ]
        seats = tuple(seat.model_copy(update={"area_code": area, "scopes": carried}) for seat, area in met)
        return self.model_copy(update={"seats": seats, "api_key": key_id})

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
            if permission in seat.permissions:
                return seat
        if any(seat.on_leave and permission in PERMISSIONS[seat.role] for seat in within):
            raise _on_leave()
        raise Forbidden(f"None of your roles in {area_code} allows {permission.value}.")

    def seat_in(self, permission: Permission, *, area_code: str) -> Seat:
        """The seat that gives `permission` over a part of `area_code`, or over all of it.

        Raises NotFound when no seat lies in the area nor over it, Forbidden when none that does gives the permission.
        """
        near = [seat for seat in self.seats if covers(area_code, seat.area_code) or covers(seat.area_code, area_code)]
        if not near:
            raise NotFound(f"There is no area {area_code!r} for you.")
        for seat in near:
            if permission in seat.permissions:
                return seat
        raise Forbidden(f"None of your roles in {area_code} allows {permission.value}.")

    def may_anywhere(self, permission: Permission) -> bool:
        """Whether any seat gives `permission` somewhere."""
        return any(permission in seat.permissions for seat in self.seats)

    def holds_for(self, user_id: UUID, *, area_code: str) -> bool:
        """Whether what this account has claimed in the area is the actor's: it is theirs, or they stand in for it."""
        if user_id == self.user_id:
            return True
        return any(seat.lent_by is not None and seat.lent_by.has(user_id) for seat in self.seats_over(area_code))

    def areas_with(self, permission: Permission) -> tuple[str, ...]:
        """The areas over which a seat gives `permission`, without those that lie inside another."""
        return widest(seat.area_code for seat in self.seats if permission in seat.permissions)


def covers(area_code: str, inner: str) -> bool:
    """Whether the area `area_code` is, or contains, the area `inner`."""
    return area_code in {NATION, inner} or inner.startswith(f"{area_code}.")


def widest(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes without those that lie inside another."""
    known = set(codes)
    return tuple(sorted(code for code in known if not any(o != code and covers(o, code) for o in known)))


class Grant(BaseModel):
    """A power over one task that a role has, by the stage's rule or by a rung of the ladder."""

    model_config = ConfigDict(frozen=True)

    role: Role
    power: Power


def granted(rung: Rung) -> list[Grant]:
    """The powers that a rung gives to its receiver."""
    return [Grant(role=Role(rung.to), power=power) for power in sorted(rung.grants)]


class Involvement(BaseModel):
    """That an account submitted or repaired the case (`stage` None), or decided in one of its stages.

    With `touched`, that it did anything else with the case: nothing of it bars from deciding, but whoever looks in the
    field for others has seen nothing of it before.

    To a case that is an appeal belong the parts in the one whose rejection it is against.

    Where somebody acted on behalf of another, each of the two has a part.
    """

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    stage: Stage | None
    touched: bool = False


class Candidate(BaseModel):
    """A person who holds a role over the area of a task, or stands in for one who does and is on leave."""

    model_config = ConfigDict(frozen=True)

    user_id: UUID
    role: Role
    other_accounts: frozenset[UUID] = frozenset()
    lent_by: Person | None = None

    @property
    def person(self) -> Person:
        """Who it is, whichever account they use."""
        return Person(user_id=self.user_id, other_accounts=self.other_accounts)


def involved_elsewhere(person: Person, *, stage: Stage, involvements: Iterable[Involvement]) -> Involvement | None:
    """How this person has already had a part in the case that bars them from deciding in `stage`, or None.

    From a ground check bars whatever they have done with the case before it was asked for.
    Nobody decides in two stages of one case, nor in any stage of what they submitted. To decide again in the same
    stage, after a repair, is the same part and no bar.
    """
    for involvement in involvements:
        if not person.has(involvement.user_id):
            continue
        if stage is Stage.GROUND_CHECK if involvement.touched else _is_another_part(involvement.stage, stage):
            return involvement
    return None


def _is_another_part(part: Stage | None, stage: Stage) -> bool:
    """Whether a part in the case bars from deciding in `stage`.

    An office speaks for its own decision, by whoever took it. To have been heard bars only from judging between the
    offices, from hearing an appeal, and from looking in the field.
    """
    if stage is Stage.OPINION:
        return False
    if part is Stage.OPINION:
        return stage in {Stage.CONFLICT, Stage.APPEAL, Stage.GROUND_CHECK}
    return part != stage


def deciding_seat(
    actor: Actor,
    *,
    area_code: str,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> Seat:
    """The seat in which `actor` may decide a task of `stage`; their own before one that is lent to them.

    Raises NotFound outside the actor's areas, Forbidden when no role of theirs has the power or its holder is on
    leave, and SeparationOfDuties when they have the power but they, or whom they stand in for, had another part.
    """
    within = actor.seats_over(area_code)
    if not within:
        raise NotFound("There is no such task for you.")
    deciders = {grant.role for grant in grants if grant.power is Power.DECIDE}
    seats = [seat for seat in within if seat.role in deciders]
    if not seats:
        named = ", ".join(sorted(deciders)) or "nobody but the system"
        raise Forbidden(f"This task is decided by: {named}.", data={"deciders": sorted(deciders)})
    present = sorted((seat for seat in seats if not seat.on_leave), key=lambda seat: seat.lent_by is not None)
    if not present:
        raise _on_leave()
    bars = [_bar(actor.person, seat.lent_by, stage=stage, involvements=involvements) for seat in present]
    free = next((seat for seat, bar in zip(present, bars, strict=True) if bar is None), None)
    if free is None:
        raise SeparationOfDuties(f"{bars[0]}; someone else has to decide in {stage.value}.")
    return free


def eligible_deciders(
    candidates: Iterable[Candidate],
    *,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> frozenset[UUID]:
    """Who of `candidates` could decide a task of `stage` now: right role, and no other part in the case.

    Whoever stands in for another is eligible only where neither of the two had another part.
    """
    deciders = {grant.role for grant in grants if grant.power is Power.DECIDE}
    return frozenset(
        candidate.user_id
        for candidate in candidates
        if candidate.role in deciders
        and _bar(candidate.person, candidate.lent_by, stage=stage, involvements=involvements) is None
    )


def _bar(
    person: Person,
    lender: Person | None,
    *,
    stage: Stage,
    involvements: Iterable[Involvement],
) -> str | None:
    """What keeps this person from deciding, for themselves or for `lender`, in words; None when nothing does."""
    own = involved_elsewhere(person, stage=stage, involvements=involvements)
    if own is not None:
        return f"You {_part(own)}"
    theirs = None if lender is None else involved_elsewhere(lender, stage=stage, involvements=involvements)
    return None if theirs is None else f"The person you stand in for {_part(theirs)}"


def _part(involvement: Involvement) -> str:
    if involvement.touched:
        return "had to do with this update before"
    if involvement.stage is None:
        return "submitted this update"
    return "spoke for an office" if involvement.stage is Stage.OPINION else f"decided in {involvement.stage.value}"


def _on_leave() -> Forbidden:
    return Forbidden(
        "You are on leave from the role that this needs.",
        remedy="Leave it to whoever stands in for you, or end your leave first.",
        data={"reason": "on_leave"},
    )
