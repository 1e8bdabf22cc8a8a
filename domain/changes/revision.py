"""What a change sets, in the groups of fields that stages decide on, and what a repair of it has altered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from pydantic import JsonValue

from domain.changes.registry import Change


class FieldGroup(StrEnum):
    """Fields that are judged together; `domain.lifecycle` says which stage judges which."""

    IDENTITY = "identity"
    MEMBERS = "members"
    CIRCUMSTANCES = "circumstances"
    ADDRESS = "address"
    EVENT = "event"
    PROGRAMMES = "programmes"


_WHO = frozenset({FieldGroup.IDENTITY, FieldGroup.MEMBERS})
"""Another member is another person: naming one is a matter of identity as of membership."""

_BY_BRANCH = {
    "circumstances": frozenset({FieldGroup.CIRCUMSTANCES}),
    "address": frozenset({FieldGroup.ADDRESS}),
    "relations": frozenset({FieldGroup.MEMBERS}),
    "member_ids": _WHO,
    "whole_household": _WHO,
    "programmes": frozenset({FieldGroup.PROGRAMMES}),
    "duplicate_id": _WHO,
    "duplicate_version": frozenset({FieldGroup.MEMBERS}),
    "confirmed_by": _WHO,
    "new_head_id": _WHO,
    "objector": frozenset({FieldGroup.EVENT}),
}
"""By the first part of a pointer into the change; what stands below needs no closer look."""

_BY_LEAF = {
    **dict.fromkeys(
        ("nik", "no_nik_reason", "name", "birth_date", "sex", "kk_number"),
        frozenset({FieldGroup.IDENTITY}),
    ),
    **dict.fromkeys(
        (
            "died_on",
            "moved_on",
            "destination_area",
            "destination_country",
            "origin_area",
            "origin_country",
            "assessed_on",
            "confirmed_on",
            "cause",
            "need",
            "ground",
            "statement",
        ),
        frozenset({FieldGroup.EVENT}),
    ),
    "member_id": _WHO,
    "same_as": _WHO,
}
"""By its last part; anything else said of a person is a matter of membership."""


def touched(change: Change) -> frozenset[FieldGroup]:
    """The groups of every field that the change sets."""
    return _groups(_leaves(change))


def revised(before: Change, after: Change) -> frozenset[FieldGroup]:
    """The groups of every field in which two submissions of one update differ; empty if they say the same."""
    old, new = _leaves(before), _leaves(after)
    return _groups(p for p in old.keys() | new.keys() if old.get(p) != new.get(p))


def _leaves(change: Change) -> dict[str, JsonValue]:
    return dict(_walk(change.model_dump(mode="json", exclude_none=True, exclude={"kind"}), pointer=""))


def _walk(value: JsonValue, *, pointer: str) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, pointer=f"{pointer}/{name}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _walk(inner, pointer=f"{pointer}/{i}")
    else:
        yield pointer, value


def _groups(pointers: Iterable[str]) -> frozenset[FieldGroup]:
    return frozenset(group for pointer in pointers for group in _groups_of(pointer))


def _groups_of(pointer: str) -> frozenset[FieldGroup]:
    parts = pointer.split("/")
    return _BY_BRANCH.get(parts[1]) or _BY_LEAF.get(parts[-1]) or frozenset({FieldGroup.MEMBERS})
