"""Whole rounds as an event log for research: who did what to which case and when, with nobody to be recognised by.

The form is OCEL 2.0 (object-centric event log, JSON; Berti et al. 2023, ocel-standard.org), as process mining reads it.
Every person, office, village, household, case and task goes by a pseudonym that is keyed anew for each log: two logs
cannot be joined, and nobody can be looked up in one. Of what happened only codes and numbers are told.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from domain.areas import AreaCode
from domain.audit import AuditType
from domain.canonical import canonical_time
from domain.errors import InvalidInput, Violation
from domain.moments import Moment

_KEY_BYTES: Final = 32
_PSEUDONYM_BYTES: Final = 12
_CODE: Final = re.compile(r"[a-z0-9][a-z0-9_.]{0,59}", re.ASCII)


class ObjectType(StrEnum):
    """What events are about."""

    CASE = "case"
    TASK = "task"
    HOUSEHOLD = "household"
    VILLAGE = "village"
    OFFICE = "office"
    OFFICER = "officer"


OBJECT_ATTRIBUTES: Final[Mapping[ObjectType, Mapping[str, str]]] = {
    ObjectType.CASE: {"kind": "string", "policy": "string"},
    ObjectType.TASK: {"stage": "string", "due_at": "time"},
    ObjectType.HOUSEHOLD: {},
    ObjectType.VILLAGE: {"regency": "string", "remoteness": "integer"},
    ObjectType.OFFICE: {"tier": "string"},
    ObjectType.OFFICER: {},
}
"""What is told of each kind of thing, and of which type it is."""

EVENT_ATTRIBUTES: Final[Mapping[str, str]] = {
    "role": "string",
    "status": "string",
    "stage": "string",
    "outcome": "string",
    "reason": "string",
    "cause": "string",
    "kind": "string",
    "level": "integer",
    "revision": "integer",
}
"""What is told of an event, where it says so: codes and numbers."""

EVENT_TYPES: Final = tuple(kind for kind in AuditType if kind.value.startswith(("update.", "task.")))
"""What of the trail of a case is told: all of it."""


class EventLogQuery(BaseModel):
    """Of which cases: of an area, and either those that count for a round or those submitted in a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    area: AreaCode = Field(description="This area and all below it")
    round: UUID | None = Field(default=None, description="Cases that count for this round")
    since: Moment | None = Field(default=None, description="Cases submitted at this moment or later")
    until: Moment | None = Field(default=None, description="Cases submitted before this moment")

    def check(self) -> None:
        """Raise InvalidInput where neither a round nor a time is named, or both are, or the time is none."""
        if self.round is not None:
            if self.since or self.until:
                raise _refused("/since", "A round has its own time.", "Leave out `since` and `until`.")
            return
        if self.since is None or self.until is None:
            raise _refused("/round", "Neither a round nor both `since` and `until`.", "Name one or the other.")
        if self.since >= self.until:
            raise _refused("/until", "It ends before it begins.", "Let `until` be later than `since`.")


class Case(NamedTuple):
    """A case as its object is made of it; `carries_on` are the cases that it appeals against or carries on."""

    id: UUID
    kind: str
    area_code: str
    household_id: UUID | None
    policy_version_id: UUID
    carries_on: tuple[UUID, ...]


class TaskOpened(NamedTuple):
    """A task as its object is made of it."""

    id: UUID
    update_id: UUID
    stage: str
    due_at: datetime


class Happened(NamedTuple):
    """An event of the trail of a case."""

    update_id: UUID
    seq: int
    at: datetime
    type: str
    actor_id: UUID | None
    actor_role: str | None
    office_id: UUID | None
    on_behalf_of: UUID | None
    status: str | None
    data: Mapping[str, JsonValue]


