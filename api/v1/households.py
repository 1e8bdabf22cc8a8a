"""Reading the registry: households, and what they were before. What tells persons apart is masked."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.conditional import NOT_MODIFIED, KnownDep
from api.deps import ActorDep, KawalDep, requires
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaOrNation
from domain.authority import Permission
from domain.text import SearchTerm
from services.queries.household import (
    HouseholdInFull,
    VersionInFull,
    VersionSummary,
    list_versions,
    read_household_in_full,
    read_one_version,
)
from services.queries.households import HouseholdFilter, HouseholdSummary, list_households
from services.queries.keyset import ByAge

router = APIRouter(tags=["households"], dependencies=[requires(Permission.HOUSEHOLDS_READ)])

Rank = Annotated[int, Field(ge=1, le=10)]


class HouseholdQuery(PageQuery):
    """What narrows the list of households."""

    area: AreaOrNation | None = Field(default=None, description="This area and all below it")
    desil: tuple[Rank, ...] = ()
    q: Annotated[SearchTerm, Field(max_length=40)] | None = Field(
        default=None,
        repr=False,
        json_schema_extra={"pattern": r"^(?:[-. ]*[0-9]){16}[-. ]*$"},
        description="A NIK or KK number: found inside your areas, and not written to any log",
    )

    def filter(self) -> HouseholdFilter:
        """The same, as the question has it."""
        return HouseholdFilter(area=self.area, desil=self.desil, term=self.q)


@router.get("/households")
async def list_households_in_view(
    query: Annotated[HouseholdQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[HouseholdSummary]:
    """The households in your areas; facts only, no names and no numbers."""
    return page_of(await list_households(kawal, actor, query.filter(), query.page(ByAge)))


@router.get("/households/{household_id}", response_model=HouseholdInFull, responses=NOT_MODIFIED)
async def read_household(
    household_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    known: KnownDep,
    response: Response,
) -> HouseholdInFull | Response:
    """One household, masked. `POST /v1/households/{id}/unmask` shows it in the clear, for a purpose."""
    found = await read_household_in_full(kawal, actor, household_id)
    return known.answer(response, found, version=found.version) or found


@router.get("/households/{household_id}/versions")
async def list_household_versions(household_id: UUID, actor: ActorDep, kawal: KawalDep) -> list[VersionSummary]:
    """The versions of a household, the newest first, each with the update that made it."""
    return list(await list_versions(kawal, actor, household_id))


@router.get("/households/{household_id}/versions/{version}")
async def read_household_version(
    household_id: UUID,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    actor: ActorDep,
    kawal: KawalDep,
) -> VersionInFull:
    """A household as it was in one version, masked."""
    return await read_one_version(kawal, actor, household_id, version)
