"""Which updates there are, newest first: where each stands, who holds it and by when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, and_, exists, or_, select, true

from db.models import Area, Task, TaskGrant, Update
from db.repositories.tasks import is_held_up, is_overdue
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.policy import Power
from domain.vocabulary import EscalationCause, Kind, Role, Stage, Status
from services.kawal import Kawal
from services.queries.cutoff import IS_APPEAL, Outlook, WayLeft, missing_cutoff, read_outlook, way_left
from services.queries.finding import updates_found_by
from services.queries.holding import HOLDER_COLUMNS, Holder, deciders, holder_of, posts_of
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, View
from services.queries.who import Who, read_who


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What narrows the list; an empty filter shows all in view. `term` is a tracking code or a NIK or KK number."""

    status: tuple[Status, ...] = ()
    stage: tuple[Stage, ...] = ()
    kind: tuple[Kind, ...] = ()
    area: str | None = None
    overdue: bool | None = None
    level: int | None = None
    holder: Role | None = None
    will_miss_cutoff: bool | None = None
    term: str | None = field(default=None, repr=False)


class CaseSummary(View):
    """An update as a list shows it."""

    id: UUID
    tracking_code: str
    kind: Kind
    area: AreaRef
    status: Status
    stage: Stage | None = Field(description="The stage it is in; null before the first and after the last")
    level: int = Field(description="How far it has escalated; 0 when it has not")
    cause: EscalationCause | None
    holder: Holder | None = Field(description="Who has it; null when it is closed or the engine has yet to take it up")
    task_id: UUID | None = Field(description="Its open task")
    due_at: datetime | None
    overdue: bool
    round: str | None = Field(description="The period of the round it counts for while its cut-off is to come")
    will_miss_cutoff: bool = Field(description="Whether it is late for that by the deadlines left on its route")
    submitted_at: datetime
    closed_at: datetime | None
    version: int


async def list_cases(kawal: Kawal, actor: Actor, wanted: CaseFilter, page: PageOf[ByAge]) -> Slice[CaseSummary, ByAge]:
    """The updates in view that fit. Three statements, and some more for a question about cut-offs.

    Raises NotFound for an area outside the actor's own, InvalidInput for a term that is neither code nor number.
    """
    now = kawal.now()
    areas = areas_in_view(actor, Permission.UPDATES_READ, area=wanted.area)
    conditions = [within(Update.area_code, areas), *_fitting(kawal, wanted, now=now)]
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        if wanted.will_miss_cutoff is not None:
            outlook = await read_outlook(kawal, connection, _regencies(areas), now=now)
            late = await missing_cutoff(kawal, connection, outlook, within(Update.area_code, areas))
            conditions.append(late if wanted.will_miss_cutoff else late.is_not(true()))
        statement = case_list(*conditions, page=page)
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        who = await read_who(
            connection,
            people=(row.claimed_by for row in rows),
            posts=(post for row in rows for post in posts_of(row, at=now)),
        )
        outlook = await read_outlook(kawal, connection, {row.area_code for row in rows if row.task_id}, now=now)
        ways = [way_left(row, await kawal.rules.policy(connection, row.policy_version_id)) for row in rows]
    return Slice([_summary(row, who, outlook, way) for row, way in zip(rows, ways, strict=True)], after)


def _regencies(areas: Collection[str]) -> Collection[str] | None:
    """The regencies that these areas lie in; None where they are wider than one."""
    return areas if all(len(area) >= len("32.06") for area in areas) else None


def case_list(*conditions: ColumnElement[bool], page: PageOf[ByAge]) -> Select[*tuple[Any, ...]]:
    """The statement of the list; with an area it is one range of `(area_code, id)`."""
    columns = (
        *(Update.id, Update.tracking_code, Update.kind, Update.area_code, Update.status, Update.stage),
        *(
            Update.policy_version_id,
            Update.settled,
            Update.identity_waived,
            Update.contested,
            IS_APPEAL,
            Area.remoteness,
        ),
        *(Update.level, Update.cause, Update.submitted_at, Update.closed_at, Update.version),
    )
    statement = (
        select(*columns, Area.name.label("area_name"), Task.id.label("task_id"), Task.due_at, *HOLDER_COLUMNS)
        .add_columns(deciders(), is_held_up().label("held_up"))
        .join(Area, Area.code == Update.area_code)
        .outerjoin(Task, and_(Task.update_id == Update.id, Task.status == "open"))
        .where(*conditions)
        .order_by(Update.id.desc())
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(Update.id < page.after.id)


def _fitting(kawal: Kawal, wanted: CaseFilter, *, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.status:
        yield Update.status.in_([status.value for status in wanted.status])
    if wanted.stage:
        yield Update.stage.in_([stage.value for stage in wanted.stage])
    if wanted.kind:
        yield Update.kind.in_([kind.value for kind in wanted.kind])
    if wanted.level is not None:
        yield Update.level >= wanted.level
    if wanted.overdue is not None:
        yield is_overdue(at=now) if wanted.overdue else or_(Task.id.is_(None), ~is_overdue(at=now))
    if wanted.holder is not None:
        yield exists().where(
            TaskGrant.task_id == Task.id,
            TaskGrant.role == wanted.holder.value,
            TaskGrant.power == Power.DECIDE.value,
        )
    if wanted.term is not None:
        yield updates_found_by(wanted.term, vault=kawal.vault)


def _summary(row: Row[*tuple[Any, ...]], who: Who, outlook: Outlook, way: WayLeft) -> CaseSummary:
    now = outlook.now
    coming = None if row.task_id is None or way.position.stage is Stage.DELIVERY else outlook.round_of(row.area_code)
    return CaseSummary(
        id=row.id,
        tracking_code=row.tracking_code,
        kind=row.kind,
        area=AreaRef.of(row),
        status=row.status,
        stage=row.stage,
        level=row.level,
        cause=row.cause,
        holder=None if row.task_id is None else holder_of(row, who, at=now),
        task_id=row.task_id,
        due_at=row.due_at,
        overdue=row.due_at is not None and row.due_at < now and not row.held_up,
        round=coming and coming.period,
        will_miss_cutoff=row.due_at is not None and outlook.will_miss(row.area_code, way, row.due_at),
        submitted_at=row.submitted_at,
        closed_at=row.closed_at,
        version=row.version,
    )
