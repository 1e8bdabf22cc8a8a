"""My queue: the open tasks that I may decide, the most urgent first; and one task in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import Field
from sqlalchemy import ARRAY, ColumnElement, Row, Select, Uuid, and_, cast, exists, false, or_, select, tuple_

from db.models import Area, Decision, GroundCheck, Revision, Task, TaskGrant, Update
from db.repositories.cases import read_involvements
from db.repositories.ground_checks import with_touches
from db.repositories.parts import parts_of
from db.repositories.tasks import is_held_up, is_overdue, read_task
from db.session import Viewer
from domain.authority import Actor, Permission, Person, Seat
from domain.policy import Power
from domain.vocabulary import EscalationCause, Kind, Stage
from services.kawal import Kawal
from services.queries.actions import Action, actions_of
from services.queries.case import bench_of, read_scoped_case
from services.queries.holding import HOLDER_COLUMNS, Holder, deciders, holder_of, posts_of
from services.queries.keyset import ByDue, PageOf, Slice, cut
from services.queries.scope import areas_by_role, within
from services.queries.view import AreaRef, View
from services.queries.who import Who, read_who
from services.queries.work import TaskInFull, find_task, task_in_full

Claimed: TypeAlias = Literal["me", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFilter:
    """What narrows the queue. `claimed`: by me, or by nobody yet."""

    stage: tuple[Stage, ...] = ()
    kind: tuple[Kind, ...] = ()
    overdue: bool | None = None
    claimed: Claimed | None = None


class QueuedTask(View):
    """A task that waits for a decision."""

    id: UUID
    update_id: UUID
    tracking_code: str
    kind: Kind
    area: AreaRef
    stage: Stage
    revision: int
    level: int
    cause: EscalationCause | None
    holder: Holder
    due_at: datetime
    overdue: bool
    version: int
    etag: str = Field(description="For If-Match")


class TaskOfCase(View):
    """A task with its case."""

    update_id: UUID
    tracking_code: str
    kind: Kind
    area: AreaRef
    task: TaskInFull
    actions: tuple[Action, ...] = Field(description="What you may do with it now, and if not, why")


async def list_queue(kawal: Kawal, actor: Actor, wanted: QueueFilter, page: PageOf[ByDue]) -> Slice[QueuedTask, ByDue]:
    """The open tasks that the actor's roles may decide and from which no earlier part bars them. Two statements."""
    now = kawal.now()
    statement = queue_of(actor, *_fitting(actor, wanted, now=now), page=page)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows, after = cut(
            (await connection.execute(statement)).all(), page.limit, lambda row: ByDue(row.due_at, row.id)
        )
        who = await read_who(
            connection,
            people=(row.claimed_by for row in rows),
            posts=(post for row in rows for post in posts_of(row, at=now)),
        )
    return Slice([_queued(row, who, now=now) for row in rows], after)


