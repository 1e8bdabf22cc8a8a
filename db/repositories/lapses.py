"""Notices that a case will lapse, and the cases that reopen a lapsed one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import LapseNotice, Update
from db.repositories.tasks import TaskRecord
from domain.deadlines import Deadline
from domain.ids import new_id
from domain.vocabulary import ReasonCode, ReopenReason, Status


class NoticeRecord(NamedTuple):
    """That the applicant was told, and when the case lapses, or has."""

    told_at: datetime
    lapses_at: datetime
    deadline: Deadline
    lapsed_at: datetime | None


class CaseLink(NamedTuple):
    """Another case, by its id and its code."""

    id: UUID
    tracking_code: str
    status: Status


_COLUMNS = (LapseNotice.told_at, LapseNotice.lapses_at, LapseNotice.deadline, LapseNotice.lapsed_at)


async def find_notice(connection: AsyncConnection, task_id: UUID) -> NoticeRecord | None:
    """The notice about a repair, if the applicant was told."""
    return await _notice(connection, LapseNotice.task_id == task_id)


async def find_last_notice(connection: AsyncConnection, update_id: UUID) -> NoticeRecord | None:
    """The notice about a case that was given last: ids are ordered by time."""
    return await _notice(connection, LapseNotice.update_id == update_id)


async def _notice(connection: AsyncConnection, which: ColumnElement[bool]) -> NoticeRecord | None:
    wanted = select(*_COLUMNS).where(which).order_by(LapseNotice.id.desc()).limit(1)
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        return None
    return NoticeRecord(row.told_at, row.lapses_at, Deadline.model_validate(row.deadline), row.lapsed_at)


async def add_notice(
    connection: AsyncConnection, task: TaskRecord, *, told_at: datetime, lapses_at: datetime, deadline: Deadline
) -> None:
    """Write down that the applicant was told. A second time is refused by the table."""
    await connection.execute(
        insert(LapseNotice).values(
            id=new_id(),
            task_id=task.id,
            update_id=task.update_id,
            area_code=task.area_code,
            told_at=told_at,
            lapses_at=lapses_at,
            deadline=deadline.model_dump(mode="json"),
        ),
    )


async def move_notice(connection: AsyncConnection, task_id: UUID, *, lapses_at: datetime, deadline: Deadline) -> None:
    """The lapse comes at another moment: the clock stood, or the repair was extended."""
    moved = {"lapses_at": lapses_at, "deadline": deadline.model_dump(mode="json")}
    await connection.execute(update(LapseNotice).where(LapseNotice.task_id == task_id).values(moved))


async def mark_lapsed(connection: AsyncConnection, task_id: UUID, *, at: datetime) -> None:
    """The case has lapsed, as its notice said."""
    await connection.execute(update(LapseNotice).where(LapseNotice.task_id == task_id).values(lapsed_at=at))


_LINK = (Update.id, Update.tracking_code, Update.status)


async def find_reopening(connection: AsyncConnection, update_id: UUID) -> CaseLink | None:
    """The case that carries on a lapsed one, if it was reopened."""
    row = (await connection.execute(select(*_LINK).where(Update.reopen_of == update_id))).one_or_none()
    return None if row is None else CaseLink(row.id, row.tracking_code, Status(row.status))


async def read_reopened(connection: AsyncConnection, update_id: UUID) -> tuple[CaseLink, ReopenReason]:
    """The lapsed case that a case carries on, and why it does."""
    reason = select(Update.reopen_of, Update.reopen_reason).where(Update.id == update_id)
    of = (await connection.execute(reason)).one()
    row = (await connection.execute(select(*_LINK).where(Update.id == of.reopen_of))).one()
    return CaseLink(row.id, row.tracking_code, Status(row.status)), ReopenReason(of.reopen_reason)


async def read_reason(connection: AsyncConnection, update_id: UUID) -> ReasonCode | None:
    """Why a case was returned or rejected last."""
    reason = await connection.scalar(select(Update.reason).where(Update.id == update_id))
    return None if reason is None else ReasonCode(reason)
