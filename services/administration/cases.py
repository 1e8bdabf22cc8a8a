"""Cases that the engine has lost: found, looked at, and given to a new run where their row stands.

The engine is asked outside of any transaction, and whatever was read before is asked again under the lock of the case.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import MinistryAnswer, OutboxMessage, Task, Update, User
from db.repositories import trail
from db.repositories.cases import claim_case, lock_case
from db.repositories.outbox import AGAIN, SIGNAL_MINISTRY_ANSWER, START_UPDATE
from db.repositories.trail import Doer, Entry, stream_of_update
from domain.audit import AuditType
from domain.errors import CaseClosed, InvalidInput, NotFound, NotPossibleNow, Violation
from domain.text import clean
from domain.vocabulary import Stage
from runtime.engine import EngineRun

_PAGE: Final = 500
_LONGEST_REASON: Final = 500
_SIXTEEN_DIGITS: Final = re.compile(r"(?:\d[\s.-]*){16}")


class TaskStanding(NamedTuple):
    """The open task of a case."""

    id: UUID
    stage: str
    opened_at: datetime
    due_at: datetime
    next_milestone_at: datetime | None
    receipt_no: str | None


class CaseStanding(NamedTuple):
    """Where a case stands by its row; `start_pending` while the message that starts it is still to be delivered."""

    id: UUID
    tracking_code: str
    area_code: str
    kind: str
    status: str
    stage: str | None
    level: int
    submitted_at: datetime
    closed_at: datetime | None
    run_id: str | None
    start_pending: bool
    task: TaskStanding | None


def is_lost(case: CaseStanding, run: EngineRun | None) -> bool:
    """Whether nobody carries the case: it is open, and neither has the engine an open run of it nor is one to come."""
    return case.closed_at is None and not case.start_pending and (run is None or not run.open)


async def read_standing(connection: AsyncConnection, update_id: UUID) -> CaseStanding:
    """Where one case stands. Raises NotFound."""
    row = (await connection.execute(_standings().where(Update.id == update_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no case {update_id}.")
    return _standing(row)


async def count_open(connection: AsyncConnection) -> int:
    """How many cases have not ended."""
    return (await connection.scalar(select(func.count()).where(Update.closed_at.is_(None)))) or 0


async def open_cases(connection: AsyncConnection, *, after: UUID | None) -> list[CaseStanding]:
    """The next 500 open cases in the order of their ids."""
    wanted = _standings().where(Update.closed_at.is_(None)).order_by(Update.id).limit(_PAGE)
    if after is not None:
        wanted = wanted.where(Update.id > after)
    return [_standing(row) for row in await connection.execute(wanted)]


async def restart(
    connection: AsyncConnection,
    case: CaseStanding,
    *,
    run: EngineRun | None,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Give a case up for lost and have it started under a new run, which goes on where the row stands.

    `case` and `run` are what was read of it before; `by` is the account that answers for it. Answers of the Ministry
    that the lost run may not have carried out are told to the new one, which takes one that it knows for what it is.
    Raises InvalidInput for the reason or the account, CaseClosed, and NotPossibleNow when somebody carries the case.
    """
    doer = Doer(user_id=await _account(connection, by))
    because = _checked(reason)
    await lock_case(connection, case.id)
    now = await read_standing(connection, case.id)
    if now.closed_at is not None:
        raise CaseClosed(f"The case is {now.status}.")
    if now.start_pending:
        raise NotPossibleNow("The case waits in the outbox to be started: the dispatcher does it.")
    if run is not None and run.open:
        raise NotPossibleNow(f"The engine carries the case: run {run.run_id} is {run.status}.")
    if now.run_id != case.run_id:
        raise NotPossibleNow("Another run has taken the case up meanwhile.")
    await claim_case(connection, case.id, None)
    await connection.execute(
        insert(OutboxMessage).values(
            topic=START_UPDATE,
            subject_id=case.id,
            payload={AGAIN: True},
            available_at=at,
        ),
    )
    if now.stage == Stage.DELIVERY:
        await _tell_answers_again(connection, case.id, at=at)
    entry = Entry(
        type=AuditType.UPDATE_RESTARTED,
        by=doer,
        data={"reason": because, "lost_run": now.run_id, "engine": "nothing" if run is None else run.status},
    )
    await trail.record(connection, stream_of_update(case.id), [entry], at=at, area_code=case.area_code)


async def _tell_answers_again(connection: AsyncConnection, update_id: UUID, *, at: datetime) -> None:
    answers = select(
        literal(SIGNAL_MINISTRY_ANSWER),
        MinistryAnswer.update_id,
        func.jsonb_build_object("answer_id", MinistryAnswer.id),
        literal(at),
    ).where(MinistryAnswer.update_id == update_id)
    columns = ["topic", "subject_id", "payload", "available_at"]
    await connection.execute(insert(OutboxMessage).from_select(columns, answers.order_by(MinistryAnswer.id)))


async def _account(connection: AsyncConnection, username: str) -> UUID:
    found = await connection.scalar(select(User.id).where(User.username == username, User.disabled.is_(False)))
    if found is None:
        raise _refused("by", "account_unknown", "There is no account of this name.", "`kawal users list` shows them.")
    return found


def _checked(reason: str) -> str:
    """The reason as it is kept for good, in a trail that nobody can erase."""
    try:
        cleaned = clean(reason)
    except ValueError as fault:
        raise _refused("reason", "reason_unfit", f"The reason {fault}.", "Say in a few words what happened.") from None
    if len(cleaned) > _LONGEST_REASON:
        raise _refused("reason", "reason_unfit", f"The reason has {len(cleaned)} characters.", "500 are enough.")
    if _SIXTEEN_DIGITS.search(cleaned):
        raise _refused("reason", "reason_unfit", "The reason holds a NIK or KK number.", "Leave people out of it.")
    return cleaned


def _refused(field: str, code: str, detail: str, remedy: str) -> InvalidInput:
    return InvalidInput([Violation(pointer=f"/{field}", code=code, detail=detail, remedy=remedy)])


def _standings() -> Select[*tuple[Any, ...]]:
    start_pending = (
        select(OutboxMessage.id)
        .where(
            OutboxMessage.subject_id == Update.id,
            OutboxMessage.topic == START_UPDATE,
            OutboxMessage.done_at.is_(None),
        )
        .exists()
    )
    return select(
        Update.id,
        Update.tracking_code,
        Update.area_code,
        Update.kind,
        Update.status,
        Update.stage,
        Update.level,
        Update.submitted_at,
        Update.closed_at,
        Update.run_id,
        start_pending.label("start_pending"),
        Task.id.label("task_id"),
        Task.stage.label("task_stage"),
        Task.opened_at,
        Task.due_at,
        Task.next_milestone_at,
        Task.receipt_no,
    ).outerjoin(Task, and_(Task.update_id == Update.id, Task.status == "open"))


def _standing(row: Row[*tuple[Any, ...]]) -> CaseStanding:
    task = TaskStanding(
        id=row.task_id,
        stage=row.task_stage,
        opened_at=row.opened_at,
        due_at=row.due_at,
        next_milestone_at=row.next_milestone_at,
        receipt_no=row.receipt_no,
    )
    return CaseStanding(
        id=row.id,
        tracking_code=row.tracking_code,
        area_code=row.area_code,
        kind=row.kind,
        status=row.status,
        stage=row.stage,
        level=row.level,
        submitted_at=row.submitted_at,
        closed_at=row.closed_at,
        run_id=row.run_id,
        start_pending=row.start_pending,
        task=None if row.task_id is None else task,
    )
