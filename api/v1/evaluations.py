"""Evaluations: asked for, read with every number's making, and opened down to the cases."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.deps import ActorDep, IdempotencyKey, KawalDep, requires, signed_in
from api.pagination import Page, PageQuery, page_of
from domain.areas import AreaCode
from domain.evaluations import EvaluationRequest
from domain.indicators import Indicator
from domain.permissions import Permission
from services.evaluations import request_evaluation
from services.keyed import Call
from services.queries.evaluation_csv import read_numbers_as_csv
from services.queries.evaluations import (
    EvaluationInFull,
    EvaluationView,
    Observed,
    list_evaluations,
    list_observations,
    read_evaluation,
)
from services.queries.keyset import ByAge, BySubject

router = APIRouter(tags=["evaluations"])


class EvaluationsQuery(PageQuery):
    """What narrows the list."""

    area: AreaCode | None = Field(default=None, description="Evaluations of this area, and of what lies in it")


class ObservationsQuery(PageQuery):
    """What narrows the list."""

    area: AreaCode | None = Field(default=None, description="This area and all below it")
    part: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9_:-]*$")] | None = Field(
        default=None, description="One part of the indicator, as its numbers name it"
    )


@router.post("/evaluations", status_code=201, dependencies=[requires(Permission.EVALUATIONS_RUN)])
async def request_an_evaluation(
    request: EvaluationRequest, key: IdempotencyKey, actor: ActorDep, kawal: KawalDep, response: Response
) -> EvaluationInFull:
    """Have a closed round, or days of an area, measured. It is told to all who work there once it is complete."""
    made = await request_evaluation(kawal, Call(actor=actor, key=key, at=kawal.now()), request)
    response.headers["Location"] = f"/v1/evaluations/{made.id}"
    return made


@router.get("/evaluations", dependencies=[signed_in])
async def list_all_evaluations(
    query: Annotated[EvaluationsQuery, Query()], actor: ActorDep, kawal: KawalDep
) -> Page[EvaluationView]:
    """The evaluations that concern your areas, the newest first."""
    return page_of(await list_evaluations(kawal, actor, query.page(ByAge), area=query.area))


@router.get("/evaluations/{evaluation_id}", dependencies=[signed_in])
async def read_one_evaluation(
    evaluation_id: UUID,
    actor: ActorDep,
    kawal: KawalDep,
    area: Annotated[AreaCode | None, Query(description="A district or village of it; leave out for all")] = None,
) -> EvaluationInFull:
    """An evaluation: each indicator with what it counts, its numbers, and how sure they are; the same for all tiers."""
    return await read_evaluation(kawal, actor, evaluation_id, area=area)


class CsvResponse(Response):
    """A table, for saving."""

    media_type = "text/csv"


@router.get("/evaluations/{evaluation_id}/numbers.csv", dependencies=[signed_in], response_class=CsvResponse)
async def download_numbers(evaluation_id: UUID, actor: ActorDep, kawal: KawalDep) -> CsvResponse:
    """All numbers of an evaluation, of every district and village of it too, as a table for spreadsheets."""
    saved = {"Content-Disposition": f'attachment; filename="evaluation-{evaluation_id}.csv"'}
    return CsvResponse(await read_numbers_as_csv(kawal, actor, evaluation_id), headers=saved)


@router.get("/evaluations/{evaluation_id}/indicators/{name}/cases", dependencies=[requires(Permission.UPDATES_READ)])
async def list_cases_of_an_indicator(
    evaluation_id: UUID,
    name: Indicator,
    query: Annotated[ObservationsQuery, Query()],
    actor: ActorDep,
    kawal: KawalDep,
) -> Page[Observed]:
    """What a number was made of, in the areas where you read updates: each case, task, decision or household."""
    page = query.page(BySubject)
    return page_of(await list_observations(kawal, actor, evaluation_id, name, page, area=query.area, part=query.part))
