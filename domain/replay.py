"""Where a case stands as its events alone tell it, and how that differs from what the table says.

The table is written beside the events, in the same transaction, for lists to be quick. Whatever it says follows from
the trail: this is the rule by which it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from domain.audit import AuditEvent, AuditType
from domain.vocabulary import CLOSED_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What lists show of a case: plain text, so that a row somebody tampered with can still be compared."""

    kind: str | None = None
    policy: str | None = None
    status: str | None = None
    stage: str | None = None
    level: int = 0
    cause: str | None = None
    revision: int | None = None
    closed_at: datetime | None = None


class Difference(NamedTuple):
    """One value in which the table and the events of a case differ."""

    field: str
    table: str | None
    events: str | None


def replay(events: Iterable[AuditEvent]) -> Standing:
    """Where the case stands after `events`, which are those of its stream in their order."""
    standing = Standing()
    for event in events:
        standing = _after(standing, event)
    return standing


def differences(table: Standing, events: Standing) -> Iterator[Difference]:
    """Every value in which they differ."""
    for field in fields(Standing):
        said, told = getattr(table, field.name), getattr(events, field.name)
        if said != told:
            yield Difference(field.name, _text(said), _text(told))


def _after(standing: Standing, event: AuditEvent) -> Standing:
    standing = replace(standing, status=event.status or standing.status)
    data = event.data
    match event.type:
        case AuditType.UPDATE_SUBMITTED:
            return replace(
                standing,
                kind=_name(data.get("kind")),
                policy=_name(data.get("policy")),
                revision=_number(data.get("revision")),
            )
        case AuditType.TASK_OPENED | AuditType.TASK_CLOCK_RESUMED if "stage" in data:
            level, cause = _number(data.get("level")) or 0, _name(data.get("level_cause"))
            return replace(standing, stage=_name(data.get("stage")), level=level, cause=cause)
        case AuditType.TASK_ESCALATED:
            return replace(standing, level=_number(data.get("level")) or 0, cause=_name(data.get("cause")))
        case AuditType.UPDATE_RESUBMITTED:
            return replace(standing, revision=_number(data.get("revision")))
        case AuditType.UPDATE_CLOSED if standing.status in CLOSED_STATUSES:
            return replace(standing, stage=None, level=0, cause=None, closed_at=event.at)
        case _:
            return standing


def _name(value: JsonValue | None) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JsonValue | None) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)
