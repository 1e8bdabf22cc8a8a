"""The baseline of a round by village: how many households, how old their data, what is doubtful in them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, RoundBaseline
from db.repositories.rounds import read_round
from db.repositories.work_lists import read_work
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.baseline import MatchState
from domain.rounds import Round
from domain.worklist import months_before
from services.kawal import Kawal
from services.queries.keyset import ByCode, PageOf, Slice, cut
from services.queries.round_progress import Progress, read_progress
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, View


class VillageBaseline(View):
    """What the registry believed of a village on the day on which the round opened."""

    area: AreaRef
    households: int
    members: int
    median_age_days: int = Field(description="Half of the households have data as old as this or older")
    old: int = Field(description="Households whose data are as old as the policy of the round allows, or older")
    never_verified: int
    mismatched: int = Field(description="Whose latest check with the civil registry did not match")
    unchecked: int = Field(description="That were never checked with the civil registry")
    duplicates: int = Field(description="With a NIK that is in use in another household")
    progress: Progress | None = Field(description="Plan against actual, as it is now; null before it has a work list")
    completeness: int = Field(description="How much of what is asked is there, in per cent, on average")


async def list_villages(
    kawal: Kawal, actor: Actor, round_id: UUID, page: PageOf[ByCode], *, area: str | None = None
) -> Slice[VillageBaseline, ByCode]:
    """The villages in the actor's areas, in the order of their codes; none before the round opens.

    Raises NotFound for a round that there is not, and for an area outside the actor's own; Forbidden.
    """
    areas = areas_in_view(actor, Permission.HOUSEHOLDS_READ, area=area)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        shown = await read_round(connection, round_id)
        before = await _old_before(kawal, connection, shown)
        statement = _villages(round_id, before, page=page).where(within(RoundBaseline.area_code, areas))
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByCode(row.area_code))
        progress = await read_progress(connection, shown, [row.area_code for row in rows])
    return Slice([_told(row, progress.get(row.area_code)) for row in rows], after)


async def _old_before(kawal: Kawal, connection: AsyncConnection, shown: Round) -> date:
    """The latest day of which data were old when the round opened, by the policy that it keeps."""
    version_id = (await read_work(connection, shown.id)).policy_version_id
    if version_id is None:
        version_id = (await kawal.rules.policy_in_force(connection, shown.area_code, at=kawal.now())).id
    rule = (await kawal.rules.policy(connection, version_id)).reverification
    calendar = await kawal.rules.calendar(connection, shown.area_code)
    return months_before(calendar.local_day(shown.opens_at), rule.old_after_months)


def _villages(round_id: UUID, before: date, *, page: PageOf[ByCode]) -> Select[*tuple[Any, ...]]:
    kept = RoundBaseline
    median = func.percentile_disc(0.5).within_group(kept.age_days)
    statement = (
        select(
            kept.area_code,
            Area.name.label("area_name"),
            func.count().label("households"),
            func.sum(kept.members).label("members"),
            median.label("median_age_days"),
            func.count().filter(kept.data_of <= before).label("old"),
            func.count().filter(~kept.verified).label("never_verified"),
            func.count().filter(kept.match_state == MatchState.MISMATCHED.value).label("mismatched"),
            func.count().filter(kept.match_state == MatchState.UNKNOWN.value).label("unchecked"),
            func.count().filter(kept.duplicates > 0).label("duplicates"),
            func.round(func.avg(kept.completeness)).label("completeness"),
        )
        .join(Area, Area.code == kept.area_code)
        .where(kept.round_id == round_id)
        .group_by(kept.area_code, Area.name)
        .order_by(kept.area_code)
        .limit(page.limit + 1)
    )
    return statement if page.after is None else statement.where(kept.area_code > page.after.code)


def _told(row: Row[*tuple[Any, ...]], progress: Progress | None) -> VillageBaseline:
    return VillageBaseline(
        area=AreaRef.of(row),
        households=row.households,
        members=row.members,
        median_age_days=row.median_age_days,
        old=row.old,
        never_verified=row.never_verified,
        mismatched=row.mismatched,
        unchecked=row.unchecked,
        duplicates=row.duplicates,
        progress=progress,
        completeness=int(row.completeness),
    )
