"""Questions to offices outside a case: put, read, fired upon, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import InformationRequest
from db.repositories.tasks import TaskRecord
from db.repositories.trail import Doer
from domain.deadlines import Deadline
from domain.errors import NotFound
from domain.information import InformationInput, RequestState
from domain.vocabulary import PeerOffice


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A question as its row holds it."""

    id: UUID
    task_id: UUID
    update_id: UUID
    area_code: str
    office: PeerOffice
    office_id: UUID | None
    asked_by: UUID
    asked_at: datetime
    deadline: Deadline
    rungs_fired: int
    pause_id: UUID
    stands_until: datetime
    resumed_at: datetime | None
    state: RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A question that is about to be put."""

    id: UUID
    wanted: InformationInput
    question_id: UUID
    at: datetime
    deadline: Deadline
    pause_id: UUID
    stands_until: datetime
    by: Doer


_T: Final = InformationRequest
_COLUMNS: Final = (
    *(_T.id, _T.task_id, _T.update_id, _T.area_code, _T.office, _T.office_id, _T.asked_by, _T.asked_at),
    *(_T.deadline, _T.rungs_fired, _T.pause_id, _T.stands_until, _T.resumed_at, _T.state),
)


def _record(row: Row[*tuple[Any, ...]]) -> RequestRecord:
    return RequestRecord(
        id=row.id,
        task_id=row.task_id,
        update_id=row.update_id,
        area_code=row.area_code,
        office=PeerOffice(row.office),
        office_id=row.office_id,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        deadline=Deadline.model_validate(row.deadline),
        rungs_fired=row.rungs_fired,
        pause_id=row.pause_id,
        stands_until=row.stands_until,
        resumed_at=row.resumed_at,
        state=RequestState(row.state),
    )


async def add_request(connection: AsyncConnection, task: TaskRecord, new: NewRequest) -> None:
    """Write a question down. A second open one to the same kind of office is refused by the table."""
    await connection.execute(
        insert(_T).values(
            id=new.id,
            task_id=task.id,
            update_id=task.update_id,
            area_code=task.area_code,
            office=new.wanted.office.value,
            office_id=new.wanted.office_id,
            question_id=new.question_id,
            asked_by=new.by.user_id,
            asked_role=new.by.role,
            asked_at=new.at,
            due_at=new.deadline.due_at,
            deadline=new.deadline.model_dump(mode="json"),
            pause_id=new.pause_id,
            stands_until=new.stands_until,
        ),
    )


async def read_request(connection: AsyncConnection, request_id: UUID) -> RequestRecord:
    """A question within view. Raises NotFound."""
    row = (await connection.execute(select(*_COLUMNS).where(_T.id == request_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no question {request_id} for you.")
    return _record(row)


async def open_requests(connection: AsyncConnection, task_id: UUID) -> list[RequestRecord]:
    """The questions of a task that wait for an answer."""
    wanted = select(*_COLUMNS).where(_T.task_id == task_id, _T.state == RequestState.OPEN.value)
    return [_record(row) for row in await connection.execute(wanted.order_by(_T.id))]


async def save_request(connection: AsyncConnection, request_id: UUID, **changes: object) -> None:
    """Change columns of a question that is open."""
    await connection.execute(update(_T).where(_T.id == request_id).values(**changes))
