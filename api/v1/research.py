"""What researchers are given: whole rounds as a log in which nobody is recognised."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.deps import ActorDep, KawalDep, requires
from domain.authority import Permission
from domain.event_log import EventLogQuery
from services.queries.event_log import export_event_log

router = APIRouter(prefix="/research", tags=["research"])


@router.get(
    "/event-log",
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
