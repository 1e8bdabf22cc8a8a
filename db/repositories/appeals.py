"""Appeals against rejections: what was rejected, when and where, and the appeal that there is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Decision, Update
from domain.vocabulary import Outcome, Stage, Status

_TAKEN_BACK = (Status.WITHDRAWN.value, Status.LAPSED.value)


class Rejection(NamedTuple):
    """The decision that ended a case: in which stage, and when."""

    stage: Stage
    at: datetime


class AppealRecord(NamedTuple):
    """An appeal, by the case that it is."""

    id: UUID
    tracking_code: str
    status: Status
    submitted_at: datetime
    closed_at: datetime | None


async def find_rejection(connection: AsyncConnection, update_id: UUID) -> Rejection | None:
    """The rejection of a case, the last one where a conflict followed on another; the Ministry's too."""
    row = (
        await connection.execute(
            select(Decision.stage, Decision.decided_at)
            .where(Decision.update_id == update_id, Decision.outcome == Outcome.REJECT.value)
            .where(Decision.stage != Stage.OPINION.value)
            .order_by(Decision.decided_at.desc(), Decision.id.desc())
            .limit(1),
        )
    ).one_or_none()
    return None if row is None else Rejection(Stage(row.stage), row.decided_at)


async def read_appeals(connection: AsyncConnection, update_id: UUID) -> list[AppealRecord]:
    """The appeals against a rejection in their order, those that were taken back among them."""
    columns = (Update.id, Update.tracking_code, Update.status, Update.submitted_at, Update.closed_at)
    rows = await connection.execute(select(*columns).where(Update.appeal_of == update_id).order_by(Update.id))
    return [
        AppealRecord(row.id, row.tracking_code, Status(row.status), row.submitted_at, row.closed_at) for row in rows
    ]


def standing_appeal(appeals: list[AppealRecord]) -> AppealRecord | None:
    """The one that is open or answered: an appeal that was taken back leaves room for another."""
    return next((appeal for appeal in appeals if appeal.status.value not in _TAKEN_BACK), None)
