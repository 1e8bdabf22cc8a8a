"""What is late, about to be, or has escalated: whose it is, how late, and what happens next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, DateTime, Row, Select, cast, extract, func, literal, or_, select, tuple_

from db.models import Area, Escalation, Task, Update
from db.models import ClockInterval as ClockIntervalRow
from db.repositories.tasks import is_overdue
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.calendar import WorkingCalendar
from domain.deadlines import Deadline
from domain.ladder import stage_rule
from domain.pauses import ClockInterval
from domain.policy import Policy
from domain.vocabulary import EscalationCause, Kind, Stage
from services.kawal import Kawal
from services.queries.clock import Lateness, NextRung, lateness, upcoming
from services.queries.holding import HOLDER_COLUMNS, Holder, deciders, holder_of, posts_of
from services.queries.keyset import ByDue, PageOf, Slice, cut
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, View
from services.queries.who import Who, read_who

_MOMENT = DateTime(timezone=True)
_STARTED_AT = cast(Task.deadline["started_at"].astext, _MOMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class StalledFilter:
    """What counts as stalled: `share` of the time gone, or late, or escalated; and where to look."""

    share: float = 0.5
    area: str | None = None
    stage: tuple[Stage, ...] = ()
    overdue: bool | None = None


class StalledTask(View):
    """An open task that does not move."""

    id: UUID
    update_id: UUID
    tracking_code: str
    kind: Kind
    area: AreaRef
    stage: Stage
    holder: Holder
    due_at: datetime
    late: Lateness | None = Field(description="How far past its deadline; null before it")
    level: int
    cause: EscalationCause | None
    next_rung: NextRung | None = Field(description="What happens next when nobody acts; null past the last rung")
    next_look_at: datetime | None
    pauses: tuple[ClockInterval, ...] = Field(description="The pauses that hold its clock now")
    version: int


async def list_stalled(
    kawal: Kawal,
    actor: Actor,
    wanted: StalledFilter,
    page: PageOf[ByDue],
) -> Slice[StalledTask, ByDue]:
    """The stalled tasks in view, the longest overdue first.

    Two statements, and one more when the calendars in memory are no longer fresh. Raises NotFound for an area outside
    the actor's own.
    """
    now = kawal.now()
    statement = stalled_list(*stalled_in(actor, wanted, now=now), page=page, now=now)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows, after = cut(
            (await connection.execute(statement)).all(), page.limit, lambda row: ByDue(row.due_at, row.id)
        )
        who = await read_who(
            connection,
            people=(row.claimed_by for row in rows),
            posts=(post for row in rows for post in posts_of(row, at=now)),
        )
        calendars = await kawal.rules.calendars(connection, {row.area_code for row in rows})
        policies = {
            version_id: await kawal.rules.policy(connection, version_id)
            for version_id in {row.policy_version_id for row in rows}
        }
    return Slice([_stalled(row, who, policies=policies, calendars=calendars, now=now) for row in rows], after)


def stalled_in(actor: Actor, wanted: StalledFilter, *, now: datetime) -> list[ColumnElement[bool]]:
    """That a task is open, in view, and stalled."""
    areas = areas_in_view(actor, Permission.STALLED_READ, area=wanted.area)
    gone = _seconds(literal(now, _MOMENT) - _STARTED_AT) >= wanted.share * _seconds(Task.due_at - _STARTED_AT)
    conditions = [
        Task.status == "open",
        within(Task.area_code, areas),
        or_(is_overdue(at=now), Task.level > 0, gone),
    ]
    if wanted.stage:
        conditions.append(Task.stage.in_([stage.value for stage in wanted.stage]))
    if wanted.overdue is not None:
        conditions.append(is_overdue(at=now) if wanted.overdue else ~is_overdue(at=now))
    return conditions


def _seconds(span: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", span)


def stalled_list(*conditions: ColumnElement[bool], page: PageOf[ByDue], now: datetime) -> Select[*tuple[Any, ...]]:
    """The statement of the list."""
    columns = (
        *(Task.id, Task.update_id, Task.area_code, Task.stage, Task.level, Task.cause, Task.due_at, Task.deadline),
        *(Task.next_milestone_at, Task.version, Update.tracking_code, Update.kind, Update.status),
        *(Update.policy_version_id, Update.settled, Update.contested, Area.name.label("area_name")),
    )
    statement = (
        select(*columns, *HOLDER_COLUMNS)
        .add_columns(deciders(), _fired(), _standing(now))
        .join(Update, Update.id == Task.update_id)
        .join(Area, Area.code == Task.area_code)
        .where(*conditions)
        .order_by(Task.due_at, Task.id)
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(tuple_(Task.due_at, Task.id) > page.after)


def _fired() -> ColumnElement[list[int]]:
    rungs = select(func.array_agg(Escalation.rung)).where(Escalation.task_id == Task.id)
    return rungs.correlate(Task).scalar_subquery().label("fired")


def _standing(now: datetime) -> ColumnElement[Any]:
    pause = func.jsonb_build_object(
        *("from", ClockIntervalRow.from_at, "to", ClockIntervalRow.to_at, "cause", ClockIntervalRow.cause),
        *("note", ClockIntervalRow.note, "order", ClockIntervalRow.order_id),
    )
    pauses = select(func.jsonb_agg(pause)).where(
        ClockIntervalRow.task_id == Task.id,
        ClockIntervalRow.from_at <= now,
        or_(ClockIntervalRow.to_at.is_(None), ClockIntervalRow.to_at > now),
    )
    return pauses.correlate(Task).scalar_subquery().label("standing")


def _stalled(
    row: Row[*tuple[Any, ...]],
    who: Who,
    *,
    policies: Mapping[UUID, Policy],
    calendars: Mapping[str, WorkingCalendar],
    now: datetime,
) -> StalledTask:
    calendar = calendars[row.area_code]
    rule = stage_rule(
        policies[row.policy_version_id],
        Stage(row.stage),
        settled=frozenset(Stage(stage) for stage in row.settled),
        contested=None if row.contested is None else Stage(row.contested),
    )
    deadline = Deadline.model_validate(row.deadline)
    return StalledTask(
        id=row.id,
        update_id=row.update_id,
        tracking_code=row.tracking_code,
        kind=row.kind,
        area=AreaRef.of(row),
        stage=row.stage,
        holder=holder_of(row, who, at=now),
        due_at=row.due_at,
        late=None if deadline.standing else lateness(row.due_at, now=now, calendar=calendar),
        level=row.level,
        cause=row.cause,
        next_rung=upcoming(rule, deadline, fired=row.fired or (), calendar=calendar),
        next_look_at=row.next_milestone_at,
        pauses=tuple(ClockInterval.model_validate(pause) for pause in row.standing or ()),
        version=row.version,
    )
