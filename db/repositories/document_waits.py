"""What repairs wait for: begun, read, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import DocumentWait
from db.repositories.tasks import TaskRecord
from db.repositories.trail import Doer
from domain.document_waits import DocumentWaitEnd, DocumentWaitInput
from domain.evidence import EvidenceType
from domain.ids import new_id


@dataclass(frozen=True, slots=True)
class OpenWait:
    """A repair that waits for a paper."""

    id: UUID
    document: EvidenceType
    until_at: datetime


async def begin_wait(
    connection: AsyncConnection,
    task: TaskRecord,
    wanted: DocumentWaitInput,
    *,
    at: datetime,
    until: datetime,
    by: Doer,
) -> UUID:
    """Write down what the repair waits for; the id of the wait. The pause of its clock is begun apart."""
    wait_id = new_id()
    await connection.execute(
        insert(DocumentWait).values(
            id=wait_id,
            task_id=task.id,
            update_id=task.update_id,
            area_code=task.area_code,
            document=wanted.document.value,
            office=wanted.office.value,
            reason=wanted.reason.value,
            from_at=at,
            until_at=until,
            begun_by=by.user_id,
            begun_role=by.role,
            office_id=by.office_id,
            on_behalf_of=by.on_behalf_of,
        ),
    )
    return wait_id


async def find_open_wait(connection: AsyncConnection, task_id: UUID) -> OpenWait | None:
    """What the repair waits for now, if it does."""
    columns = (DocumentWait.id, DocumentWait.document, DocumentWait.until_at)
    wanted = select(*columns).where(DocumentWait.task_id == task_id, DocumentWait.ended_at.is_(None))
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else OpenWait(row.id, EvidenceType(row.document), row.until_at)


async def end_wait(
    connection: AsyncConnection, wait: OpenWait, because: DocumentWaitEnd, *, at: datetime, **by_whom: UUID | None
) -> None:
    """The repair waits no longer; `ended_by` and `evidence_id` where somebody ended it. The pause is ended apart."""
    await connection.execute(
        update(DocumentWait)
        .where(DocumentWait.id == wait.id)
        .values(ended_at=at, ended_because=because.value, **by_whom),
    )


async def read_waits(connection: AsyncConnection, update_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    """All that the case has waited for, in order."""
    wanted = select(*DocumentWait.__table__.columns).where(DocumentWait.update_id == update_id)
    return (await connection.execute(wanted.order_by(DocumentWait.id))).all()
