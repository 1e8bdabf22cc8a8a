"""What I was told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, KawalDep, signed_in
from api.pagination import Page, PageQuery, page_of
from services.queries.keyset import ByAge
from services.queries.notifications import Told, list_notifications

router = APIRouter(tags=["notifications"], dependencies=[signed_in])


@router.get("/notifications")
async def list_mine(query: Annotated[PageQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[Told]:
    """What you were told, by name or as one who holds a role over the area; the newest first."""
    return page_of(await list_notifications(kawal, actor, query.page(ByAge)))
