"""What persons ask of their data: a copy of all that is held on them, an objection, erasure."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaCode
from domain.authority import Permission
from domain.person_export import PersonExport
from domain.person_page import render_page
from domain.rights import RightsAnswer, RightsInput, RightsKind, RightsState
from services.keyed import Call
from services.queries.keyset import ByAge
from services.queries.rights import RightsFilter, RightsRequest, list_rights, read_rights
from services.rights import answer_rights, download_export, request_rights

router = APIRouter(prefix="/data-subject-requests", tags=["rights"])

_PRIVATE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


class RightsQuery(PageQuery):
    """What narrows the list of requests."""

    area: AreaCode | None = None
    kind: RightsKind | None = None
    state: RightsState | None = None
    overdue: bool | None = None

    def filter(self) -> RightsFilter:
        """The same, as the question has it."""
        return RightsFilter(area=self.area, kind=self.kind, state=self.state, overdue=self.overdue)


@router.post("", status_code=201, dependencies=[requires(Permission.RIGHTS_HANDLE)])
async def request_persons_right(
    request: RightsInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> RightsRequest:
    """Write down what a person asks for. Due in 72 hours; an export is made by itself, the rest somebody answers."""
    made = await request_rights(kawal, Call(actor=actor, key=key, at=kawal.now()), request)
    response.headers["Location"] = f"/v1/data-subject-requests/{made.id}"
    return made


@router.get("", dependencies=[requires(Permission.RIGHTS_HANDLE)])
async def list_persons_rights(
    query: Annotated[RightsQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[RightsRequest]:
    """The requests in your areas, the newest first; `overdue=true` for those on which there is silence."""
    return page_of(await list_rights(kawal, actor, query.filter(), query.page(ByAge)))


@router.get("/{request_id}", dependencies=[requires(Permission.RIGHTS_HANDLE)])
async def read_persons_right(request_id: UUID, actor: ActorDep, kawal: KawalDep) -> RightsRequest:
    """One request, and where it stands."""
    return await read_rights(kawal, actor, request_id)


@router.post("/{request_id}/answer", dependencies=[requires(Permission.RIGHTS_ANSWER)])
async def answer_persons_right(
    request_id: UUID,
    answer: RightsAnswer,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
) -> RightsRequest:
    """Answer a request with a coded reason, which says whether it is granted, refused or withdrawn."""
    return await answer_rights(kawal, Call(actor=actor, key=key, at=kawal.now()), request_id, answer)


@router.get("/{request_id}/export", dependencies=[requires(Permission.RIGHTS_HANDLE)])
async def download_persons_export(
    request_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> PersonExport:
    """All that is held on the person, for who wrote the request down. Each download is in the read log."""
    response.headers.update(_PRIVATE)
    return await download_export(kawal, actor, request_id)


@router.get(
    "/{request_id}/export/page",
    dependencies=[requires(Permission.RIGHTS_HANDLE)],
    response_class=HTMLResponse,
)
async def print_persons_export(request_id: UUID, actor: ActorDep, kawal: KawalDep) -> HTMLResponse:
    """The same as a page to print, in Indonesian. Each download is in the read log."""
    return HTMLResponse(render_page(await download_export(kawal, actor, request_id)), headers=_PRIVATE)
