"""Minutes of village deliberations, and SPTJM: recorded once, deciding many cases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from api.print import page
from domain.areas import AreaCode, VillageCode
from domain.authority import Permission
from domain.minutes import MinutesInput
from services.keyed import Call
from services.minutes.recording import record_minutes
from services.queries.keyset import ByAge
from services.queries.minutes import MinutesFacts, MinutesInFull, list_minutes, read_minutes
from services.queries.minutes_form import read_form, read_paper

router = APIRouter(tags=["minutes"])


class MinutesQuery(PageQuery):
    """Whose minutes."""

    area: AreaCode | None = Field(default=None, description="This area and all below it")


class FormQuery(BaseModel):
    """Of which village."""

    model_config = ConfigDict(extra="forbid")

    area: VillageCode


@router.post("/minutes", status_code=201, dependencies=[requires(Permission.MINUTES_RECORD)])
async def record_village_minutes(
    paper: MinutesInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> MinutesInFull:
    """Record minutes, or an SPTJM, as the head of the village; every case that they list is then decided by them.

    Each case is decided as if alone, by the authority of whoever records, and has a result of its own: ask
    `GET /v1/minutes/{id}` how far it is. A wrong record is corrected by one that supersedes it; what was decided stays.
    """
    recorded = await record_minutes(kawal, Call(actor=actor, key=key, at=kawal.now()), paper)
    response.headers["Location"] = f"/v1/minutes/{recorded.id}"
    if recorded.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return await read_minutes(kawal, actor, recorded.id)


@router.get("/minutes", dependencies=[requires(Permission.UPDATES_READ)])
async def list_village_minutes(
    query: Annotated[MinutesQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[MinutesFacts]:
    """The minutes of your villages, the newest first."""
    return page_of(await list_minutes(kawal, actor, area=query.area, page=query.page(ByAge)))


@router.get("/minutes/form", dependencies=[requires(Permission.UPDATES_READ)], response_class=HTMLResponse)
async def print_empty_form(query: Annotated[FormQuery, Query()], actor: ActorDep, kawal: KawalDep) -> HTMLResponse:
    """An empty form to be printed, with the cases of the village that wait for its deliberation; without names."""
    form = await read_form(kawal, actor, query.area)
    quorum = {each.group: each.at_least for each in form.rule.quorum}
    return page("form.html", form=form, places=form.places, quorum=quorum)


@router.get("/minutes/{minutes_id}", dependencies=[requires(Permission.UPDATES_READ)])
async def read_village_minutes(minutes_id: UUID, actor: ActorDep, kawal: KawalDep) -> MinutesInFull:
    """One paper, and what has come of each case that it lists."""
    return await read_minutes(kawal, actor, minutes_id)


@router.get(
    "/minutes/{minutes_id}/print", dependencies=[requires(Permission.UPDATES_READ)], response_class=HTMLResponse
)
async def print_village_minutes(minutes_id: UUID, actor: ActorDep, kawal: KawalDep) -> HTMLResponse:
    """The paper as a page to be printed on A4, in Indonesian: as it was recorded, to be signed or filed."""
    paper = await read_paper(kawal, actor, minutes_id)
    content = {"minutes": paper.minutes, "places": paper.places, "reasons": paper.reasons}
    return page("minutes.html", **content, recorded_on=paper.recorded_on)
