"""What a change would do, field by field: before, after, and as the registry holds it now."""

from __future__ import annotations

from collections.abc import Iterator

from domain.changes.absorption import TwoVersions
from domain.changes.base import Absorption, Edit, Founding, known
from domain.changes.fields import as_json, value_at
from domain.changes.merge import pending_edits
from domain.changes.registry import Change, spec_of
from domain.changes.results import FieldDiff
from domain.household import Household, MemberDetails, MemberStatus


def diff_change(
    change: Change,
    base: Household | None,
    current: Household | None = None,
    *,
    other: TwoVersions | None = None,
) -> tuple[FieldDiff, ...]:
    """The fields that the change alters; a proposed value that the base already had is none of them.

    Members are named by id, people new to the registry as `/members/new:0`; the household that a split founds
    as `/new_household`, the double entry that a merger ends as `/duplicate`. Numbers are in the clear: see
    `FieldDiff.masked`. Without `current` the base is it; without `other` a double entry is not looked at.
    """
    spec = spec_of(change.kind)
    effect = spec.effect(change, base)
    founded = tuple(_founding(effect.founding, prefix="/new_household" if base else ""))
    if not spec.needs_household:
        return founded
    held = known(base)
    now = current or held
    joined = (_joining(i, person, base=held, current=now) for i, person in enumerate(effect.newcomers))
    edited = (_edited(edit, base=held, current=now) for edit in pending_edits(effect, held))
    absorbed = _absorbed(effect.absorption, other, now) if effect.absorption and other else ()
    return (*edited, *(diff for diff in joined if diff is not None), *founded, *absorbed)


def _edited(edit: Edit, *, base: Household, current: Household) -> FieldDiff:
    return FieldDiff(
        pointer=edit.pointer,
        before=as_json(value_at(base, edit.pointer)),
        after=as_json(edit.value),
        current=as_json(value_at(current, edit.pointer)),
    )


def _joining(i: int, person: MemberDetails, *, base: Household, current: Household) -> FieldDiff | None:
    if _holds(base, person):
        return None
    after = as_json(person)
    return FieldDiff(
        pointer=f"/members/new:{i}",
        before=None,
        after=after,
        current=after if _holds(current, person) else None,
    )


def _holds(household: Household, person: MemberDetails) -> bool:
    particulars = dict(person)
    return any(particulars.items() <= dict(m).items() for m in household.active_members)


def _absorbed(absorption: Absorption, other: TwoVersions, here: Household) -> Iterator[FieldDiff]:
    for member_id in absorption.leaving:
        pointer = f"/members/{member_id}/status"
        yield FieldDiff(
            pointer=f"/duplicate{pointer}",
            before=as_json(value_at(other.read, pointer)),
            after=MemberStatus.MERGED.value,
            current=as_json(value_at(other.current, pointer)),
        )
    for joins in absorption.joining:
        member = other.read.member(joins.member_id)
        after = as_json(member and member.model_copy(update={"relation": joins.relation}))
        yield FieldDiff(
            pointer=f"/members/{joins.member_id}",
            before=None,
            after=after,
            current=as_json(here.member(joins.member_id)),
        )


def _founding(founding: Founding | None, *, prefix: str) -> Iterator[FieldDiff]:
    if founding is None:
        return
    fields: dict[str, object] = {"kk_number": founding.kk_number}
    for group in ("address", "circumstances"):
        proposed = getattr(founding, group)
        fields |= {f"{group}/{name}": value for name, value in proposed or () if value is not None}
    fields |= {f"members/{j.member_id}/relation": j.relation for j in founding.joining}
    fields |= {f"members/new:{i}": person for i, person in enumerate(founding.newcomers)}
    for name, value in fields.items():
        yield FieldDiff(pointer=f"{prefix}/{name}", before=None, after=as_json(value), current=None)
