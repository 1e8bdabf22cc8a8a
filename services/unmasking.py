"""Clear values of one household or one case: for a stated purpose, written to the read log before they are shown."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from db.repositories import trail
from db.repositories.cases import lock_case, read_revision
from db.repositories.disclosure import Read, Reader, log_readings
from db.repositories.evidence import read_captures
from db.repositories.ground_checks import read_checks
from db.repositories.registry import read_household
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Permission, Seat
from domain.changes import Change, without_objector
from domain.disclosure import DisclosureInput
from domain.evidence import Coordinates, EvidenceRef
from domain.household import Household
from domain.people import sees_objectors
from domain.places import Standpoint
from services.kawal import Kawal
from services.queries.case import read_base
from services.queries.ground import content_of_row
from services.queries.view import View


class HouseholdUnmasked(View):
    """A household with nothing masked."""

    read_id: UUID = Field(description="The entry of the read log that was made of this answer")
    household: Household


class PlaceOfFile(View):
    """Where exactly a file behind the case was taken."""

    evidence_id: UUID
    coordinates: Coordinates


class PlaceOfReport(View):
    """Where exactly somebody stood who has reported from the field."""

    report_id: UUID
    coordinates: Standpoint


class CaseUnmasked(View):
    """What a case proposes, with nothing masked."""

    read_id: UUID = Field(description="The entry of the read log that was made of this answer")
    update_id: UUID
    revision: int
    change: Change
    evidence: tuple[EvidenceRef, ...]
    places: tuple[PlaceOfFile, ...]
    ground_reports: tuple[PlaceOfReport, ...]
    base: Household | None = Field(description="The household as it was when the update was made; null for a new one")


async def unmask_household(
    kawal: Kawal,
    actor: Actor,
    household_id: UUID,
    request: DisclosureInput,
) -> HouseholdUnmasked:
    """One household in the clear. Raises NotFound outside the actor's areas, Forbidden without the permission."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        household = await read_household(connection, household_id, vault=kawal.vault)
        seat = actor.seat_for(Permission.PERSONS_UNMASK, area_code=household.area_code)
        reader = Reader.of(actor.user_id, seat, request)
        read = Read(subject="household", area_code=household.area_code, household_id=household_id)
        (read_id,) = await log_readings(connection, reader, [read], at=at, vault=kawal.vault)
        entry = _entry(AuditType.HOUSEHOLD_READ_UNMASKED, actor, seat, request, read_id, version=household.version)
        stream = stream_of_household(household_id)
        await trail.record(connection, stream, [entry], at=at, area_code=household.area_code)
    return HouseholdUnmasked(read_id=read_id, household=household)


async def unmask_case(kawal: Kawal, actor: Actor, update_id: UUID, request: DisclosureInput) -> CaseUnmasked:
    """One case in the clear. Raises NotFound outside the actor's areas, Forbidden without the permission."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        case = await lock_case(connection, update_id)
        seat = actor.seat_for(Permission.PERSONS_UNMASK, area_code=case.area_code)
        revision = await read_revision(connection, case.id, case.revision, vault=kawal.vault)
        change, base = revision.change, await read_base(kawal, connection, case)
        captures = await read_captures(connection, case.id, vault=kawal.vault)
        checks = await read_checks(connection, case.id)
        read = Read(subject="update", area_code=case.area_code, household_id=case.household_id, update_id=case.id)
        reader = Reader.of(actor.user_id, seat, request)
        (read_id,) = await log_readings(connection, reader, [read], at=at, vault=kawal.vault)
        entry = _entry(AuditType.UPDATE_READ_UNMASKED, actor, seat, request, read_id, revision=case.revision)
        await trail.record(connection, stream_of_update(case.id), [entry], at=at, area_code=case.area_code)
    return CaseUnmasked(
        read_id=read_id,
        update_id=case.id,
        revision=case.revision,
        change=change if sees_objectors(actor, area_code=case.area_code) else without_objector(change),
        evidence=revision.evidence,
        places=tuple(
            PlaceOfFile(evidence_id=evidence_id, coordinates=capture.coordinates)
            for evidence_id, capture in captures.items()
            if capture.coordinates is not None
        ),
        ground_reports=tuple(
            PlaceOfReport(report_id=row.report_id, coordinates=content.coordinates)
            for row in checks
            if (content := content_of_row(row, vault=kawal.vault)) is not None
        ),
        base=base,
    )


def stream_of_household(household_id: UUID) -> str:
    """The name of the trail of who read a household."""
    return f"household:{household_id}"


def _entry(
    kind: AuditType,
    actor: Actor,
    seat: Seat,
    request: DisclosureInput,
    read_id: UUID,
    **more: int,
) -> Entry:
    """The event of a reading. The explanation stays in the read log, sealed: the trail is for good."""
    return Entry(
        type=kind,
        by=Doer.of(actor, seat),
        data={"purpose": request.purpose.value, "reading": str(read_id), **more},
    )
