"""Who saw clear values of whom, when and what for: for inspectors, and to answer the person whose data they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Reading
from db.repositories.disclosure import explanation_context
from db.session import Viewer
from db.vault import Vault
from domain.authority import Actor, Permission
from domain.disclosure import GROUND_ARTICLES, PURPOSES, LegalGround, Purpose
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, OfficeRef, PersonRef, Text, View
from services.queries.who import Who, read_who


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogFilter:
    """What narrows the log. A household's readings include those of its cases."""

    area: str | None = None
    reader: UUID | None = None
    household: UUID | None = None
    update: UUID | None = None
    batch: UUID | None = None
    purpose: Purpose | None = None


class ReadingMade(View):
    """One reading of clear values."""

    id: UUID
    at: datetime
    area: AreaRef
    reader: PersonRef | None
    role: Role
    office: OfficeRef | None
    subject: str = Field(
        description="`household`, `update`, `evidence` (a file), `person` (an export), or `engine` (payloads)",
    )
    household_id: UUID | None
    update_id: UUID | None
    evidence_id: UUID | None
    batch_id: UUID | None = Field(description="The request under which many were read, or the export of a person")
    purpose: Purpose
    purpose_words: Text
    ground: LegalGround
    ground_article: str
    explanation: str | None = Field(description="In the reader's words; null once erased after its period")
    items: int = Field(description="How many payloads; 1 for a household or a case")


async def list_readings(
    kawal: Kawal,
    actor: Actor,
    wanted: ReadLogFilter,
    page: PageOf[ByAge],
) -> Slice[ReadingMade, ByAge]:
    """The readings in the actor's areas, the newest first. Raises NotFound for a foreign area, or Forbidden."""
    areas = areas_in_view(actor, Permission.READ_LOG_READ, area=wanted.area)
    conditions = [within(Reading.area_code, areas), *_conditions(wanted)]
    if page.after is not None:
        conditions.append(Reading.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows, who = await _read(connection, conditions, limit=page.limit + 1)
    shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
    return Slice([_made(row, who, vault=kawal.vault) for row in shown], after)


async def readings_of(
    connection: AsyncConnection,
    *,
    households: Sequence[UUID],
    updates: Sequence[UUID],
    vault: Vault,
) -> tuple[ReadingMade, ...]:
    """Every reading of these households and cases within view, the newest first."""
    about = or_(Reading.household_id.in_(households), Reading.update_id.in_(updates))
    rows, who = await _read(connection, [about], limit=None)
    return tuple(_made(row, who, vault=vault) for row in rows)


def _conditions(wanted: ReadLogFilter) -> list[ColumnElement[bool]]:
    asked = {
        Reading.actor_id: wanted.reader,
        Reading.household_id: wanted.household,
        Reading.update_id: wanted.update,
        Reading.batch_id: wanted.batch,
        Reading.purpose: wanted.purpose,
    }
    return [column == value for column, value in asked.items() if value is not None]


async def _read(
    connection: AsyncConnection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int | None,
) -> tuple[Sequence[Row[*tuple[Any, ...]]], Who]:
    statement = (
        select(Reading.__table__, Area.name.label("area_name"))
        .outerjoin(Area, Area.code == Reading.area_code)
        .where(*conditions)
        .order_by(Reading.id.desc())
        .limit(limit)
    )
    rows = (await connection.execute(statement)).all()
    people, offices = (row.actor_id for row in rows), (row.office_id for row in rows)
    return rows, await read_who(connection, people=people, offices=offices)


def _made(row: Row[*tuple[Any, ...]], who: Who, *, vault: Vault) -> ReadingMade:
    purpose = Purpose(row.purpose)
    rule = PURPOSES[purpose]
    return ReadingMade(
        id=row.id,
        at=row.at,
        area=AreaRef(code=row.area_code, name=row.area_name or row.area_code),
        reader=who.person(row.actor_id),
        role=row.actor_role,
        office=who.office(row.office_id),
        subject=row.subject,
        household_id=row.household_id,
        update_id=row.update_id,
        evidence_id=row.evidence_id,
        batch_id=row.batch_id,
        purpose=purpose,
        purpose_words=Text(id=rule.words.id, en=rule.words.en),
        ground=rule.ground,
        ground_article=GROUND_ARTICLES[rule.ground],
        explanation=vault.open_text(row.explanation, context=explanation_context(row.id)),
        items=row.items,
    )
