"""Clear values of many households: asked for by one person, let out by another, for a time and a number of rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, UnmaskRequest
from db.models import Household as HouseholdRow
from db.repositories import trail
from db.repositories.disclosure import (
    Read,
    Reader,
    find_request,
    log_readings,
    request_explanation_context,
    request_note_context,
    standing_of,
)
from db.repositories.registry import open_household
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.areas import AreaCode
from domain.audit import AuditType
from domain.authority import Actor, Permission, Seat
from domain.disclosure import (
    LONGEST_HOURS,
    MOST_ROWS,
    BulkVerdict,
    DisclosureInput,
    Purpose,
    check_second_eyes,
    rows_allowed,
    validity,
)
from domain.errors import Forbidden
from domain.household import Household
from domain.ids import new_id
from domain.text import Note
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.masking import masked_text
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, PersonRef, View
from services.queries.who import Who, read_who
from services.unmasking import HouseholdUnmasked

ROUTE: Final = "POST /v1/unmask-requests"
PAGE: Final = 100
"""The most households of one answer."""


class BulkInput(DisclosureInput):
    """Which households, how many at most, and for how long an approval is to be good."""

    area_code: AreaCode = Field(description="This area and all below it")
    desil: Annotated[tuple[Annotated[int, Field(ge=1, le=10)], ...], Field(max_length=10)] = ()
    rows: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    hours: Annotated[int, Field(ge=1, le=LONGEST_HOURS, description="Counted from the approval")] = 24


class BulkAnswer(BaseModel):
    """What the second person says, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    verdict: BulkVerdict
    note: Note


class RowsInput(BaseModel):
    """Which of the rows that were let out are to be read now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=PAGE)] = PAGE
    after: UUID | None = Field(default=None, description="The household after which to go on: the last answer's `next`")


class BulkRequest(View):
    """A request to see many, and where it stands."""

    id: UUID
    area: AreaRef
    desil: tuple[int, ...]
    purpose: Purpose
    explanation: str
    rows: int
    hours: int
    requested_by: PersonRef | None
    requested_at: datetime
    verdict: BulkVerdict | None = Field(description="Null while nobody has answered")
    note: str | None
    decided_by: PersonRef | None
    decided_at: datetime | None
    valid_until: datetime | None
    rows_read: int


class BulkRows(View):
    """Some of the rows that were let out; each of them stands in the read log."""

    items: tuple[HouseholdUnmasked, ...]
    next: UUID | None = Field(description="`after` of the next request; null when there are no more")
    rows_left: int = Field(description="How many the approval still lets out")


async def request_bulk(kawal: Kawal, call: Call, request: BulkInput) -> BulkRequest:
    """Ask for many. Raises NotFound outside the actor's areas, Forbidden, IdempotencyKeyReused."""
    seat = call.actor.seat_for(Permission.UNMASKING_REQUEST, area_code=request.area_code)
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        made, _ = await once(
            connection,
            call,
            request,
            lambda: _write_down(kawal, connection, call, request, seat),
            answer=Created,
            route=ROUTE,
            vault=kawal.vault,
        )
        return await _told(kawal, connection, await find_request(connection, made.id))


async def _write_down(kawal: Kawal, connection: AsyncConnection, call: Call, request: BulkInput, seat: Seat) -> Created:
    request_id = new_id()
    await connection.execute(
        insert(UnmaskRequest).values(
            id=request_id,
            area_code=request.area_code,
            desil=sorted(set(request.desil)),
            purpose=request.purpose.value,
            explanation=kawal.vault.seal_text(request.explanation, context=request_explanation_context(request_id)),
            rows=request.rows,
            hours=request.hours,
            requested_by=call.actor.user_id,
            requested_at=call.at,
        ),
    )
    asked: dict[str, JsonValue] = {"purpose": request.purpose.value, "rows": request.rows, "hours": request.hours}
    entry = Entry(type=AuditType.UNMASKING_REQUESTED, by=Doer.of(call.actor, seat), data=asked)
    await trail.record(connection, _stream(request_id), [entry], at=call.at, area_code=request.area_code)
    return Created(id=request_id)


async def list_requests(kawal: Kawal, actor: Actor, page: PageOf[ByAge]) -> Slice[BulkRequest, ByAge]:
    """The requests in the actor's areas, the newest first. Raises Forbidden."""
    areas = areas_in_view(actor, Permission.UNMASKING_READ, area=None)
    wanted = (
        select(UnmaskRequest.__table__, Area.name.label("area_name"))
        .join(Area, Area.code == UnmaskRequest.area_code)
        .where(within(UnmaskRequest.area_code, areas))
        .order_by(UnmaskRequest.id.desc())
        .limit(page.limit + 1)
    )
    if page.after is not None:
        wanted = wanted.where(UnmaskRequest.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = (await connection.execute(wanted)).all()
        people = [person for row in rows for person in (row.requested_by, row.decided_by)]
        who = await read_who(connection, people=people)
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_view(kawal, row, who, area_name=row.area_name) for row in shown], after)


