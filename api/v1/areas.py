"""The tree of areas."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.deps import ActorDep, KawalDep, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaCode
from domain.text import SearchTerm
from services.queries.areas import AreaFacts, AreaFilter, AreaInFull, list_areas, read_area
from services.queries.keyset import ByCode

router = APIRouter(tags=["areas"], dependencies=[signed_in])


class AreaQuery(PageQuery):
    """What narrows the list of areas."""

    parent: AreaCode | None = Field(default=None, description="Directly below this area")
    q: SearchTerm | None = Field(default=None, description="The beginning of the name")


@router.get("/areas")
async def list_all_areas(query: Annotated[AreaQuery, Query()], actor: ActorDep, kawal: KawalDep) -> Page[AreaFacts]:
    """The areas by code: all, those below one, or those whose name begins so."""
    wanted = AreaFilter(parent=query.parent, name=query.q)
    return page_of(await list_areas(kawal, actor, wanted, query.page(ByCode)))


@router.get("/areas/{code}")
async def read_one_area(code: AreaCode, actor: ActorDep, kawal: KawalDep) -> AreaInFull:
    """One area, with the areas that contain it and the number of those below it."""
    return await read_area(kawal, actor, code)
