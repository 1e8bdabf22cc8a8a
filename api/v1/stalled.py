"""What does not move: whose it is, how late, what happens next; as a list or counted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import ActorDep, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.vocabulary import Stage
from services.queries.keyset import ByDue
from services.queries.stalled import StalledFilter, StalledTask, list_stalled
from services.queries.stalled_groups import GroupBy, StalledGroups, count_stalled

router = APIRouter(tags=["tasks"])


class StalledQuery(PageQuery):
    """What counts as stalled, and where to look."""

    share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5,
        description="Tasks are listed once this share of their time is gone; what is late or escalated always is",
    )
    area: AreaOrNation | None = Field(default=None, description="This area and all below it")
    stage: tuple[Stage, ...] = ()
    overdue: bool | None = None
    group_by: GroupBy | None = Field(default=None, description="Counts instead of tasks")

    def filter(self) -> StalledFilter:
        """The same, as the question has it."""
        return StalledFilter(share=self.share, area=self.area, stage=self.stage, overdue=self.overdue)


@router.get("/stalled", dependencies=[requires(Permission.STALLED_READ)])
async def read_stalled(
    query: Annotated[StalledQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[StalledTask] | StalledGroups:
    """Open tasks that are late, soon will be, or have escalated, the longest overdue first; or their counts."""
    if query.group_by is not None:
        return await count_stalled(kawal, actor, query.filter(), by=query.group_by)
    return page_of(await list_stalled(kawal, actor, query.filter(), query.page(ByDue)))
