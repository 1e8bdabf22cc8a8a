"""A small language for policies with one thing wrong: changes at a JSON Pointer of the default policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from domain.policy import Policy, canonical_json, default_policy

Change = Callable[[Any], object]
"""Edits decoded JSON in place."""


def as_json(policy: Policy) -> Any:
    return json.loads(canonical_json(policy))


def changed(*changes: Change) -> Policy:
    """The default policy with something wrong; well formed all the same."""
    data = as_json(default_policy())
    for change in changes:
        change(data)
    return Policy.model_validate(data)


def at(data: Any, pointer: str) -> Any:
    for step in pointer.strip("/").split("/"):
        data = data[_key(step)]
    return data


def to(pointer: str, value: object) -> Change:
    """Put a value at a pointer."""
    parent, last = pointer.rsplit("/", 1)

    def change(data: Any) -> None:
        (at(data, parent) if parent else data)[_key(last)] = value

    return change


def append(pointer: str, value: object) -> Change:
    return lambda data: at(data, pointer).append(value)


def repeat(pointer: str, source: str) -> Change:
    """Append to a list what stands elsewhere."""
    return lambda data: at(data, pointer).append(at(data, source))


def shorten(pointer: str) -> Change:
    """Remove the last item of a list."""
    return lambda data: at(data, pointer).pop()


def drop(pointer: str) -> Change:
    parent, last = pointer.rsplit("/", 1)
    return lambda data: (at(data, parent) if parent else data).pop(_key(last))


def all_of(*changes: Change) -> Change:
    def change(data: Any) -> None:
        for one in changes:
            one(data)

    return change


def rung(to_role: str, *, grants: list[str], days: int = 9) -> dict[str, object]:
    """An escalation so many working days past the deadline."""
    return {
        "after": {"working_days": days},
        "action": "escalate",
        "to": to_role,
        "grants": grants,
        "source": "test",
    }


def _key(step: str) -> str | int:
    return int(step) if step.isdigit() else step
