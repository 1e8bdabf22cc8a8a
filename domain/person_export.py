"""Everything that is held on one NIK in an area, as one document. Of other members it tells the relation, no more.

`schema_version` goes up when a field is removed or changes its meaning; fields may be added without.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from domain.provenance import Bilingual

SCHEMA_VERSION: Final = 1
WITHHELD: Final = "data of another person"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class HouseholdHeld(_Part):
    """What one version of a household says of the person."""

    household_id: UUID
    version: int
    applied_at: datetime
    by_update: UUID | None = Field(description="The update that made it so; null for what the registry began with")
    area_code: str
    kk_number: str
    address: dict[str, JsonValue]
    circumstances: dict[str, JsonValue]
    programmes: dict[str, JsonValue]
    desil: int | None
    person: dict[str, JsonValue] = Field(description="The person as a member")
    other_members: tuple[str, ...] = Field(description="Relations of the other members to the head")


class RevisionHeld(_Part):
    """What was proposed about the person or their household."""

    revision: int
    submitted_at: datetime
    change: JsonValue = Field(description="Other people's data are withheld; null once erased after retention")
    erased_at: datetime | None


class DecisionHeld(_Part):
    """A decision, with its reason in public words."""

    stage: str
    outcome: str
    reason: Bilingual | None
    decided_by: str
    role: str | None
    office: str | None
    decided_at: datetime
    minutes: dict[str, JsonValue] | None = Field(description="Minutes in which the person is named as having attended")


class IdentityHeld(_Part):
    """What the civil registry answered about the person."""

    result: str
    fields: tuple[str, ...]
    checked_at: datetime


class FileHeld(_Part):
    """A file of evidence."""

    id: UUID
    type: str
    kept_at: datetime
    size: int
    erased_at: datetime | None
    link: str | None


class GroundReportHeld(_Part):
    """What somebody reported who came to look at the household."""

    outcome: str
    differs: tuple[str, ...]
    seen: dict[str, JsonValue] | None = Field(description="Where, when and what was seen; null once erased")
    role: str
    office: str | None
    filed_at: datetime
    superseded: bool


class NotificationHeld(_Part):
    """What an officer was told of the case."""

    subject: str
    to_role: str | None
    at: datetime


class CaseHeld(_Part):
    """An update that concerns the person or their household."""

    id: UUID
    tracking_code: str
    kind: str
    status: str
    stage: str | None
    area_code: str
    submitted_at: datetime
    closed_at: datetime | None
    erased_at: datetime | None
    findings: tuple[str, ...] = Field(description="What was noticed of it, by code; `duplicate` among them")
    revisions: tuple[RevisionHeld, ...]
    decisions: tuple[DecisionHeld, ...]
    identity: tuple[IdentityHeld, ...]
    evidence: tuple[FileHeld, ...]
    ground_reports: tuple[GroundReportHeld, ...]
    notifications: tuple[NotificationHeld, ...]


class ReadingHeld(_Part):
    """That somebody was shown the data in the clear."""

    at: datetime
    role: str
    office: str | None
    subject: str
    purpose: Bilingual
    ground: str
    explanation: str | None = Field(description="Null once erased after retention")


class RequestHeld(_Part):
    """An earlier request of the person."""

    id: UUID
    kind: str
    state: str
    requested_at: datetime
    answered_at: datetime | None


class PersonExport(_Part):
    """Everything held on one NIK."""

    schema_name: Literal["kawal.person-export"] = "kawal.person-export"
    schema_version: int = SCHEMA_VERSION
    request_id: UUID
    made_at: datetime
    area_code: str
    nik: str
    held: bool = Field(description="Whether anything is held in the area")
    held_elsewhere: bool = Field(description="Whether anything is held outside the area: ask there, or the nation")
    households: tuple[HouseholdHeld, ...]
    cases: tuple[CaseHeld, ...]
    readings: tuple[ReadingHeld, ...]
    requests: tuple[RequestHeld, ...]
    truncated: bool = Field(description="Whether something was left out because there is more than one document holds")
    correction: Bilingual = Bilingual(
        id="Data yang keliru diperbaiki melalui usulan perbaikan identitas di desa atau PUSKESOS",
        en="What is wrong is corrected by an update of kind identity_correction: POST /v1/updates",
    )


def without_others(value: JsonValue, *, nik: str, members: frozenset[str]) -> JsonValue:
    """A change with the particulars of every other person withheld; who is meant by id alone stays as an id."""
    if isinstance(value, list):
        return [without_others(item, nik=nik, members=members) for item in value]
    if not isinstance(value, dict):
        return value
    is_person = "birth_date" in value or ("nik" in value and "relation" in value)
    if is_person and value.get("nik") != nik and str(value.get("id")) not in members:
        return {"relation": value.get("relation"), "withheld": WITHHELD}
    return {name: without_others(inner, nik=nik, members=members) for name, inner in value.items()}


def change_as_held(change: dict[str, Any], *, nik: str, members: frozenset[str]) -> JsonValue:
    """What a change says of the person; one that is about another member alone is withheld but for its kind."""
    named = change.get("member_id")
    if named is not None and str(named) not in members and change.get("nik") != nik:
        return {"kind": change.get("kind"), "withheld": WITHHELD}
    held = {name: value for name, value in change.items() if name != "objector"}
    return without_others(held, nik=nik, members=members)
