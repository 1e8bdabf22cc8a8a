"""One field of a household by its pointer, read from a snapshot and written into a new one.

`/kk_number`, `/status`, `/address/rt`, `/circumstances/floor`, `/members/{id}/name`: members by id, since their
positions differ between versions. `/members` alone stands for who belongs to the household, and is only read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Final
from uuid import UUID

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from domain.changes.base import Edit
from domain.household import Household


class Absence(Enum):
    """The field belongs to a member whom this version does not know."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT


def value_at(household: Household, pointer: str) -> object:
    """The value the household holds there; `ABSENT` for a member it does not know."""
    match pointer.split("/")[1:]:
        case ["members"]:
            return tuple((m.id, m.relation) for m in household.active_members)
        case ["members", member_id, name]:
            member = household.member(UUID(member_id))
            return ABSENT if member is None else getattr(member, name)
        case [("address" | "circumstances" | "programmes") as group, name]:
            return getattr(getattr(household, group), name)
        case [name]:
            return getattr(household, name)
        case _:
            raise ValueError(f"no field of a household: {pointer}")


def with_edits(household: Household, edits: Iterable[Edit]) -> Household:
    """The household with the edited fields, all else as it was."""
    top: dict[str, object] = {}
    groups: dict[str, dict[str, object]] = defaultdict(dict)
    members: dict[UUID, dict[str, object]] = defaultdict(dict)
    for edit in edits:
        match edit.pointer.split("/")[1:]:
            case ["members", member_id, name]:
                members[UUID(member_id)][name] = edit.value
            case [group, name]:
                groups[group][name] = edit.value
            case [name]:
                top[name] = edit.value
            case _:
                raise ValueError(f"no field of a household: {edit.pointer}")
    for group, fields in groups.items():
        top[group] = getattr(household, group).model_copy(update=fields)
    if members:
        top["members"] = tuple(m.model_copy(update=members[m.id]) if m.id in members else m for m in household.members)
    return household.model_copy(update=top)


def as_json(value: object) -> JsonValue:
    """The value as it stands in a JSON document; null for what is absent."""
    return None if value is ABSENT else to_jsonable_python(value)
