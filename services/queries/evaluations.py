"""Evaluations as they are read: every number with what it counts and how sure it is, and what it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Evaluation, EvaluationMeasure, EvaluationObservation, Office
from db.session import Viewer
from domain.authority import Actor
from domain.errors import NotFound
from domain.evaluations import EvaluationCause
from domain.indicators import DEFINITIONS, NOT_MEASURED, Indicator, Measure, Subject, Unit, Unmeasured
from domain.permissions import Permission
from services.kawal import Kawal
from services.queries.keyset import ByAge, BySubject, PageOf, Slice, cut
from services.queries.reasons import text_of
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, Text, View


class EvaluationView(View):
    """What was measured, over which time, by what was known until when."""

    id: UUID
    area: AreaRef
    round_id: UUID | None = Field(description="The round that it is of; null where days were named")
    cause: EvaluationCause
    begins_at: datetime
    ends_at: datetime = Field(description="Before this moment")
    known_until: datetime = Field(description="Nothing that became known later is in it")
    method: int = Field(description="Which way of measuring it was")
    requested_at: datetime
    measured_at: datetime | None = Field(description="When it was published to all; null while it is being measured")
    digest: str | None = Field(description="SHA-256 over all numbers: measured again with this bound, it is the same")


class Number(View):
    """One number with how sure it is; of a share or mean what it was divided out of, of quantiles the 90th too."""

    part: str = Field(description="What of it: empty for all; an office, level, reason, tier, or group of households")
    part_name: str | None = Field(description="The name of the office that the part is")
    area_code: str
    n: int = Field(description="How many were observed")
    numerator: float | None
    denominator: float | None
    value: float | None = Field(description="The share, the mean or the median")
    low: float | None = Field(description="95 per cent interval; null where there are too few for one")
    high: float | None
    p90: float | None
    p90_low: float | None
    p90_high: float | None
    paused: float | None = Field(description="Of a custody: for how many seconds clocks stood in all")


class IndicatorView(View):
    """What an indicator counts, over what, out of which facts, and its numbers."""

    name: Indicator
    title: Text
    measure: Measure
    unit: Unit
    subject: Subject = Field(description="Of what there is one observation each")
    numerator: Text
    denominator: Text
    source: str
    numbers: tuple[Number, ...]


class NotMeasured(View):
    """An indicator that nothing is known for, and why."""

    name: Unmeasured
    reason: Text


class EvaluationInFull(EvaluationView):
    """An evaluation with all numbers of its whole area, and what cannot be measured."""

    indicators: tuple[IndicatorView, ...]
    not_measured: tuple[NotMeasured, ...]


class Observed(View):
    """One thing that a number was made of."""

    subject_id: UUID
    update_id: UUID | None = Field(description="The update that it belongs to")
    area_code: str
    part: str
    hit: bool | None = Field(description="Of a share: whether it counts above the line")
    value: float | None
    paused: float | None


def _named() -> Select[*tuple[Any, ...]]:
    return select(Evaluation.__table__, Area.name.label("area_name")).join(Area, Area.code == Evaluation.area_code)


async def list_evaluations(
    kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, area: str | None
) -> Slice[EvaluationView, ByAge]:
    """The evaluations that concern the actor's areas, the newest first."""
    statement = _named()
    if area is not None:
        if not actor.seats_over(area):
            raise NotFound(f"There is no area {area!r} for you.", pointer="/area")
        statement = statement.where(within(Evaluation.area_code, (area,)))
    if page.after is not None:
        statement = statement.where(Evaluation.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        found = await connection.execute(statement.order_by(Evaluation.id.desc()).limit(page.limit + 1))
        rows, after = cut(found.all(), page.limit, lambda row: ByAge(row.id))
    return Slice([EvaluationView.model_validate(_told(row)) for row in rows], after)


async def read_evaluation(kawal: Kawal, actor: Actor, evaluation_id: UUID, *, area: str | None) -> EvaluationInFull:
    """One evaluation with its numbers of the whole area, or of a part of it. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        return await read_evaluation_in_full(connection, evaluation_id, area=area)


async def read_evaluation_in_full(
    connection: AsyncConnection, evaluation_id: UUID, *, area: str | None = None
) -> EvaluationInFull:
    """The same in a transaction that has begun."""
    row = (await connection.execute(_named().where(Evaluation.id == evaluation_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no evaluation {evaluation_id}.")
    numbers = await _numbers(connection, evaluation_id, area or row.area_code)
    return EvaluationInFull.model_validate(
        {
            **_told(row),
            "indicators": tuple(_indicator(name, numbers.get(name, [])) for name in Indicator),
            "not_measured": tuple(
                NotMeasured(name=name, reason=text_of(reason)) for name, reason in NOT_MEASURED.items()
            ),
        },
    )


async def _numbers(connection: AsyncConnection, evaluation_id: UUID, area_code: str) -> dict[Indicator, list[Number]]:
    wanted = (
        select(EvaluationMeasure.__table__)
        .where(EvaluationMeasure.evaluation_id == evaluation_id, EvaluationMeasure.area_code == area_code)
        .order_by(EvaluationMeasure.indicator, EvaluationMeasure.part)
    )
    rows = (await connection.execute(wanted)).all()
    names = await _office_names(connection, {row.part for row in rows})
    found: dict[Indicator, list[Number]] = {}
    for row in rows:
        number = _number(row, names)
        found.setdefault(Indicator(row.indicator), []).append(number)
    return found


def _number(row: Row[*tuple[Any, ...]], names: Mapping[str, str]) -> Number:
    told = {name: getattr(row, name) for name in Number.model_fields if name != "part_name"}
    return Number.model_validate({**told, "part_name": names.get(row.part)})


async def _office_names(connection: AsyncConnection, parts: set[str]) -> dict[str, str]:
    ids = [UUID(part.removeprefix("office:")) for part in parts if part.startswith("office:")]
    if not ids:
        return {}
    rows = await connection.execute(select(Office.id, Office.name).where(Office.id.in_(ids)))
    return {f"office:{row.id}": row.name for row in rows}


def _told(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "area": AreaRef.of(row),
        "round_id": row.round_id,
        "cause": row.cause,
        "begins_at": row.begins_at,
        "ends_at": row.ends_at,
        "known_until": row.known_until,
        "method": row.method,
        "requested_at": row.requested_at,
        "measured_at": row.measured_at,
        "digest": None if row.digest is None else row.digest.hex(),
    }


def _indicator(name: Indicator, numbers: list[Number]) -> IndicatorView:
    what = DEFINITIONS[name]
    return IndicatorView(
        name=name,
        title=text_of(what.title),
        measure=what.measure,
        unit=what.unit,
        subject=what.subject,
        numerator=text_of(what.numerator),
        denominator=text_of(what.denominator),
        source=what.source,
        numbers=tuple(numbers),
    )


async def list_observations(
    kawal: Kawal,
    actor: Actor,
    evaluation_id: UUID,
    indicator: Indicator,
    page: PageOf[BySubject],
    *,
    area: str | None,
    part: str | None,
) -> Slice[Observed, BySubject]:
    """What a number was made of, in the areas where the actor reads updates. Raises NotFound, Forbidden."""
    areas = areas_in_view(actor, Permission.UPDATES_READ, area=area)
    seen = EvaluationObservation
    key = tuple_(seen.part, seen.area_code, seen.subject_id)
    statement = select(seen.__table__).where(
        seen.evaluation_id == evaluation_id, seen.indicator == indicator.value, within(seen.area_code, areas)
    )
    if part is not None:
        statement = statement.where(seen.part == part)
    if page.after is not None:
        statement = statement.where(key > tuple_(*page.after))
    ordered = statement.order_by(seen.part, seen.area_code, seen.subject_id).limit(page.limit + 1)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        known = await connection.execute(select(Evaluation.measured_at).where(Evaluation.id == evaluation_id))
        row = known.one_or_none()
        if row is None:
            raise NotFound(f"There is no evaluation {evaluation_id}.")
        if row.measured_at is None:
            return Slice([], None)
        found = await connection.execute(ordered)
        rows, after = cut(found.all(), page.limit, lambda row: BySubject(row.part, row.area_code, row.subject_id))
    return Slice([Observed.model_validate(row, from_attributes=True) for row in rows], after)
