"""The numbers of an evaluation as a table for spreadsheets: of all areas, each with what it was divided out of."""

from __future__ import annotations

import csv
import io
from typing import Final
from uuid import UUID

from sqlalchemy import select

from db.models import Evaluation, EvaluationMeasure
from db.session import Viewer
from domain.authority import Actor
from domain.errors import NotFound
from domain.indicators import DEFINITIONS, Indicator
from services.kawal import Kawal

_NUMBERS: Final = ("n", "numerator", "denominator", "value", "low", "high", "p90", "p90_low", "p90_high", "paused")
COLUMNS: Final = ("indicator", "measure", "unit", "part", "area_code", *_NUMBERS)


async def read_numbers_as_csv(kawal: Kawal, actor: Actor, evaluation_id: UUID) -> str:
    """Every number, by indicator, part and area, RFC 4180 with a line of names; no words that people typed.

    Raises NotFound.
    """
    wanted = select(EvaluationMeasure.__table__).where(EvaluationMeasure.evaluation_id == evaluation_id)
    ordered = wanted.order_by(EvaluationMeasure.indicator, EvaluationMeasure.part, EvaluationMeasure.area_code)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        if await connection.scalar(select(Evaluation.id).where(Evaluation.id == evaluation_id)) is None:
            raise NotFound(f"There is no evaluation {evaluation_id}.")
        rows = (await connection.execute(ordered)).all()
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    for row in rows:
        what = DEFINITIONS[Indicator(row.indicator)]
        numbers = (getattr(row, name) for name in _NUMBERS)
        writer.writerow((row.indicator, what.measure.value, what.unit.value, row.part, row.area_code, *numbers))
    return table.getvalue()
