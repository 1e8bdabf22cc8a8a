"""What anybody may read: the status behind a tracking code, and what a problem's code means."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import KawalDep, anyone
from api.problems import KINDS
from domain.errors import NotFound
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


@router.get("/problems/{code}", dependencies=[anyone(because="it explains the codes of problems")])
async def explain_problem(code: str) -> ProblemType:
    """What a problem's code means."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("There is no problem of this code.")
    return ProblemType(type=f"/problems/{code}", code=code, title=kind.title, status=kind.status)
