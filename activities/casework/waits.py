"""What a case waits for, as it ends by itself: the time has run out, or the case has moved on."""

from __future__ import annotations

from dataclasses import replace

from activities.casework.work import Work
from db.repositories.cases import save_case
from db.repositories.document_waits import OpenWait, end_wait, find_open_wait
from db.repositories.tasks import TaskRecord
from domain.audit import AuditType
from domain.document_waits import DocumentWaitEnd
from domain.lifecycle import Happening, move
from domain.vocabulary import Status


async def end_run_out(work: Work, task: TaskRecord) -> None:
    """Where the repair has waited for a paper as long as it might, it goes on: its clock runs again by itself."""
    if work.case.status is not Status.WAITING_DOCUMENT:
        return
    wait = await find_open_wait(work.connection, task.id)
    if wait is None or wait.until_at > work.at:
        return
    position = move(work.position, Happening.DOCUMENT_WAIT_ENDED)
    await _end(work, task, wait, DocumentWaitEnd.RAN_OUT, status=position.status)
    await save_case(work.connection, work.case, position)
    work.stand_at(position)
    work.case = replace(work.case, version=work.case.version + 1)
    await work.tell("document_wait_ended", task=task, user_ids=[work.case.submitted_by])


async def leave_wait(work: Work, task: TaskRecord) -> None:
    """The work is done, or no longer asked for: nobody waits for the paper."""
    if work.case.status is not Status.WAITING_DOCUMENT:
        return
    wait = await find_open_wait(work.connection, task.id)
    if wait is not None:
        await _end(work, task, wait, DocumentWaitEnd.MOVED_ON)


async def _end(
    work: Work, task: TaskRecord, wait: OpenWait, because: DocumentWaitEnd, *, status: Status | None = None
) -> None:
    await end_wait(work.connection, wait, because, at=work.at)
    work.note(
        AuditType.UPDATE_DOCUMENT_WAIT_ENDED, status=status, task=str(task.id), wait=str(wait.id), because=because.value
    )
