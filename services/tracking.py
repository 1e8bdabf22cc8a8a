"""The public status of an update for whoever holds its code: no personal data, no place below the district."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area
from db.session import Viewer
from domain.deadline_sentences import day_words
from domain.errors import NotFound
from domain.ids import normalise_tracking_code
from domain.policy import Policy
from domain.provenance import Bilingual
from domain.public_words import APPEAL_UPHELD, KIND_LABELS, LAPSES, LOOKED_AT, STATUS_TEXTS
from domain.vocabulary import CLOSED_STATUSES, Kind, ReasonCode, Stage, Status
from services.area_page import PublicOrder, orders_in_force
from services.kawal import Kawal
from services.queries.reasons import text_of
from services.queries.view import AreaRef, Text, View

_TRACK: Final = text("SELECT * FROM kawal_track(:code)")
_TRACK_REOPENED: Final = text("SELECT * FROM kawal_track_reopened(:code)")
_TRACK_APPEAL: Final = text("SELECT * FROM kawal_track_appeal(:code)")


class TrackedAppeal(View):
    """What the public reads of the appeal against a rejection."""

    tracking_code: str
    status: Status
    status_text: Text
    submitted_at: datetime
    due_at: datetime | None = Field(description="When the step is to be done")
    reason: Text | None = Field(description="Why it was turned down or returned, in words for the public")
    closed_at: datetime | None


class TrackedReopening(TrackedAppeal):
    """What the public reads of the case that carries a lapsed one on."""


class Tracked(View):
    """What the public reads of an update."""

    tracking_code: str
    kind: Kind
    kind_label: Text
    status: Status
    status_text: Text
    stage: Stage | None = Field(description="The step it is in; null before the first and after the last")
    district: AreaRef
    submitted_at: datetime
    due_at: datetime | None = Field(description="When the step is to be done")
    escalated: bool = Field(description="Whether a supervisor has been given authority over it")
    reason: Text | None = Field(description="Why it was returned or rejected, in words for the public")
    orders: tuple[PublicOrder, ...] = Field(description="Why its clock stands now, where service is suspended")
    closed_at: datetime | None
    lapses_at: datetime | None = Field(
        description="When it ends unless it is mended before; null where that was not said"
    )
    reopening: TrackedReopening | None = Field(
        description="The update that carries it on, where it lapsed and was reopened"
    )
    appeal: TrackedAppeal | None = Field(description="The appeal against its rejection, the latest where there are two")


async def track(kawal: Kawal, written_code: str) -> Tracked:
    """The status behind a code as somebody typed it. Raises NotFound for one that was never issued."""
    code = normalise_tracking_code(written_code)
    async with kawal.database.transaction(Viewer.nobody()) as connection:
        row = (await connection.execute(_TRACK, {"code": code})).one_or_none()
        if row is None:
            raise NotFound("There is no update with this tracking code.", remedy="Check the code on your receipt.")
        policy = await kawal.rules.policy(connection, row.policy_version_id)
        appealed = (await connection.execute(_TRACK_APPEAL, {"code": code})).one_or_none()
        appeal = None if appealed is None else await _appeal(kawal, connection, appealed)
        reopening = await _reopening(kawal, connection, code) if row.status == Status.LAPSED else None
        zone = (await kawal.rules.area(connection, row.area_code)).zone
        district = row.area_code.rpartition(".")[0]
        name = await connection.scalar(select(Area.name).where(Area.code == district))
        orders = () if row.closed_at else await orders_in_force(connection, row.area_code, now=kawal.now())
    place = AreaRef(code=district, name=name or district)
    # No place below the district is named, so neither is the village that an order is for.
    told = tuple(order if len(order.area.code) < len(row.area_code) else _of(order, place) for order in orders)
    return _tracked(row, code, policy, place, orders=told, appeal=appeal, reopening=reopening, zone=zone)


def _of(order: PublicOrder, place: AreaRef) -> PublicOrder:
    return order.model_copy(update={"area": place})


async def _reopening(kawal: Kawal, connection: AsyncConnection, code: str) -> TrackedReopening | None:
    row = (await connection.execute(_TRACK_REOPENED, {"code": code})).one_or_none()
    return None if row is None else TrackedReopening.model_validate(dict(await _appeal(kawal, connection, row)))


async def _appeal(kawal: Kawal, connection: AsyncConnection, row: Row[*tuple[Any, ...]]) -> TrackedAppeal:
    policy = await kawal.rules.policy(connection, row.policy_version_id)
    return TrackedAppeal(
        tracking_code=row.tracking_code,
        status=row.status,
        status_text=text_of(_status_text(row)),
        submitted_at=row.submitted_at,
        due_at=row.due_at,
        reason=_reason(row, policy),
        closed_at=row.closed_at,
    )


def _status_text(row: Row[*tuple[Any, ...]]) -> Bilingual:
    """What the status says; of an appeal that was turned down, that the rejection stands.

    Before whichever stage somebody looks in the field, the public reads that, and not who.
    """
    status = Status(row.status)
    if row.stage == Stage.GROUND_CHECK.value and status not in CLOSED_STATUSES:
        return LOOKED_AT
    return APPEAL_UPHELD if status is Status.REJECTED and row.upheld else STATUS_TEXTS[status]


def _with_notice(said: Bilingual, lapses_at: datetime | None, *, zone: str) -> Bilingual:
    """What the status says, and by when the update has to be mended where it will lapse."""
    if lapses_at is None:
        return said
    day = lapses_at.astimezone(ZoneInfo(zone)).date()
    return Bilingual(
        id=f"{said.id} {LAPSES.id.format(day=day_words(day, 'id'))}",
        en=f"{said.en} {LAPSES.en.format(day=day_words(day, 'en'))}",
    )


def _reason(row: Row[*tuple[Any, ...]], policy: Policy) -> Text | None:
    return None if row.reason is None else text_of(policy.reason(ReasonCode(row.reason)).public_text)


def _tracked(
    row: Row[*tuple[Any, ...]],
    code: str,
    policy: Policy,
    district: AreaRef,
    *,
    orders: tuple[PublicOrder, ...],
    appeal: TrackedAppeal | None,
    reopening: TrackedReopening | None,
    zone: str,
) -> Tracked:
    kind, status = Kind(row.kind), Status(row.status)
    return Tracked(
        tracking_code=code,
        kind=kind,
        kind_label=text_of(KIND_LABELS[kind]),
        status=status,
        status_text=text_of(_with_notice(_status_text(row), row.lapses_at, zone=zone)),
        stage=row.stage and Stage(row.stage),
        district=district,
        submitted_at=row.submitted_at,
        due_at=row.due_at,
        escalated=row.level > 0,
        reason=_reason(row, policy),
        orders=orders,
        closed_at=row.closed_at,
        lapses_at=row.lapses_at,
        reopening=reopening,
        appeal=appeal,
    )
