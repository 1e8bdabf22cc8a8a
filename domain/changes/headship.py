"""Who is head of those who remain, when members leave by death or by moving."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from domain.changes.base import ChangeBase, Edit, MemberRelations
from domain.changes.persons import check_named
from domain.errors import Violation
from domain.household import Household, Member, MemberStatus, Relation


class Departure(ChangeBase, frozen=True):
    """A change by which members leave.

    `relations` are those of the others to a new head; who is not named keeps theirs.
    """

    new_head_id: UUID | None = None
    relations: MemberRelations = ()


def check_headship(change: Departure, household: Household, *, leaving: Collection[UUID]) -> list[Violation]:
    """A new head is named exactly when the head leaves and others remain, and is one of those."""
    remaining = _remaining(household, leaving=leaving)
    head = household.head
    if not remaining or (head is not None and head.id not in leaving):
        return _check_no_handover(change)
    if change.new_head_id is None:
        return [_new_head_required()]
    return check_relations(change.new_head_id, change.relations, household, remaining={m.id for m in remaining})


def check_relations(
    new_head_id: UUID,
    relations: MemberRelations,
    household: Household,
    *,
    remaining: Collection[UUID],
) -> list[Violation]:
    """The new head is among those who remain, and relations are given to others of them, each once."""
    violations: list[Violation] = []
    if new_head_id not in remaining:
        violations.append(
            Violation(
                pointer="/change/new_head_id",
                code="new_head_unsuitable",
                detail="The new head is not among those who remain.",
                remedy="Name an active member who stays in the household.",
            ),
        )
    named = [(f"/change/relations/{i}/member_id", r.member_id) for i, r in enumerate(relations)]
    violations += check_named(household, named)
    violations += [
        Violation(
            pointer=f"/change/relations/{i}",
            code="relation_unsuitable",
            detail="Relations to the new head are those of the others who remain, and none of them is head too.",
            remedy="Leave out the new head and those who leave, and give a relation other than head.",
        )
        for i, r in enumerate(relations)
        if r.relation is Relation.HEAD or r.member_id == new_head_id or r.member_id not in remaining
    ]
    return violations


def headship_edits(change: Departure) -> tuple[Edit, ...]:
    """The new head's relation, and the relations of the others to them."""
    return () if change.new_head_id is None else handover_edits(change.new_head_id, change.relations)


def handover_edits(new_head_id: UUID, relations: MemberRelations) -> tuple[Edit, ...]:
    """This member as head, and the relations of the others to them."""
    return (
        Edit(f"/members/{new_head_id}/relation", Relation.HEAD),
        *(Edit(f"/members/{r.member_id}/relation", r.relation) for r in relations),
    )


def relied_on(change: Departure) -> tuple[str, ...]:
    """Who is to become head must not have left meanwhile."""
    return () if change.new_head_id is None else (f"/members/{change.new_head_id}/status",)


def departure_edits(member_id: UUID, status: MemberStatus, **fields: object) -> tuple[Edit, ...]:
    """The end of a membership: its status and the particulars of how it ended."""
    return (
        Edit(f"/members/{member_id}/status", status),
        *(Edit(f"/members/{member_id}/{name}", value) for name, value in fields.items()),
    )


def _remaining(household: Household, *, leaving: Collection[UUID]) -> tuple[Member, ...]:
    return tuple(m for m in household.active_members if m.id not in leaving)


def _check_no_handover(change: Departure) -> list[Violation]:
    if change.new_head_id is None and not change.relations:
        return []
    field = "relations" if change.new_head_id is None else "new_head_id"
    return [
        Violation(
            pointer=f"/change/{field}",
            code="new_head_not_needed",
            detail="The head stays, or nobody remains who would need a new one.",
            remedy="Leave out `new_head_id` and `relations`.",
        ),
    ]


def _new_head_required() -> Violation:
    return Violation(
        pointer="/change/new_head_id",
        code="new_head_required",
        detail="The head of the household leaves and others remain.",
        remedy="Name the member who becomes head in `new_head_id`.",
    )