def queue_of(actor: Actor, *conditions: ColumnElement[bool], page: PageOf[ByDue]) -> Select[*tuple[Any, ...]]:
    """The statement of the queue; in one village it is a range of the index of open tasks, in its order."""
    columns = (
        *(Task.id, Task.update_id, Task.area_code, Task.stage, Task.revision, Task.level, Task.cause),
        *(Task.due_at, Task.version, Update.tracking_code, Update.kind, Update.status),
    )
    statement = (
        select(*columns, Area.name.label("area_name"), *HOLDER_COLUMNS)
        .add_columns(deciders(), is_held_up().label("held_up"))
        .join(Update, Update.id == Task.update_id)
        .join(Area, Area.code == Task.area_code)
        .where(
            Task.status == "open",
            within(Task.area_code, actor.areas),
            _for_the_taking(actor),
            *conditions,
        )
        .order_by(Task.due_at, Task.id)
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(tuple_(Task.due_at, Task.id) > page.after)


def _for_the_taking(actor: Actor) -> ColumnElement[bool]:
    """That the actor may decide it in a seat of their own, or in one that somebody on leave has lent them."""
    present: defaultdict[Person | None, list[Seat]] = defaultdict(list)
    for seat in actor.seats:
        if not seat.on_leave:
            present[seat.lent_by].append(seat)
    return or_(
        false(),
        *(
            and_(_decided_by_a_role_of(seats), _free_for(actor.person, *(() if lender is None else (lender,))))
            for lender, seats in present.items()
        ),
    )


def _decided_by_a_role_of(seats: Collection[Seat]) -> ColumnElement[bool]:
    """That the role of one of the seats has the power to decide the task, in whose area it is held."""
    return or_(
        false(),
        *(
            and_(
                within(Task.area_code, areas),
                exists().where(
                    TaskGrant.task_id == Task.id,
                    TaskGrant.role == role.value,
                    TaskGrant.power == Power.DECIDE.value,
                ),
            )
            for role, areas in areas_by_role(seats).items()
        ),
    )


def _free_for(*people: Person) -> ColumnElement[bool]:
    """Separation of duties, as `domain.authority.involved_elsewhere` has it; a repair is its operator's.

    Nor who has given their decision on a task that waits for others; nor, to look in the field, who had to do with the
    case before.
    """
    accounts = sorted({account for person in people for account in person.accounts})
    submitted = exists().where(
        parts_of(Revision.update_id, Task.update_id),
        or_(Revision.submitted_by.in_(accounts), Revision.on_behalf_of.in_(accounts)),
    )
    opinion, looking = Stage.OPINION.value, Stage.GROUND_CHECK.value
    judging = (Stage.CONFLICT.value, Stage.APPEAL.value, looking)
    bars = and_(Decision.stage != Task.stage, or_(Decision.stage != opinion, Task.stage.in_(judging)))
    decided = exists().where(
        parts_of(Decision.update_id, Task.update_id),
        or_(Decision.actor_id.in_(accounts), Decision.on_behalf_of.in_(accounts)),
        or_(and_(Task.stage != opinion, bars), Decision.task_id == Task.id),
    )
    anybody = Task.stage.in_((Stage.REPAIR.value, opinion))
    touched = exists().where(
        GroundCheck.task_id == Task.id, GroundCheck.touched_by.overlap(cast(accounts, ARRAY(Uuid)))
    )
    return and_(
        or_(anybody, ~submitted),
        or_(Task.stage == Stage.REPAIR.value, ~decided),
        or_(Task.stage != looking, ~touched),
    )


def _fitting(actor: Actor, wanted: QueueFilter, *, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.stage:
        yield Task.stage.in_([stage.value for stage in wanted.stage])
    if wanted.kind:
        yield Update.kind.in_([kind.value for kind in wanted.kind])
    if wanted.overdue is not None:
        yield is_overdue(at=now) if wanted.overdue else ~is_overdue(at=now)
    match wanted.claimed:
        case "me":
            yield Task.claimed_by == actor.user_id
        case "none":
            yield Task.claimed_by.is_(None)
        case None:
            pass


def _queued(row: Row[*tuple[Any, ...]], who: Who, *, now: datetime) -> QueuedTask:
    return QueuedTask(
        id=row.id,
        update_id=row.update_id,
        tracking_code=row.tracking_code,
        kind=row.kind,
        area=AreaRef.of(row),
        stage=row.stage,
        revision=row.revision,
        level=row.level,
        cause=row.cause,
        holder=holder_of(row, who, at=now),
        due_at=row.due_at,
        overdue=row.due_at < now and not row.held_up,
        version=row.version,
        etag=f'"v{row.version}"',
    )


async def read_task_in_full(kawal: Kawal, actor: Actor, task_id: UUID) -> TaskOfCase:
    """One task, open or done, of a case in view. Raises NotFound or Forbidden."""
    now = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        asked = await read_task(connection, task_id)
        case = await read_scoped_case(connection, actor, asked.update_id, permission=Permission.TASKS_READ)
        policy = await kawal.rules.policy(connection, case.policy_version_id)
        facts = await find_task(kawal, connection, Task.id == task_id, policy=policy, case=case)
        row = (await connection.execute(_case_of(case.id))).one()
        parts = await read_involvements(connection, case.id)
        involvements = await with_touches(connection, parts, task_id=asked.id, stage=asked.stage)
        if facts is None:
            raise RuntimeError("a task that was there a statement ago is gone, and nothing removes tasks")
        who = await read_who(connection, people=facts.people, posts=facts.posts(at=now))
    return TaskOfCase(
        update_id=case.id,
        tracking_code=row.tracking_code,
        kind=case.kind,
        area=AreaRef.of(row),
        task=task_in_full(facts, who, now=now),
        actions=actions_of(actor, bench_of(case, policy, facts if asked.open else None, involvements)),
    )


def _case_of(update_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(Update.tracking_code, Update.area_code, Area.name.label("area_name"))
        .join(Area, Area.code == Update.area_code)
        .where(Update.id == update_id)
    )
