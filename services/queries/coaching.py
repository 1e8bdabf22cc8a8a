"""What villages are sent back for: for whoever trains their operators, with nobody named and no case shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Decision, Update
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.vocabulary import Kind, Outcome, Stage
from services.kawal import Kawal
from services.queries.keyset import ByCode, PageOf, Slice, cut
from services.queries.reasons import Reason, reason_of
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, View


@dataclass(frozen=True, slots=True, kw_only=True)
class CoachingFilter:
    """Which villages, and which of their cases: those submitted in a time, from `since` to before `until`."""

    area: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class SentBackFor(View):
    """A reason for which cases of a village were returned."""

    reason: Reason | None = Field(description="Null where none was given")
    returns: int = Field(description="Returns for this reason; a case may be returned more than once")
    cases: int = Field(description="Cases that were returned for it at least once")
    kinds: dict[Kind, int] = Field(description="Its returns by the kind of update")
    stages: dict[Stage, int] = Field(description="Its returns by the stage that gave them")


class VillageCoaching(View):
    """What one village is to be trained in."""

    area: AreaRef
    submitted: int = Field(description="Cases that it submitted in the time")
    returned: int = Field(description="How many of them were returned at least once, so far")
    reasons: tuple[SentBackFor, ...] = Field(description="The most frequent first")


async def list_coaching(
    kawal: Kawal, actor: Actor, wanted: CoachingFilter, page: PageOf[ByCode]
) -> Slice[VillageCoaching, ByCode]:
    """Villages of the actor's areas that submitted anything, by code. Raises NotFound for a foreign area, Forbidden."""
    areas = areas_in_view(actor, Permission.STALLED_READ, area=wanted.area)
    conditions = [within(Update.area_code, areas), *_conditions(wanted)]
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = await _villages(connection, conditions, page)
        shown, after = cut(rows, page.limit, lambda row: ByCode(row.area_code))
        returns = await _returns(connection, conditions, [row.area_code for row in shown])
        told = [await _told(kawal, connection, row, returns[row.area_code]) for row in shown]
    return Slice(told, after)


def _conditions(wanted: CoachingFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield Update.submitted_at >= wanted.since
    if wanted.until is not None:
        yield Update.submitted_at < wanted.until


async def _villages(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]], page: PageOf[ByCode]
) -> Sequence[Row[*tuple[Any, ...]]]:
    returned = select(Decision.id).where(Decision.update_id == Update.id, Decision.outcome == Outcome.RETURN.value)
    further = [] if page.after is None else [Update.area_code > page.after.code]
    counted = (
        select(
            Update.area_code,
            func.count().label("submitted"),
            func.count().filter(returned.exists()).label("returned"),
        )
        .where(*conditions, *further)
        .group_by(Update.area_code)
        .order_by(Update.area_code)
        .limit(page.limit + 1)
        .subquery()
    )
    named = select(counted, func.coalesce(Area.name, counted.c.area_code).label("area_name"))
    joined = named.outerjoin(Area, Area.code == counted.c.area_code).order_by(counted.c.area_code)
    return (await connection.execute(joined)).all()


async def _returns(
    connection: AsyncConnection, conditions: Sequence[ColumnElement[bool]], villages: Sequence[str]
) -> dict[str, list[Row[*tuple[Any, ...]]]]:
    """The returns of each village by reason, kind and stage; with the policy of the latest case, whose words hold."""
    rows = await connection.execute(
        select(
            *(Update.area_code, Decision.reason, Update.kind, Decision.stage),
            func.count().label("returns"),
            func.array_agg(Update.id.distinct()).label("cases"),
            func.max(cast(Update.policy_version_id, Text)).label("policy"),
        )
        .join(Decision, Decision.update_id == Update.id)
        .where(*conditions, Update.area_code.in_(villages), Decision.outcome == Outcome.RETURN.value)
        .group_by(Update.area_code, Decision.reason, Update.kind, Decision.stage)
    )
    found = defaultdict[str, list[Row[*tuple[Any, ...]]]](list)
    for row in rows:
        found[row.area_code].append(row)
    return found


async def _told(
    kawal: Kawal, connection: AsyncConnection, village: Row[*tuple[Any, ...]], returns: Sequence[Row[*tuple[Any, ...]]]
) -> VillageCoaching:
    by_reason = defaultdict[str | None, list[Row[*tuple[Any, ...]]]](list)
    for row in returns:
        by_reason[row.reason].append(row)
    reasons = [await _sent_back_for(kawal, connection, reason, rows) for reason, rows in by_reason.items()]
    return VillageCoaching(
        area=AreaRef.of(village),
        submitted=village.submitted,
        returned=village.returned,
        reasons=tuple(sorted(reasons, key=lambda each: (-each.returns, each.reason.code if each.reason else ""))),
    )


async def _sent_back_for(
    kawal: Kawal, connection: AsyncConnection, reason: str | None, rows: Sequence[Row[*tuple[Any, ...]]]
) -> SentBackFor:
    policy = await kawal.rules.policy(connection, UUID(max(row.policy for row in rows)))
    return SentBackFor(
        reason=reason_of(reason, policy),
        returns=sum(row.returns for row in rows),
        cases=len({case for row in rows for case in row.cases}),
        kinds={Kind(kind): count for kind, count in _added_up(rows, "kind")},
        stages={Stage(stage): count for stage, count in _added_up(rows, "stage")},
    )


def _added_up(rows: Sequence[Row[*tuple[Any, ...]]], column: str) -> list[tuple[str, int]]:
    """How many returns there are of each value of a column, the most first."""
    counts = defaultdict[str, int](int)
    for row in rows:
        counts[getattr(row, column)] += row.returns
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
