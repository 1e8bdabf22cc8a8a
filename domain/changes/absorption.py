"""What becomes of a household that was a double entry: its people go to the other, and it ends when nobody stays."""

from __future__ import annotations

from typing import NamedTuple

from domain.changes.base import Edit, Effect, known
from domain.changes.fields import as_json, value_at, with_edits
from domain.changes.results import FieldConflict
from domain.household import Household, HouseholdStatus, Member, MemberStatus

_RELIED_ON = ("/status", "/members")
"""Whoever joined or left the other household since it was read would be forgotten, or brought over unasked."""


class TwoVersions(NamedTuple):
    """A household as it was read, and as it is now."""

    read: Household
    current: Household


def conflicts_there(effect: Effect, other: TwoVersions | None) -> tuple[FieldConflict, ...]:
    """What has changed in the other household since it was read, below `/duplicate`; empty where there is none."""
    if effect.absorption is None:
        return ()
    read, current = _both(other)
    return tuple(
        FieldConflict(
            pointer=f"/duplicate{pointer}",
            base=as_json(value_at(read, pointer)),
            theirs=as_json(value_at(current, pointer)),
            ours=as_json(value_at(read, pointer)),
        )
        for pointer in _RELIED_ON
        if value_at(current, pointer) != value_at(read, pointer)
    )


def absorb(
    effect: Effect,
    other: TwoVersions | None,
    *,
    into: Household,
) -> tuple[tuple[Household, ...], tuple[Member, ...]]:
    """The other household in its next version, and those of its people who join `into`; nothing without absorption.

    Who joins brings everything that is known of them and keeps their id, as in a split. Who once left `into` by a
    split comes back as a member of the same id.
    """
    if effect.absorption is None:
        return (), ()
    current = _both(other).current
    edits = (Edit(f"/members/{member_id}/status", MemberStatus.MERGED) for member_id in effect.absorption.leaving)
    left = with_edits(current, edits).model_copy(update={"version": current.version + 1})
    if not left.active_members:
        left = left.model_copy(update={"status": HouseholdStatus.MERGED, "merged_into": into.id})
    joining = tuple(
        member.model_copy(update={"relation": joins.relation})
        for joins in effect.absorption.joining
        for member in (known(current).member(joins.member_id),)
        if member is not None
    )
    return (left,), joining


def _both(other: TwoVersions | None) -> TwoVersions:
    if other is None:
        raise ValueError("this kind of change needs the household that is a double entry")
    return other
