"""Plan against actual in a round: what became of the households that villages are asked to verify again, live.

A target is done when an update of its household that came in the round was approved or applied, under way while one is
open, and else still to be done; an update that was rejected or withdrawn has not verified anybody. Nothing of it is
stored: it is read off the cases, so that it is never behind them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from pydantic import Field
from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import RoundTarget, RoundVillage, Update
from domain.rounds import Round
from domain.vocabulary import Status
from services.queries.view import View

_VERIFIED: Final = (Status.IN_DELIVERY.value, Status.APPROVED_LOCAL.value, Status.APPLIED.value)


class Progress(View):
    """How many households of the plan are done, under way and still to be done."""

    planned: int
    done: int = Field(description="With an update of the round that was approved or applied")
    under_way: int = Field(description="With an update of the round that is open")
    to_do: int = Field(description="Without any")
    beyond_plan: int = Field(description="Done or under way though they stand past the target")


NOTHING: Final = Progress(planned=0, done=0, under_way=0, to_do=0, beyond_plan=0)


async def read_progress(connection: AsyncConnection, shown: Round, area_codes: Collection[str]) -> dict[str, Progress]:
    """The progress of these villages; those without a work list are left out. One statement."""
    asked = func.coalesce(RoundVillage.target, func.least(RoundVillage.listed, RoundVillage.capacity))
    in_plan = RoundTarget.position <= asked
    done = _has_update(shown, Update.status.in_(_VERIFIED))
    open_one = _has_update(shown, Update.closed_at.is_(None))
    state = case((done, "done"), (open_one, "under_way"), else_="to_do").label("state")
    each = (
        select(RoundTarget.area_code, in_plan.label("in_plan"), state)
        .join(
            RoundVillage,
            and_(RoundVillage.round_id == RoundTarget.round_id, RoundVillage.area_code == RoundTarget.area_code),
        )
        .where(RoundTarget.round_id == shown.id, RoundTarget.area_code.in_(sorted(area_codes)))
        .subquery()
    )
    counted = select(
        each.c.area_code,
        func.count().filter(each.c.in_plan).label("planned"),
        *(_count(each, name) for name in ("done", "under_way", "to_do")),
        func.count().filter(~each.c.in_plan, each.c.state != "to_do").label("beyond_plan"),
    ).group_by(each.c.area_code)
    rows = (await connection.execute(counted)).all()
    return {row.area_code: Progress.model_validate(row, from_attributes=True) for row in rows}


def _has_update(shown: Round, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """That an update of the target's household came since the round opened, of which this holds."""
    return exists().where(
        Update.household_id == RoundTarget.household_id, Update.submitted_at >= shown.opens_at, condition
    )


def _count(each: Any, name: str) -> Any:
    return func.count().filter(each.c.in_plan, each.c.state == name).label(name)
