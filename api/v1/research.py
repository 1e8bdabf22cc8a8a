"""What is learned from cases: what villages are sent back for, and whole rounds as a log for researchers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.deps import ActorDep, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaCode
from domain.authority import Permission
from domain.event_log import EventLogQuery
from domain.moments import Moment
from services.event_log import export_event_log
from services.queries.coaching import CoachingFilter, VillageCoaching, list_coaching
from services.queries.keyset import ByCode

router = APIRouter(tags=["research"])


class CoachingQuery(PageQuery):
    """Which villages, and which of their cases."""

    area: AreaCode | None = Field(default=None, description="This area and all below it")
    since: Moment | None = Field(default=None, description="Cases submitted at this moment or later")
    until: Moment | None = Field(default=None, description="Cases submitted before this moment")

    def filter(self) -> CoachingFilter:
        """The same, as the question has it."""
        return CoachingFilter(area=self.area, since=self.since, until=self.until)


@router.get("/coaching", dependencies=[requires(Permission.STALLED_READ)])
async def list_village_coaching(
    query: Annotated[CoachingQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[VillageCoaching]:
    """What each village is sent back for: reasons with what each asks for, the most frequent first. Nobody is named."""
    return page_of(await list_coaching(kawal, actor, query.filter(), query.page(ByCode)))


@router.get(
    "/research/event-log",
    dependencies=[requires(Permission.EVENT_LOG_EXPORT)],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {}}, "description": "An OCEL 2.0 document (JSON)"}},
)
async def export_log(query: Annotated[EventLogQuery, Query()], actor: ActorDep, kawal: KawalDep) -> StreamingResponse:
    """What happened to the cases of a round or a time, with pseudonyms made for this log alone, for process mining.

    That you took it is written down. Where a line breaks off the document does not close: take it again.
    """
    body = await export_event_log(kawal, actor, query)
    name = f"kawal-{query.area}.ocel.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingResponse(body, headers=headers, media_type="application/json")
