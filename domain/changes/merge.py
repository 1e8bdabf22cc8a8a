"""Three versions of a household made one: what the update was based on, what the registry holds, what is proposed.

Fields that the change leaves alone keep their present value. A field that it sets and that someone else set to
something else meanwhile is a data conflict: shown with its three values, decided by people.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

from domain.changes.absorption import TwoVersions, absorb, conflicts_there
from domain.changes.base import Edit, Effect, known
from domain.changes.fields import as_json, value_at, with_edits
from domain.changes.founding import found_household, register
from domain.changes.registry import Change, spec_of
from domain.changes.results import Applied, Conflicted, FieldConflict
from domain.household import Household, HouseholdStatus, Member, MemberStatus, check_household


def apply_change(
    change: Change,
    *,
    base: Household | None,
    current: Household | None,
    area_code: str,
    new_ids: Callable[[], UUID],
    on: date,
    other: TwoVersions | None = None,
) -> Applied | Conflicted:
    """The households after this change, or the fields that stand against it.

    `area_code` is the village of the case, where a new household is founded; `on` the day of application, from
    which the age of verified facts counts; `other` the counterpart of a kind that concerns two households, as it was
    read and as it is now. Raises `ValueError` when a kind gets none that it needs.
    """
    spec = spec_of(change.kind)
    effect = spec.effect(change, base)
    if not spec.needs_household:
        return _begin(effect, area_code=area_code, new_ids=new_ids, on=on)
    return _merge(effect, base=known(base), current=known(current), other=other, new_ids=new_ids, on=on)


def pending_edits(effect: Effect, base: Household) -> tuple[Edit, ...]:
    """The edits that change something: repeating the value one has read touches nothing."""
    return tuple(e for e in effect.edits if value_at(base, e.pointer) != e.value)


def _begin(effect: Effect, *, area_code: str, new_ids: Callable[[], UUID], on: date) -> Applied:
    if effect.founding is None:
        raise ValueError("a kind that needs no household has to found one")
    founded = found_household(effect.founding, origin=None, area_code=area_code, new_ids=new_ids)
    return Applied(households=(_dated(founded, effect, on=on),))


def _merge(
    effect: Effect,
    *,
    base: Household,
    current: Household,
    other: TwoVersions | None,
    new_ids: Callable[[], UUID],
    on: date,
) -> Applied | Conflicted:
    edits = pending_edits(effect, base)
    conflicts = _overlaps(effect, edits, base=base, current=current) + conflicts_there(effect, other)
    if conflicts:
        return Conflicted(conflicts=conflicts)
    ended, joined = absorb(effect, other, into=current)
    newcomers = (*joined, *(register(person, new_ids()) for person in effect.newcomers))
    merged = _settled(with_edits(current, edits), effect, newcomers=newcomers)
    clashes = _clashes(merged, base=base, current=current)
    if clashes:
        return Conflicted(conflicts=clashes)
    written = _dated(merged.model_copy(update={"version": current.version + 1}), effect, on=on)
    if effect.founding is None:
        return Applied(households=(written, *ended))
    founded = found_household(
        effect.founding,
        origin=current,
        area_code=current.area_code,
        new_ids=new_ids,
    )
    return Applied(households=(written, founded))


def _overlaps(
    effect: Effect,
    edits: tuple[Edit, ...],
    *,
    base: Household,
    current: Household,
) -> tuple[FieldConflict, ...]:
    """Fields that the change sets or relies on, and that someone else has set differently since."""
    wanted = {pointer: value_at(base, pointer) for pointer in effect.relies_on}
    wanted["/status"] = _settled(with_edits(base, edits), effect).status
    wanted |= {e.pointer: e.value for e in edits}
    return tuple(
        _conflict(pointer, ours=ours, base=base, current=current)
        for pointer, ours in wanted.items()
        if value_at(current, pointer) not in (value_at(base, pointer), ours)
    )


def _clashes(merged: Household, *, base: Household, current: Household) -> tuple[FieldConflict, ...]:
    """What two changes did that are right one by one and wrong together, such as the same child added twice."""
    return tuple(
        _conflict(v.pointer, ours=value_at(merged, v.pointer), base=base, current=current)
        for v in check_household(merged)
    )


def _conflict(pointer: str, *, ours: object, base: Household, current: Household) -> FieldConflict:
    return FieldConflict(
        pointer=pointer,
        base=as_json(value_at(base, pointer)),
        theirs=as_json(value_at(current, pointer)),
        ours=as_json(ours),
    )


def _settled(household: Household, effect: Effect, *, newcomers: tuple[Member, ...] = ()) -> Household:
    """The household with those who join it; ended as the effect says when nobody is left.

    Who comes back after having left is the same member again.
    """
    coming = {m.id for m in newcomers}
    present = tuple(m for m in household.members if m.id not in coming or m.status is MemberStatus.ACTIVE)
    joined = household.model_copy(update={"members": (*present, *newcomers)})
    if joined.active_members or effect.emptied is None or joined.status is not HouseholdStatus.ACTIVE:
        return joined
    return joined.model_copy(update={"status": effect.emptied})


def _dated(household: Household, effect: Effect, *, on: date) -> Household:
    return household.model_copy(update={"last_verified_on": on}) if effect.verifies else household
