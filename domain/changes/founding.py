"""A household written for the first time, of people new to the registry or of members of another household."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain.changes.base import Founding, MemberRelation, known
from domain.household import FIRST_VERSION, Household, Member, MemberDetails


def found_household(
    founding: Founding,
    *,
    origin: Household | None,
    area_code: str,
    new_ids: Callable[[], UUID],
) -> Household:
    """Version 1 of the household. `origin` is the one that the joining members leave, as it stands before."""
    return Household(
        id=new_ids(),
        version=FIRST_VERSION,
        area_code=area_code,
        kk_number=founding.kk_number,
        address=founding.address or known(origin).address,
        circumstances=founding.circumstances,
        members=(
            *(_joined(known(origin), joining) for joining in founding.joining),
            *(register(person, new_ids()) for person in founding.newcomers),
        ),
        came_from=founding.came_from,
        came_on=founding.came_on,
    )


def register(person: MemberDetails, member_id: UUID) -> Member:
    """The person as an active member under this id."""
    return Member(id=member_id, **dict(person))


def _joined(origin: Household, joining: MemberRelation) -> Member:
    """The member with all that is known of them now: the same person keeps the same id in another household."""
    member = origin.member(joining.member_id)
    if member is None:
        raise ValueError(f"member {joining.member_id} does not belong to household {origin.id}")
    return member.model_copy(update={"relation": joining.relation})
