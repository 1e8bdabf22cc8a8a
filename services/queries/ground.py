"""Ground checks as officers see them: what asked for each, and what was found, with no home given away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, JsonValue
from pydantic_core import to_jsonable_python
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.ground_checks import read_checks
from db.vault import Vault
from domain.authority import Actor
from domain.evidence import BLURRED_M
from domain.ground_checks import (
    FiledCheck,
    GroundContent,
    PhotoPlace,
    check_note_context,
    report_context,
    requesting_seat,
    require_requestable,
)
from domain.places import Standpoint
from domain.policy import Policy
from domain.vocabulary import GroundCheckReason, GroundOutcome, Role, Stage
from services.queries.actions import Bench, require_rule
from services.queries.masking import masked_text
from services.queries.view import OfficeRef, PersonRef, View
from services.queries.who import Who

_TOLD_TO_M = 100
"""To so many metres a distance is told: with the village's place it would else draw a circle through a door."""


class PhotoPlaceShown(View):
    """Where a photo says that it was taken, as far from where whoever looked says to have stood."""

    photo: UUID
    distance_m: int = Field(description="To a hundred metres; a difference to be asked about, not a verdict")
    source: Literal["photo", "device"] = Field(description="Who says so: the picture, or the device it was sent from")


class GroundReportShown(View):
    """What was found in the field, as it stands after corrections."""

    id: UUID
    supersedes: UUID | None = Field(description="The report that it corrects")
    outcome: GroundOutcome
    differs: tuple[str, ...] = Field(description="The fields that differ, by their pointers in the household")
    observed: dict[str, JsonValue] = Field(description="The values that were seen, by these pointers")
    note: str | None = Field(description="In the words of whoever looked; numbers of persons in it are masked")
    coordinates: Standpoint | None = Field(description="To a hundredth of a degree; in full by `unmask`")
    seen_at: datetime | None
    distance_m: int | None = Field(
        description="From the village's reference point, to a hundred metres; null where nobody has recorded one"
    )
    far: bool | None = Field(description="Whether that is farther than the policy takes for granted")
    photos: tuple[UUID, ...] = Field(description="Ids of files of evidence")
    photo_places: tuple[PhotoPlaceShown, ...] = Field(description="Of the photos that say where they were taken")
    filed_by: PersonRef | None
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef | None
    filed_at: datetime
    erased_at: datetime | None = Field(description="When place, values and words were erased after their period")


class GroundCheckShown(View):
    """A ground check: before which stage, what asked for it, and what was found."""

    id: UUID
    task_id: UUID
    gates: Stage = Field(description="The stage that waits for it")
    revision: int
    triggers: tuple[str, ...] = Field(
        description="`kind`, `value:<field>`, `random`, `after_return` by the policy; `by_hand` by an officer",
        examples=[["random"]],
    )
    reason: GroundCheckReason | None = Field(description="Why an officer asked for it")
    note: str | None = Field(description="In the officer's words; numbers of persons in it are masked")
    requested_by: PersonRef | None
    asked_at: datetime
    state: Literal["awaited", "filed", "not_made"] = Field(description="`not_made`: the case went another way")
    report: GroundReportShown | None


Rows = Sequence[Row[*tuple[Any, ...]]]


async def read_ground_checks(connection: AsyncConnection, update_id: UUID, policy: Policy) -> Rows:
    """The ground checks of a case; nothing is asked where its policy knows none."""
    return () if policy.ground_checks is None else await read_checks(connection, update_id)


def people_in_checks(rows: Rows) -> Iterator[UUID | None]:
    """Those whose names it takes to tell of them."""
    for row in rows:
        yield from (row.requested_by, row.filed_by, row.on_behalf_of)


def ground_checks_shown(rows: Rows, who: Who, *, open_task: UUID | None, vault: Vault) -> tuple[GroundCheckShown, ...]:
    """Every ground check, with its report."""
    return tuple(_shown(row, who, open_task=open_task, vault=vault) for row in rows)


def _shown(row: Row[*tuple[Any, ...]], who: Who, *, open_task: UUID | None, vault: Vault) -> GroundCheckShown:
    note = vault.open_text(row.note, context=check_note_context(row.id))
    waiting = "awaited" if row.task_id == open_task else "not_made"
    return GroundCheckShown(
        id=row.id,
        task_id=row.task_id,
        gates=row.gates,
        revision=row.revision,
        triggers=tuple(row.triggers),
        reason=row.reason,
        note=note and masked_text(note),
        requested_by=who.person(row.requested_by),
        asked_at=row.asked_at,
        state=waiting if row.report_id is None else "filed",
        report=None if row.report_id is None else _report(row, who, vault=vault),
    )


def _report(row: Row[*tuple[Any, ...]], who: Who, *, vault: Vault) -> GroundReportShown:
    content = content_of_row(row, vault=vault)
    note = None if content is None else content.note
    distance = None if content is None else content.distance_m
    seen = {} if content is None or content.observed is None else content.observed.differences()
    return GroundReportShown(
        id=row.report_id,
        supersedes=row.supersedes,
        outcome=row.outcome,
        differs=tuple(row.differs),
        observed=to_jsonable_python(seen),
        note=note and masked_text(note),
        coordinates=None if content is None else _blurred(content.coordinates),
        seen_at=None if content is None else content.seen_at,
        distance_m=None if distance is None else _told(distance),
        far=row.far,
        photos=tuple(row.photos),
        photo_places=() if content is None else tuple(_place_shown(each) for each in content.photo_places),
        filed_by=who.person(row.filed_by),
        on_behalf_of=who.person(row.on_behalf_of),
        role=row.role,
        office=who.office(row.office_id),
        filed_at=row.filed_at,
        erased_at=row.report_erased_at,
    )


def _place_shown(place: PhotoPlace) -> PhotoPlaceShown:
    return PhotoPlaceShown(photo=place.photo, distance_m=_told(place.distance_m), source=place.source)


def _told(metres: float) -> int:
    return round(metres / _TOLD_TO_M) * _TOLD_TO_M


def content_of_row(row: Row[*tuple[Any, ...]], *, vault: Vault) -> GroundContent | None:
    """What is sealed of the report in a row of `read_checks`; None where there is none, or no longer."""
    if row.content is None:
        return None
    return vault.open(row.content, GroundContent, context=report_context(row.report_id))


def _blurred(place: Standpoint) -> Standpoint:
    """The hamlet and not the house."""
    return Standpoint(
        latitude=round(place.latitude, 2),
        longitude=round(place.longitude, 2),
        accuracy_m=max(place.accuracy_m, BLURRED_M),
    )


def require_askable(actor: Actor, bench: Bench, policy: Policy, rows: Rows, *, revision: int) -> None:
    """Raise what keeps the asker from having somebody look now."""
    rule = require_rule(bench)
    requesting_seat(actor, area_code=bench.area_code, rule=rule, grants=bench.grants, involvements=bench.involvements)
    filed = [FiledCheck(Stage(r.gates), frozenset(r.triggers), r.revision) for r in rows if r.report_id is not None]
    require_requestable(policy.ground_checks, rule.stage, filed=filed, revision=revision)
