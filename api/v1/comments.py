"""Comments on a case."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.authority import Permission
from services import comments
from services.comments import CommentInput, Said
from services.keyed import Call, Created
from services.queries.keyset import ByAge

router = APIRouter(prefix="/updates/{update_id}/comments", tags=["updates"])


@router.post("", status_code=201, dependencies=[requires(Permission.TASKS_WORK)])
async def write_comment(
    update_id: UUID,
    said: CommentInput,
    key: IdempotencyKey,
    actor: ActorDep,
    kawal: KawalDep,
    response: Response,
) -> Created:
    """Say something about a case to everybody who may read it. Works while the engine is down."""
    written, replayed = await comments.comment(kawal, Call(actor=actor, key=key, at=kawal.now()), update_id, said)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return written


@router.get("", dependencies=[requires(Permission.UPDATES_READ)])
async def list_comments(
    update_id: UUID,
    query: Annotated[PageQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[Said]:
    """What was said about a case, the newest first."""
    return page_of(await comments.list_comments(kawal, actor, update_id, query.page(ByAge)))
