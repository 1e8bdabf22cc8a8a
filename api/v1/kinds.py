"""The kinds of update: what each needs, and the way it goes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import ActorDep, KawalDep, signed_in
from domain.areas import AreaOrNation
from domain.vocabulary import Kind
from services.queries.kinds import KindInFull, KindSummary, list_kinds, read_kind

router = APIRouter(tags=["kinds"], dependencies=[signed_in])


@router.get("/kinds")
async def list_all_kinds() -> list[KindSummary]:
    """Every kind of update, and the papers it needs."""
    return list(list_kinds())


@router.get("/kinds/{kind}/schema")
async def read_kind_schema(
    kind: Kind,
    actor: ActorDep,
    kawal: KawalDep,
    area_code: Annotated[AreaOrNation | None, Query(description="Whose policy; without it the nation's")] = None,
) -> KindInFull:
    """The JSON Schema of the change, the papers it needs, and its route under the policy in force."""
    return await read_kind(kawal, actor, kind, area_code=area_code)