async def read_request(kawal: Kawal, actor: Actor, request_id: UUID) -> BulkRequest:
    """One request. Raises NotFound or Forbidden."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        row = await find_request(connection, request_id)
        actor.seat_for(Permission.UNMASKING_READ, area_code=row.area_code)
        return await _told(kawal, connection, row)


async def answer_request(kawal: Kawal, actor: Actor, request_id: UUID, answer: BulkAnswer) -> BulkRequest:
    """Let the rows out, or refuse to. Raises NotFound, Forbidden, SeparationOfDuties for who asked, NotPossibleNow."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = await find_request(connection, request_id, lock=True)
        seat = actor.seat_for(Permission.UNMASKING_APPROVE, area_code=row.area_code)
        check_second_eyes(standing_of(row), by=actor.person)
        approved = answer.verdict is BulkVerdict.APPROVED
        await connection.execute(
            update(UnmaskRequest)
            .where(UnmaskRequest.id == request_id)
            .values(
                verdict=answer.verdict.value,
                note=kawal.vault.seal_text(answer.note, context=request_note_context(request_id)),
                decided_by=actor.user_id,
                decided_at=at,
                valid_until=validity(row.hours, now=at) if approved else None,
            ),
        )
        entry = Entry(
            type=AuditType.UNMASKING_ANSWERED,
            by=Doer.of(actor, seat),
            data={"verdict": answer.verdict.value},
        )
        await trail.record(connection, _stream(request_id), [entry], at=at, area_code=row.area_code)
        return await _told(kawal, connection, await find_request(connection, request_id))


async def read_rows(kawal: Kawal, actor: Actor, request_id: UUID, wanted: RowsInput) -> BulkRows:
    """Some of the rows, each written to the read log first. Reading one again counts again.

    Raises NotFound, Forbidden for anybody but who asked, NotPossibleNow without an approval that is still good.
    """
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = await find_request(connection, request_id, lock=True)
        seat = actor.seat_for(Permission.UNMASKING_REQUEST, area_code=row.area_code)
        if row.requested_by != actor.user_id:
            raise Forbidden("The rows are shown to who asked for them.", remedy="Make a request of your own.")
        limit = rows_allowed(standing_of(row), wanted=wanted.limit, now=at)
        found = (await connection.execute(_households(row, after=wanted.after, limit=limit + 1))).all()
        shown = found[:limit]
        items = await _disclose(kawal, connection, actor, seat, row, shown, at=at)
        read = row.rows_read + len(items)
        await connection.execute(update(UnmaskRequest).where(UnmaskRequest.id == request_id).values(rows_read=read))
    return BulkRows(
        items=items,
        next=shown[-1].id if len(found) > limit else None,
        rows_left=row.rows - read,
    )


def _households(row: Row[*tuple[Any, ...]], *, after: UUID | None, limit: int) -> Any:
    wanted = select(HouseholdRow.id, HouseholdRow.area_code, HouseholdRow.version, HouseholdRow.content).where(
        within(HouseholdRow.area_code, (row.area_code,)),
    )
    if row.desil:
        wanted = wanted.where(HouseholdRow.desil.in_(row.desil))
    if after is not None:
        wanted = wanted.where(HouseholdRow.id > after)
    return wanted.order_by(HouseholdRow.id).limit(limit)


async def _disclose(
    kawal: Kawal,
    connection: AsyncConnection,
    actor: Actor,
    seat: Seat,
    row: Row[*tuple[Any, ...]],
    shown: Any,
    *,
    at: datetime,
) -> tuple[HouseholdUnmasked, ...]:
    vault = kawal.vault
    reader = Reader(
        user_id=actor.user_id,
        seat=seat,
        purpose=Purpose(row.purpose),
        explanation=vault.open_text(row.explanation, context=request_explanation_context(row.id)) or "",
        batch_id=row.id,
    )
    readings = [Read(subject="household", area_code=one.area_code, household_id=one.id) for one in shown]
    read_ids = await log_readings(connection, reader, readings, at=at, vault=vault)
    if read_ids:
        told: dict[str, JsonValue] = {"rows": len(read_ids), "first": str(read_ids[0]), "last": str(read_ids[-1])}
        entry = Entry(type=AuditType.UNMASKING_READ, by=Doer.of(actor, seat), data=told)
        await trail.record(connection, _stream(row.id), [entry], at=at, area_code=row.area_code)
    households: list[Household] = [open_household(one, vault=vault) for one in shown]
    return tuple(
        HouseholdUnmasked(read_id=read_id, household=household)
        for read_id, household in zip(read_ids, households, strict=True)
    )


def _stream(request_id: UUID) -> str:
    return f"unmasking:{request_id}"


async def _told(kawal: Kawal, connection: AsyncConnection, row: Row[*tuple[Any, ...]]) -> BulkRequest:
    name = await connection.scalar(select(Area.name).where(Area.code == row.area_code))
    who = await read_who(connection, people=(row.requested_by, row.decided_by))
    return _view(kawal, row, who, area_name=name or row.area_code)


def _view(kawal: Kawal, row: Row[*tuple[Any, ...]], who: Who, *, area_name: str) -> BulkRequest:
    vault = kawal.vault
    note = vault.open_text(row.note, context=request_note_context(row.id))
    return BulkRequest(
        id=row.id,
        area=AreaRef(code=row.area_code, name=area_name),
        desil=tuple(row.desil),
        purpose=row.purpose,
        explanation=vault.open_text(row.explanation, context=request_explanation_context(row.id)) or "",
        rows=row.rows,
        hours=row.hours,
        requested_by=who.person(row.requested_by),
        requested_at=row.requested_at,
        verdict=row.verdict,
        note=None if note is None else masked_text(note),
        decided_by=who.person(row.decided_by),
        decided_at=row.decided_at,
        valid_until=row.valid_until,
        rows_read=row.rows_read,
    )
