"""Minutes of villages as they are read: the paper, what it decides, and what has come of each case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import MinutesCase, MinutesRecord, Update
from db.repositories.minutes import minutes_rows, read_minutes_row
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.minutes import Attendance, CaseResult, PaperWords, Signature, paper_context
from domain.vocabulary import Kind, MinutesType, Outcome, ReasonCode, Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.masking import masked_text
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, OfficeRef, PersonRef, View
from services.queries.who import Who, read_who

Rows = Sequence[Row[*tuple[Any, ...]]]


class Progress(View):
    """How many of the listed cases have their result."""

    cases: int
    open: int
    decided: int


class MinutesFacts(View):
    """Minutes, or an SPTJM, in a list."""

    id: UUID
    area: AreaRef
    type: MinutesType
    number: str
    held_on: date
    covers: str = Field(description="`village`: it answers for every case of the village submitted by its day")
    recorded_at: datetime
    finished_at: datetime | None = Field(description="When every case that it lists had its result")
    superseded_by: UUID | None = Field(description="The record that corrects it")
    progress: Progress
    links: dict[str, str]


class CaseOfMinutes(View):
    """What was decided about a case, and what came of it."""

    update_id: UUID
    tracking_code: str
    kind: Kind
    outcome: Outcome
    reason: ReasonCode | None
    result: CaseResult | None = Field(
        description="Null while it is being carried out. `stands`: decided so by the record that this one corrects",
    )
    code: str | None = Field(description="Why it was not decided by these minutes, by the code of the refusal")
    detail: str | None
    decided_by: PersonRef | None = Field(description="Who was first, where somebody was")
    decided_at: datetime | None
    settled_at: datetime | None


class MinutesInFull(MinutesFacts):
    """Minutes with all that the paper says."""

    place: str | None
    attendance: tuple[Attendance, ...]
    signed_by: tuple[Signature, ...]
    why_none_held: str | None
    scan: UUID | None = Field(description="The scan: `GET /v1/evidence/{id}`")
    supersedes: UUID | None
    correction: str | None = Field(description="What was wrong with the record that it corrects")
    recorded_by: PersonRef | None
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef | None
    cases: tuple[CaseOfMinutes, ...]


_listed: Final = select(func.count()).where(MinutesCase.minutes_id == MinutesRecord.id)
_COUNTS: Final = (
    _listed.scalar_subquery().label("listed"),
    _listed.where(MinutesCase.settled_at.is_(None)).scalar_subquery().label("unsettled"),
    _listed.where(MinutesCase.result == CaseResult.DECIDED.value).scalar_subquery().label("decided"),
)


async def list_minutes(
    kawal: Kawal, actor: Actor, *, area: str | None, page: PageOf[ByAge]
) -> Slice[MinutesFacts, ByAge]:
    """The minutes in the actor's areas, the newest first. Raises NotFound outside them, Forbidden."""
    areas = areas_in_view(actor, Permission.UPDATES_READ, area=area)
    wanted = (
        minutes_rows()
        .add_columns(*_COUNTS)
        .where(within(MinutesRecord.area_code, areas))
        .order_by(MinutesRecord.id.desc())
        .limit(page.limit + 1)
    )
    if page.after is not None:
        wanted = wanted.where(MinutesRecord.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = (await connection.execute(wanted)).all()
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([MinutesFacts(**_facts(row)) for row in shown], after)


async def read_minutes(kawal: Kawal, actor: Actor, minutes_id: UUID) -> MinutesInFull:
    """One paper with its progress, case by case. Raises NotFound, Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_minutes_row(connection, minutes_id)
        wanted = minutes_rows().add_columns(*_COUNTS).where(MinutesRecord.id == minutes_id)
        row = (await connection.execute(wanted)).one()
        actor.seat_for(Permission.UPDATES_READ, area_code=row.area_code)
        cases = await _cases(connection, minutes_id)
        first = [case.detail["decided_by"] for case in cases if case.detail and case.detail.get("decided_by")]
        who = await read_who(
            connection,
            people=(row.recorded_by, row.on_behalf_of, *(UUID(each) for each in first)),
            offices=(row.office_id,),
        )
    return _told(kawal, row, cases, who)


async def _cases(connection: AsyncConnection, minutes_id: UUID) -> Rows:
    wanted = (
        select(MinutesCase.__table__, Update.tracking_code, Update.kind)
        .join(Update, Update.id == MinutesCase.update_id)
        .where(MinutesCase.minutes_id == minutes_id)
        .order_by(MinutesCase.place)
    )
    return (await connection.execute(wanted)).all()


def _facts(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    scan = {} if row.scan_id is None else {"scan": f"/v1/evidence/{row.scan_id}"}
    return {
        "id": row.id,
        "area": AreaRef.of(row),
        "type": row.type,
        "number": row.number,
        "held_on": row.held_on,
        "covers": row.covers,
        "recorded_at": row.recorded_at,
        "finished_at": row.finished_at,
        "superseded_by": row.superseded_by,
        "progress": Progress(cases=row.listed, open=row.unsettled, decided=row.decided),
        "links": {"self": f"/v1/minutes/{row.id}", "print": f"/v1/minutes/{row.id}/print", **scan},
    }


def _told(kawal: Kawal, row: Row[*tuple[Any, ...]], cases: Rows, who: Who) -> MinutesInFull:
    words = kawal.vault.open(row.words, PaperWords, context=paper_context(row.id))
    return MinutesInFull(
        **_facts(row),
        place=words.place,
        attendance=tuple(Attendance.model_validate(each) for each in row.attendance),
        signed_by=words.signed_by,
        why_none_held=words.why_none_held and masked_text(words.why_none_held),
        scan=row.scan_id,
        supersedes=row.supersedes,
        correction=words.correction and masked_text(words.correction),
        recorded_by=who.person(row.recorded_by),
        on_behalf_of=who.person(row.on_behalf_of),
        role=row.role,
        office=who.office(row.office_id),
        cases=tuple(_case(case, who) for case in cases),
    )


def _case(row: Row[*tuple[Any, ...]], who: Who) -> CaseOfMinutes:
    detail: dict[str, Any] = row.detail or {}
    first = detail.get("decided_by")
    return CaseOfMinutes(
        update_id=row.update_id,
        tracking_code=row.tracking_code,
        kind=row.kind,
        outcome=row.outcome,
        reason=row.reason,
        result=row.result,
        code=detail.get("code"),
        detail=detail.get("detail"),
        decided_by=None if first is None else who.person(UUID(first)),
        decided_at=detail.get("decided_at"),
        settled_at=row.settled_at,
    )
