"""What anybody may read: the status behind a tracking code, and what a problem's code means."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.deps import KawalDep, anyone
from api.problems import KINDS
from domain.areas import AREA, REGENCY
from domain.errors import NotFound
from domain.rounds import PERIOD
from services.area_page import AreaPage, read_area_page
from services.queries.rounds import PublicRound, read_public_round
from services.tracking import Tracked, track

router = APIRouter(tags=["public"])


class ProblemType(BaseModel):
    """What a problem of this type is; `type` is what problem documents carry."""

    type: str
    code: str
    title: str
    status: int


@router.get("/public/track/{code}", dependencies=[anyone(because="the code of 80 random bits is the secret")])
async def track_update(code: str, kawal: KawalDep) -> Tracked:
    """The status of an update by its tracking code, without personal data. Dashes, blanks and case do not matter."""
    return await track(kawal, code)


@router.get("/public/areas/{code}", dependencies=[anyone(because="decrees are public, and it holds no more")])
async def read_public_area(code: Annotated[str, Path(pattern=AREA)], kawal: KawalDep) -> AreaPage:
    """What anybody may know of an area: whether service is suspended in it, since when and by which decree."""
    return await read_area_page(kawal, code)


@router.get(
    "/public/rounds/{area_code}/{period}", dependencies=[anyone(because="days and numbers of a regency, no person's")]
)
async def read_public_update_round(
    area_code: Annotated[str, Path(pattern=REGENCY)], period: Annotated[str, Path(pattern=PERIOD)], kawal: KawalDep
) -> PublicRound:
    """The round of a regency for a period: its days, how far off they are, and its numbers."""
    return await read_public_round(kawal, area_code, period)


@router.get("/problems/{code}", dependencies=[anyone(because="it explains the codes of problems")])
async def explain_problem(code: str) -> ProblemType:
    """What a problem's code means."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("There is no problem of this code.")
    return ProblemType(type=f"/problems/{code}", code=code, title=kind.title, status=kind.status)
