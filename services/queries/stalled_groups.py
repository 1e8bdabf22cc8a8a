"""What is stalled, counted: by cause, by the office that has it, by stage, or by area."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, assert_never

from pydantic import Field
from sqlalchemy import ColumnElement, Row, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Task, TaskGrant, Update
from db.repositories.tasks import is_overdue
from db.session import Viewer
from domain.authority import NATION, Actor, Permission
from domain.policy import Power
from domain.vocabulary import AreaLevel, EscalationCause, Role, Stage, Status
from services.kawal import Kawal
from services.queries.holding import Party, party_of
from services.queries.scope import areas_in_view, level_of
from services.queries.stalled import StalledFilter, stalled_in
from services.queries.view import View
from services.queries.who import Post, read_who

NEARING = "nearing_deadline"
"""The cause of what is neither late nor escalated: much of its time is gone."""

_LENGTH_OF_CODE = {AreaLevel.PROVINCE: 2, AreaLevel.REGENCY: 5, AreaLevel.DISTRICT: 8, AreaLevel.VILLAGE: 13}


class GroupBy(StrEnum):
    """What stalled tasks are counted by."""

    CAUSE = "cause"
    OFFICE = "office"
    STAGE = "stage"
    AREA = "area"


class StalledGroup(View):
    """How many tasks are stalled for one cause, in one office, stage or area."""

    key: str = Field(description="A cause, stage or area code, an office's id, or `vacant:<role>:<area>`")
    name: str
    tasks: int
    overdue: int
    oldest_due_at: datetime = Field(description="When the longest overdue of them was, or is, due")


class StalledGroups(View):
    """The counts, the largest first."""

    group_by: GroupBy
    groups: tuple[StalledGroup, ...]


class _Named(NamedTuple):
    key: str
    name: str


@dataclass(slots=True)
class _Tally:
    oldest: datetime
    tasks: int = 0
    overdue: int = 0

    def add(self, row: Row[*tuple[Any, ...]]) -> None:
        self.tasks += row.tasks
        self.overdue += row.overdue
        self.oldest = min(self.oldest, row.oldest)


async def count_stalled(kawal: Kawal, actor: Actor, wanted: StalledFilter, *, by: GroupBy) -> StalledGroups:
    """The stalled tasks in view, counted. Two statements. Raises NotFound for an area outside the actor's own."""
    now = kawal.now()
    conditions = stalled_in(actor, wanted, now=now)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        keys = _keys(by, actor, wanted, now=now)
        rows = (await connection.execute(_counted(keys, conditions, now=now))).all()
        named = await _names(connection, by, rows, now=now)
    tallies: dict[_Named, _Tally] = {}
    for row, names in zip(rows, named, strict=True):
        for name in names:
            tallies.setdefault(name, _Tally(row.oldest)).add(row)
    groups = [
        StalledGroup(key=of.key, name=of.name, tasks=tally.tasks, overdue=tally.overdue, oldest_due_at=tally.oldest)
        for of, tally in tallies.items()
    ]
    return StalledGroups(group_by=by, groups=tuple(sorted(groups, key=lambda group: (-group.tasks, group.key))))


def _counted(keys: Sequence[ColumnElement[Any]], conditions: Sequence[ColumnElement[bool]], *, now: datetime) -> Any:
    task = (
        select(*keys, Task.due_at.label("due_at"), is_overdue(at=now).label("late"))
        .join(Update, Update.id == Task.update_id)
        .where(*conditions)
        .subquery("task")
    )
    grouped = [task.c[key.name] for key in keys]
    return select(
        *grouped,
        func.count().label("tasks"),
        func.count().filter(task.c.late).label("overdue"),
        func.min(task.c.due_at).label("oldest"),
    ).group_by(*grouped)


def _keys(by: GroupBy, actor: Actor, wanted: StalledFilter, *, now: datetime) -> Sequence[ColumnElement[Any]]:
    match by:
        case GroupBy.CAUSE:
            late = case((is_overdue(at=now), literal(EscalationCause.DEADLINE.value)), else_=literal(NEARING))
            return (func.coalesce(Task.cause, late).label("cause"),)
        case GroupBy.STAGE:
            return (Task.stage.label("stage"),)
        case GroupBy.AREA:
            areas = areas_in_view(actor, Permission.STALLED_READ, area=wanted.area)
            return (func.left(Task.area_code, _LENGTH_OF_CODE[_level_below(areas)]).label("area"),)
        case GroupBy.OFFICE:
            status = case((Update.status == Status.IN_DELIVERY.value, Update.status), else_=Status.APPROVED_LOCAL.value)
            return (Task.stage.label("stage"), status.label("status"), Task.area_code.label("area"), _first_role())
        case _:
            assert_never(by)


def _level_below(areas: Sequence[str]) -> AreaLevel:
    """The level at which the parts of what is looked at are told apart."""
    level = min(AreaLevel.PROVINCE if code == NATION else min(level_of(code) + 1, AreaLevel.VILLAGE) for code in areas)
    return AreaLevel(level)


def _first_role() -> ColumnElement[str]:
    """The role that the stage names: it has the task until somebody decides."""
    return (
        select(TaskGrant.role)
        .where(TaskGrant.task_id == Task.id, TaskGrant.power == Power.DECIDE.value)
        .order_by(TaskGrant.rung.asc().nulls_first(), TaskGrant.role)
        .limit(1)
        .correlate(Task)
        .scalar_subquery()
        .label("role")
    )


async def _names(
    connection: AsyncConnection,
    by: GroupBy,
    rows: Sequence[Row[*tuple[Any, ...]]],
    *,
    now: datetime,
) -> list[list[_Named]]:
    """The groups that each counted row belongs to."""
    match by:
        case GroupBy.CAUSE:
            return [[_Named(row.cause, row.cause)] for row in rows]
        case GroupBy.STAGE:
            return [[_Named(row.stage, row.stage)] for row in rows]
        case GroupBy.AREA:
            found = await connection.execute(
                select(Area.code, Area.name).where(Area.code.in_([row.area for row in rows]))
            )
            names = {area.code: area.name for area in found}
            return [[_Named(row.area, names[row.area])] for row in rows]
        case GroupBy.OFFICE:
            who = await read_who(connection, posts=(post for row in rows for post in _posts(row, now=now)))
            return [
                [
                    _Named(str(office.id), office.name)
                    for post in _posts(row, now=now)
                    for office in who.offices_of(post)
                ]
                or [_nobody(row)]
                for row in rows
            ]
        case _:
            assert_never(by)


def _party(row: Row[*tuple[Any, ...]]) -> Party:
    return party_of(Stage(row.stage), Status(row.status))


def _posts(row: Row[*tuple[Any, ...]], *, now: datetime) -> Iterator[Post]:
    if _party(row) is Party.OFFICERS and row.role is not None:
        yield Post(row.area, Role(row.role), now)


def _nobody(row: Row[*tuple[Any, ...]]) -> _Named:
    """Where no office has it: the partner or the system that does, or the post that is vacant."""
    party = _party(row)
    if party is Party.OFFICERS:
        return _Named(f"vacant:{row.role}:{row.area}", f"{row.role} {row.area}")
    return _Named(party.value, party.value)
