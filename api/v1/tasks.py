"""Reading tasks: my queue, and one task in full."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.conditional import NOT_MODIFIED, KnownDep
from api.deps import ActorDep, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.authority import Permission
from domain.vocabulary import Kind, Stage
from services.queries.keyset import ByDue
from services.queries.tasks import Claimed, QueuedTask, QueueFilter, TaskOfCase, list_queue, read_task_in_full

router = APIRouter(tags=["tasks"])


class QueueQuery(PageQuery):
    """What narrows the queue."""

    stage: tuple[Stage, ...] = ()
    kind: tuple[Kind, ...] = ()
    overdue: bool | None = None
    claimed: Claimed | None = Field(default=None, description="`me`: those I have claimed; `none`: free ones")

    def filter(self) -> QueueFilter:
        """The same, as the question has it."""
        return QueueFilter(stage=self.stage, kind=self.kind, overdue=self.overdue, claimed=self.claimed)


@router.get("/tasks", dependencies=[requires(Permission.TASKS_READ)])
async def list_tasks(query: Annotated[QueueQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[QueuedTask]:
    """My queue: the open tasks that I may decide, the first due first. What I had another part in is not among them."""
    return page_of(await list_queue(kawal, actor, query.filter(), query.page(ByDue)))


@router.get(
    "/tasks/{task_id}",
    response_model=TaskOfCase,
    responses=NOT_MODIFIED,
    dependencies=[requires(Permission.TASKS_READ)],
)
async def read_task(
    task_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    known: KnownDep,
    response: Response,
) -> TaskOfCase | Response:
    """One task, open or done: its deadline explained, who may do what with it, and what happens next."""
    found = await read_task_in_full(kawal, actor, task_id)
    return known.answer(response, found, version=found.task.version) or found
