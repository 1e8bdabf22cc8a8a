"""The clocks of an area: its calendar, its rounds, the orders over it, and the jobs that carry them to open tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import ClockInterval as ClockIntervalRow
from db.models import ClockJob, Task
from db.repositories.people import ancestry
from db.repositories.tasks import TaskRecord
from domain.authority import NATION
from domain.calendar import WorkingCalendar
from domain.clock_orders import ClockOrder
from domain.ids import new_id
from domain.pauses import ClockInterval
from domain.rounds import Round

SETTLES_AFTER: Final = timedelta(seconds=30)
"""How long after a change a task may still be opened by who does not know of it yet: what is kept in memory is asked
anew within seconds, and no step takes longer.
"""
_REACH: Final = timedelta(days=400)
"""Orders that ended longer ago concern no task that is still open."""

_RULES: Final = text(
    """
    SELECT (SELECT c.document FROM calendars c WHERE c.area_code = ANY (:areas)
            ORDER BY c.area_code DESC, c.version DESC LIMIT 1) AS document,
           coalesce((SELECT max(j.id) FROM clock_jobs j WHERE j.area_code = ANY (:areas)), 0) AS job,
           (SELECT jsonb_agg(to_jsonb(o)) FROM (
                SELECT DISTINCT ON (r.id) r.id, r.version, r.kind, r.area_code, r.number, r.from_at AS from_,
                       r.until_at AS until, r.part, r.credit_days, r.void
                FROM clock_orders r WHERE r.area_code = ANY (:areas)
                ORDER BY r.id, r.version DESC
            ) o WHERE NOT o.void AND (o.until IS NULL OR o.until > CAST(:ended_after AS timestamptz))) AS orders,
           (SELECT jsonb_agg(jsonb_build_object(
                'id', r.id, 'area_code', r.area_code, 'period', r.period, 'version', r.version,
                'opens_at', t.opens_at, 'cutoff_at', t.cutoff_at, 'closed', r.closed_at IS NOT NULL,
                'dates', jsonb_build_object(
                    'opens', t.opens, 'cut_off', t.cut_off, 'publishes', t.publishes,
                    'input_window', jsonb_build_object('opens', t.input_opens, 'closes', t.input_closes),
                    'musdes_window', jsonb_build_object('opens', t.musdes_opens, 'closes', t.musdes_closes))
            ) ORDER BY t.cutoff_at)
            FROM rounds r JOIN round_terms t ON (t.round_id, t.version) = (r.id, r.version)
            WHERE r.area_code = ANY (:areas) AND t.cutoff_at > CAST(:ended_after AS timestamptz)) AS rounds
    """,
)
_TAKE_TURNS: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('kawal-clock-jobs', 0))")


class AreaClocks(NamedTuple):
    """What the clocks of an area go by: its calendar with its rounds, the orders over it, the last job on it.

    `rounds` come in the order of their cut-offs.
    """

    calendar: WorkingCalendar
    orders: tuple[ClockOrder, ...]
    job: int
    rounds: tuple[Round, ...] = ()


async def read_clocks(
    connection: AsyncConnection, area_code: str, *, zone: str, at: datetime, since: timedelta = _REACH
) -> AreaClocks | None:
    """The clocks of an area as they are now; None where no calendar covers it. One statement."""
    wanted = {"areas": ancestry(area_code), "ended_after": at - since}
    row = (await connection.execute(_RULES, wanted)).one()
    if row.document is None:
        return None
    rounds = tuple(Round.model_validate(each) for each in row.rounds or ())
    calendar = WorkingCalendar.model_validate(row.document | {"zone": zone, "rounds": [each.span for each in rounds]})
    orders = tuple(ClockOrder.model_validate(order) for order in row.orders or ())
    return AreaClocks(calendar, orders, row.job, rounds)


def stream_of_jobs(area_code: str) -> str:
    """The name of the trail of the clocks of an area: its orders, and that they have come to every task."""
    return f"clocks:{area_code}"


async def add_job(connection: AsyncConnection, *, area_code: str, cause: str, at: datetime) -> int:
    """Note that the clocks of an area have changed, in the transaction that changes them; the number of the job.

    Whoever changes clocks takes turns, so that jobs are numbered in the order in which they are seen.
    """
    await connection.execute(_TAKE_TURNS)
    made = insert(ClockJob).values(area_code=area_code, cause=cause, entered_at=at).returning(ClockJob.id)
    return (await connection.execute(made)).scalar_one()


_OPEN_JOBS: Final = (
    select(ClockJob.id, ClockJob.area_code, ClockJob.entered_at)
    .where(ClockJob.settled_at.is_(None))
    .order_by(ClockJob.id)
)


async def open_jobs(connection: AsyncConnection) -> Sequence[Row[*tuple[Any, ...]]]:
    """The jobs that are not settled, the oldest first."""
    return (await connection.execute(_OPEN_JOBS)).all()


async def tasks_behind(connection: AsyncConnection, job_id: int, area_code: str, *, at_most: int) -> list[Any]:
    """Open tasks of the area that have not been reckoned by the job: their cases and areas."""
    inside = () if area_code == NATION else (_within(area_code),)
    behind = (
        select(Task.update_id, Task.area_code)
        .where(Task.status == "open", Task.clock_job < job_id, *inside)
        .limit(at_most)
    )
    return list((await connection.execute(behind)).all())


def _within(area_code: str) -> Any:
    below = (Task.area_code >= f"{area_code}.") & (Task.area_code < f"{area_code}/")
    return or_(Task.area_code == area_code, below)


async def settle_job(connection: AsyncConnection, job_id: int, *, at: datetime) -> bool:
    """Note that no open task is behind the job; whether nobody had before."""
    settled = update(ClockJob).where(ClockJob.id == job_id, ClockJob.settled_at.is_(None)).values(settled_at=at)
    return bool((await connection.execute(settled)).rowcount)


async def begin_order_pauses(connection: AsyncConnection, task: TaskRecord, pauses: Sequence[ClockInterval]) -> None:
    """Write down for a new task that orders stop its clock; asks nothing where none does."""
    if pauses:
        await connection.execute(insert(ClockIntervalRow), [_row(task, pause) for pause in pauses])


async def replace_order_pauses(
    connection: AsyncConnection, task: TaskRecord, pauses: Sequence[ClockInterval], *, before: Sequence[ClockInterval]
) -> bool:
    """Bring what orders do to the clock of a task in line with `pauses`; whether anything had to be changed.

    `before` are all pauses of the task as they stand. A pause that was entered in error becomes one without length.
    """
    known = {pause.order: pause for pause in before if pause.order is not None}
    wanted = {pause.order: pause for pause in pauses}
    gone = [order for order, pause in known.items() if order not in wanted and pause.to != pause.from_]
    changed = [pause for order, pause in wanted.items() if order is not None and not _same(known.get(order), pause)]
    if gone:
        never = update(ClockIntervalRow).values(to_at=ClockIntervalRow.from_at)
        of_these = (ClockIntervalRow.task_id == task.id, ClockIntervalRow.order_id.in_(gone))
        await connection.execute(never.where(*of_these))
    for pause in changed:
        row = _row(task, pause)
        await connection.execute(
            upsert(ClockIntervalRow)
            .values(row)
            .on_conflict_do_update(
                index_elements=["task_id", "order_id"],
                index_where=ClockIntervalRow.order_id.is_not(None),
                set_={name: row[name] for name in ("from_at", "to_at", "cause", "note")},
            ),
        )
    return bool(gone or changed)


def _same(known: ClockInterval | None, pause: ClockInterval) -> bool:
    return known is not None and known.model_dump() == pause.model_dump()


def _row(task: TaskRecord, pause: ClockInterval) -> dict[str, Any]:
    return {
        "id": new_id(),
        "task_id": task.id,
        "update_id": task.update_id,
        "area_code": task.area_code,
        "from_at": pause.from_,
        "to_at": pause.to,
        "cause": pause.cause.value,
        "order_id": pause.order,
        "note": pause.note,
    }
