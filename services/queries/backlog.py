"""How much is under way in the whole installation, in numbers that name nobody and no place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from db.models import OutboxMessage, Task, Update
from db.repositories.tasks import is_overdue
from db.session import Viewer
from domain.vocabulary import CLOSED_STATUSES, Stage, Status
from services.kawal import Kawal


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Open cases by status, overdue tasks by stage (every one is named, also with 0), and what waits for the engine.

    Of the closed ones those are counted that lapsed: nobody came back to them.
    """

    open_cases: dict[Status, int]
    overdue_tasks: dict[Stage, int]
    lapsed_cases: int
    outbox_pending: int
    outbox_age: timedelta


async def read_backlog(kawal: Kawal) -> Backlog:
    """The backlog now, over all areas. Three statements."""
    now = kawal.now()
    open_statuses = [status for status in Status if status not in CLOSED_STATUSES]
    cases = select(Update.status, func.count().label("n")).where(
        Update.status.in_([s.value for s in (*open_statuses, Status.LAPSED)])
    )
    overdue = select(Task.stage, func.count().label("n")).where(Task.status == "open", is_overdue(at=now))
    waiting = select(func.count().label("n"), func.min(OutboxMessage.available_at).label("oldest")).where(
        OutboxMessage.done_at.is_(None),
        OutboxMessage.available_at <= now,
    )
    async with kawal.database.transaction(Viewer.system("metrics"), snapshot=True) as connection:
        by_status = {row.status: row.n for row in await connection.execute(cases.group_by(Update.status))}
        by_stage = {row.stage: row.n for row in await connection.execute(overdue.group_by(Task.stage))}
        outbox = (await connection.execute(waiting)).one()
    return Backlog(
        open_cases={status: by_status.get(status.value, 0) for status in open_statuses},
        overdue_tasks={stage: by_stage.get(stage.value, 0) for stage in Stage},
        lapsed_cases=by_status.get(Status.LAPSED.value, 0),
        outbox_pending=outbox.n,
        outbox_age=timedelta() if outbox.oldest is None else now - outbox.oldest,
    )
