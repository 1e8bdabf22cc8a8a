"""Areas that appointments, accounts and keys are for: they have to be loaded."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area
from domain.authority import NATION
from domain.errors import Violation


async def unknown_area(connection: AsyncConnection, area_code: str) -> list[Violation]:
    """What is wrong with naming this area: nothing, or that there is none of this code."""
    if area_code == NATION or await connection.scalar(select(Area.code).where(Area.code == area_code)) is not None:
        return []
    return [
        Violation(
            pointer="/area_code",
            code="area_unknown",
            detail="There is no such area.",
            remedy="Choose one from GET /v1/areas; `kawal areas load --regency CODE` loads those of a regency.",
        ),
    ]
