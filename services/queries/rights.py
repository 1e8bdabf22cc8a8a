"""What persons asked of their data, and where it stands; the objections shown with a case or a household."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, DataSubjectRequest
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.identity import mask
from domain.rights import (
    RIGHTS_REASONS,
    AskedBy,
    IdentifiedBy,
    RightsKind,
    RightsReason,
    RightsState,
    nik_context,
    rights_note_context,
    words_context,
)
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, PersonRef, Text, View
from services.queries.who import Who, read_who


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsFilter:
    """What narrows the list; `overdue` are open and past their deadline."""

    area: str | None = None
    kind: RightsKind | None = None
    state: RightsState | None = None
    overdue: bool | None = None


class RightsRequest(View):
    """A request of a person, and where it stands."""

    id: UUID
    area: AreaRef
    kind: RightsKind
    state: RightsState
    nik: str | None = Field(description="Masked; null once erased after retention")
    asked_by: AskedBy
    identified_by: IdentifiedBy
    explanation: str | None
    requested_by: PersonRef | None
    requested_at: datetime
    due_at: datetime = Field(description="72 hours after it was written down")
    overdue: bool
    answered_by: PersonRef | None = Field(description="Null while open, and where the system made the export")
    answered_at: datetime | None
    reason: RightsReason | None
    public_words: Text | None = Field(description="What the person is told")
    note: str | None
    held: bool | None = Field(description="Whether anything is held in the area; null until it was looked")
    export_until: datetime | None = Field(description="Until when the export can be downloaded")
    links: dict[str, str]


class ObjectionStanding(View):
    """That somebody objects to the processing of data in this case or household; not who."""

    id: UUID
    state: RightsState
    public_words: Text | None
    requested_at: datetime
    due_at: datetime


_OBJECTIONS = text("SELECT * FROM kawal_objections(:household_id, :update_id) ORDER BY id")


async def read_objections(
    connection: AsyncConnection,
    *,
    household_id: UUID | None = None,
    update_id: UUID | None = None,
) -> tuple[ObjectionStanding, ...]:
    """The objections, open or upheld, against processing what a household or a case holds."""
    rows = await connection.execute(_OBJECTIONS, {"household_id": household_id, "update_id": update_id})
    return tuple(
        ObjectionStanding(
            id=row.id,
            state=RightsState(row.state),
            public_words=_words(row.reason),
            requested_at=row.requested_at,
            due_at=row.due_at,
        )
        for row in rows
    )


async def list_rights(
    kawal: Kawal,
    actor: Actor,
    wanted: RightsFilter,
    page: PageOf[ByAge],
) -> Slice[RightsRequest, ByAge]:
    """The requests in the actor's areas, the newest first. Raises NotFound for a foreign area, or Forbidden."""
    now = kawal.now()
    areas = areas_in_view(actor, Permission.RIGHTS_HANDLE, area=wanted.area)
    statement = _SELECT.where(within(DataSubjectRequest.area_code, areas)).order_by(DataSubjectRequest.id.desc())
    if wanted.kind is not None:
        statement = statement.where(DataSubjectRequest.kind == wanted.kind.value)
    if wanted.state is not None:
        statement = statement.where(DataSubjectRequest.state == wanted.state.value)
    if wanted.overdue is not None:
        late = (DataSubjectRequest.state == RightsState.OPEN.value) & (DataSubjectRequest.due_at < now)
        statement = statement.where(late if wanted.overdue else ~late)
    if page.after is not None:
        statement = statement.where(DataSubjectRequest.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = (await connection.execute(statement.limit(page.limit + 1))).all()
        who = await read_who(connection, people=[one for row in rows for one in (row.requested_by, row.answered_by)])
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_told(kawal, row, who, now=now) for row in shown], after)


async def read_rights(kawal: Kawal, actor: Actor, request_id: UUID) -> RightsRequest:
    """One request. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        row = (await connection.execute(_SELECT.where(DataSubjectRequest.id == request_id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no request {request_id} for you.")
        actor.seat_for(Permission.RIGHTS_HANDLE, area_code=row.area_code)
        return await told_request(kawal, connection, row, now=kawal.now())


async def told_request(
    kawal: Kawal,
    connection: AsyncConnection,
    row: Row[*tuple[Any, ...]],
    *,
    now: datetime,
) -> RightsRequest:
    """The request of a row within view, for people."""
    full = (await connection.execute(_SELECT.where(DataSubjectRequest.id == row.id))).one()
    who = await read_who(connection, people=[full.requested_by, full.answered_by])
    return _told(kawal, full, who, now=now)


_SELECT = select(DataSubjectRequest.__table__, Area.name.label("area_name")).outerjoin(
    Area,
    Area.code == DataSubjectRequest.area_code,
)


def _told(kawal: Kawal, row: Row[*tuple[Any, ...]], who: Who, *, now: datetime) -> RightsRequest:
    nik = kawal.vault.open_text(row.nik, context=nik_context(row.id))
    address = f"/v1/data-subject-requests/{row.id}"
    ready = row.export_until is not None and now < row.export_until
    return RightsRequest(
        id=row.id,
        area=AreaRef(code=row.area_code, name=row.area_name or row.area_code),
        kind=RightsKind(row.kind),
        state=RightsState(row.state),
        nik=nik and mask(nik),
        asked_by=AskedBy(row.asked_by),
        identified_by=IdentifiedBy(row.identified_by),
        explanation=kawal.vault.open_text(row.explanation, context=words_context(row.id)),
        requested_by=who.person(row.requested_by),
        requested_at=row.requested_at,
        due_at=row.due_at,
        overdue=row.state == RightsState.OPEN.value and row.due_at < now,
        answered_by=who.person(row.answered_by),
        answered_at=row.answered_at,
        reason=row.reason and RightsReason(row.reason),
        public_words=_words(row.reason),
        note=kawal.vault.open_text(row.note, context=rights_note_context(row.id)),
        held=row.held,
        export_until=row.export_until,
        links={"export": f"{address}/export", "page": f"{address}/export/page"} if ready else {},
    )


def _words(reason: str | None) -> Text | None:
    if reason is None:
        return None
    words = RIGHTS_REASONS[RightsReason(reason)].words
    return Text(id=words.id, en=words.en)