class Pseudonyms:
    """What things are called in one log. The key is known to nobody and is gone with the log's making."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)

    def of(self, kind: ObjectType, name: UUID | str) -> str:
        """The pseudonym of a thing, such as `case-8f3a...`: always the same within the log."""
        digest = hashlib.blake2b(f"{kind}:{name}".encode(), key=self._key, digest_size=_PSEUDONYM_BYTES)
        return f"{kind.value}-{digest.hexdigest()}"


def types_of_objects() -> list[dict[str, Any]]:
    """The declaration of what events are about."""
    return [{"name": kind.value, "attributes": _declared(told)} for kind, told in OBJECT_ATTRIBUTES.items()]


def types_of_events() -> list[dict[str, Any]]:
    """The declaration of what happens."""
    return [{"name": kind.value, "attributes": _declared(EVENT_ATTRIBUTES)} for kind in EVENT_TYPES]


def case_object(case: Case, names: Pseudonyms) -> dict[str, Any]:
    """A case with its village, its household where it has one, and the cases that it carries on."""
    related = [_related(names, ObjectType.VILLAGE, case.area_code, "in")]
    if case.household_id is not None:
        related.append(_related(names, ObjectType.HOUSEHOLD, case.household_id, "about"))
    related += [_related(names, ObjectType.CASE, earlier, "carries_on") for earlier in case.carries_on]
    told = {"kind": case.kind, "policy": str(case.policy_version_id)}
    return _object(names, ObjectType.CASE, case.id, told, at=_epoch(), related=related)


def task_object(task: TaskOpened, names: Pseudonyms) -> dict[str, Any]:
    """A task of a case, with the deadline that it had last."""
    related = [_related(names, ObjectType.CASE, task.update_id, "of")]
    told = {"stage": task.stage, "due_at": canonical_time(task.due_at)}
    return _object(names, ObjectType.TASK, task.id, told, at=_epoch(), related=related)


def plain_object(
    kind: ObjectType, name: UUID | str, names: Pseudonyms, told: Mapping[str, JsonValue] | None = None
) -> dict[str, Any]:
    """A thing that is related to nothing else."""
    return _object(names, kind, name, told or {}, at=_epoch(), related=[])


def event_of(happened: Happened, case: Case, names: Pseudonyms) -> dict[str, Any]:
    """An event: about its case with household and village, the task that it names, and whoever did it.

    Household and village are told of the case already; tools leave out what no event is about.
    """
    related = [
        _related(names, ObjectType.CASE, case.id, "case"),
        _related(names, ObjectType.VILLAGE, case.area_code, "village"),
    ]
    if case.household_id is not None:
        related.append(_related(names, ObjectType.HOUSEHOLD, case.household_id, "household"))
    if (task := _id_in(happened.data, "task")) is not None:
        related.append(_related(names, ObjectType.TASK, task, "task"))
    for kind, who, part in (
        (ObjectType.OFFICER, happened.actor_id, "by"),
        (ObjectType.OFFICER, happened.on_behalf_of, "on_behalf_of"),
        (ObjectType.OFFICE, happened.office_id, "office"),
    ):
        if who is not None:
            related.append(_related(names, kind, who, part))
    told = {**happened.data, "role": happened.actor_role, "status": happened.status}
    return {
        "id": f"{names.of(ObjectType.CASE, case.id)}-{happened.seq}",
        "type": happened.type,
        "time": canonical_time(happened.at),
        "attributes": [{"name": name, "value": told[name]} for name in EVENT_ATTRIBUTES if _tellable(name, told)],
        "relationships": related,
    }


def _tellable(name: str, told: Mapping[str, JsonValue]) -> bool:
    """Whether a value is what its declaration says: a number, or a code and no words of anybody."""
    value = told.get(name)
    if EVENT_ATTRIBUTES[name] == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _declared(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in attributes.items()]


def _object(
    names: Pseudonyms,
    kind: ObjectType,
    name: UUID | str,
    told: Mapping[str, JsonValue],
    *,
    at: str,
    related: list[dict[str, str]],
) -> dict[str, Any]:
    return {
        "id": names.of(kind, name),
        "type": kind.value,
        "attributes": [{"name": each, "time": at, "value": value} for each, value in told.items()],
        "relationships": related,
    }


def _related(names: Pseudonyms, kind: ObjectType, name: UUID | str, qualifier: str) -> dict[str, str]:
    return {"objectId": names.of(kind, name), "qualifier": qualifier}


def _id_in(data: Mapping[str, JsonValue], key: str) -> UUID | None:
    value = data.get(key)
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _epoch() -> str:
    """Since when an attribute has its value where it never changes (OCEL 2.0: 1970)."""
    return "1970-01-01T00:00:00Z"


def _refused(pointer: str, detail: str, remedy: str) -> InvalidInput:
    return InvalidInput([Violation(pointer=pointer, code="event_log_scope", detail=detail, remedy=remedy)])
