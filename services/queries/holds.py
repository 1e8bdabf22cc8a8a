"""What keeps a case from being erased: its legal holds, the one that stands and those that were lifted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import LegalHold
from db.repositories.cases import read_case
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.retention import HOLD_WORDS, HoldGround, hold_context, lift_context
from services.kawal import Kawal
from services.queries.view import PersonRef, Text, View
from services.queries.who import Who, read_who


class HoldStanding(View):
    """That a case is not erased, and why."""

    id: UUID
    ground: HoldGround
    ground_words: Text
    placed_at: datetime


class Hold(HoldStanding):
    """A hold with who placed and who lifted it, in their words."""

    update_id: UUID
    explanation: str
    placed_by: PersonRef | None
    lifted_at: datetime | None = Field(description="Null while it stands")
    lifted_by: PersonRef | None
    lifted_because: str | None


class HoldsOfCase(View):
    """Every hold that a case has had, the newest first."""

    items: tuple[Hold, ...]


async def read_standing_hold(connection: AsyncConnection, update_id: UUID) -> HoldStanding | None:
    """The hold that a case is under now."""
    wanted = select(LegalHold.id, LegalHold.ground, LegalHold.placed_at).where(
        LegalHold.update_id == update_id,
        LegalHold.lifted_at.is_(None),
    )
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        return None
    ground = HoldGround(row.ground)
    return HoldStanding(id=row.id, ground=ground, ground_words=_words(ground), placed_at=row.placed_at)


async def list_holds(kawal: Kawal, actor: Actor, update_id: UUID) -> HoldsOfCase:
    """Every hold of a case. Raises NotFound outside the actor's areas, Forbidden without the permission."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        case = await read_case(connection, update_id)
        actor.seat_for(Permission.HOLDS_MANAGE, area_code=case.area_code)
        return HoldsOfCase(items=await read_holds(kawal, connection, update_id))


async def read_holds(kawal: Kawal, connection: AsyncConnection, update_id: UUID) -> tuple[Hold, ...]:
    """Every hold of a case within view, the newest first."""
    wanted = select(LegalHold.__table__).where(LegalHold.update_id == update_id).order_by(LegalHold.id.desc())
    rows = (await connection.execute(wanted)).all()
    who = await read_who(connection, people=[one for row in rows for one in (row.placed_by, row.lifted_by)])
    return tuple(_told(kawal, row, who) for row in rows)


def _told(kawal: Kawal, row: Row[*tuple[Any, ...]], who: Who) -> Hold:
    ground = HoldGround(row.ground)
    return Hold(
        id=row.id,
        update_id=row.update_id,
        ground=ground,
        ground_words=_words(ground),
        explanation=kawal.vault.open_text(row.explanation, context=hold_context(row.id)) or "",
        placed_by=who.person(row.placed_by),
        placed_at=row.placed_at,
        lifted_at=row.lifted_at,
        lifted_by=who.person(row.lifted_by),
        lifted_because=kawal.vault.open_text(row.lifted_because, context=lift_context(row.id)),
    )


def _words(ground: HoldGround) -> Text:
    words = HOLD_WORDS[ground]
    return Text(id=words.id, en=words.en)
