"""Evaluations as rows: what is to be measured, the villages of it, and the numbers once they are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Evaluation, EvaluationMeasure
from domain.canonical import canonical_json
from domain.errors import NotFound
from domain.evaluations import EvaluationSpan
from domain.vocabulary import AreaLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMeasure:
    """An evaluation as whoever measures it needs it."""

    id: UUID
    area_code: str
    round_id: UUID | None
    span: EvaluationSpan
    policy_version_id: UUID
    measured: bool


def stream_of_evaluations(area_code: str) -> str:
    """The name of the trail of an area's evaluations."""
    return f"evaluations:{area_code}"


async def add_evaluation(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    """Write an evaluation; whether it is new. Of a round that was closed there is one."""
    added = await connection.execute(upsert(Evaluation).values(row).on_conflict_do_nothing())
    return added.rowcount == 1


async def read_evaluation(connection: AsyncConnection, evaluation_id: UUID) -> ToMeasure:
    """One evaluation. Raises NotFound."""
    found = await connection.execute(select(Evaluation.__table__).where(Evaluation.id == evaluation_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound(f"There is no evaluation {evaluation_id}.")
    return _to_measure(row)


def _to_measure(row: Row[*tuple[Any, ...]]) -> ToMeasure:
    return ToMeasure(
        id=row.id,
        area_code=row.area_code,
        round_id=row.round_id,
        span=EvaluationSpan(begins_at=row.begins_at, ends_at=row.ends_at, known_until=row.known_until),
        policy_version_id=row.policy_version_id,
        measured=row.measured_at is not None,
    )


async def villages_after(
    connection: AsyncConnection, area_code: str, after: str | None, *, at_most: int
) -> Sequence[str]:
    """The next villages of an area, by code; a village is the only one of itself."""
    wanted = select(Area.code).where(
        Area.level == AreaLevel.VILLAGE,
        Area.code >= area_code,
        Area.code < f"{area_code}/",
        Area.code > (after or ""),
    )
    return (await connection.scalars(wanted.order_by(Area.code).limit(at_most))).all()


async def keep_measures(
    connection: AsyncConnection, evaluation_id: UUID, measures: Sequence[dict[str, Any]], *, at: datetime
) -> bytes | None:
    """Write all numbers and say that they are there; their digest, None where they were there before."""
    digest = digest_of(measures)
    noted = update(Evaluation).where(Evaluation.id == evaluation_id, Evaluation.measured_at.is_(None))
    if not (await connection.execute(noted.values(measured_at=at, digest=digest))).rowcount:
        return None
    if measures:
        await connection.execute(
            insert(EvaluationMeasure), [{"evaluation_id": evaluation_id, **each} for each in measures]
        )
    return digest


def digest_of(measures: Sequence[dict[str, Any]]) -> bytes:
    """SHA-256 over the numbers in their order by indicator, part and area."""
    ordered = sorted(measures, key=lambda each: (each["indicator"], each["part"], each["area_code"]))
    spelled: list[JsonValue] = [{name: _spelled(value) for name, value in each.items()} for each in ordered]
    return hashlib.sha256(canonical_json(spelled)).digest()


def _spelled(value: Any) -> str | int | None:
    """A number with all its digits: hashes know no fractions."""
    return repr(value) if isinstance(value, float) else value
