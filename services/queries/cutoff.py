"""For which round cases count, and which of them will miss its cut-off by the deadlines that are left on their route.

How late an open task may be due depends on few things: the policy, the stages that are left, the remoteness of the
village. So it is reckoned once for each such way that there is, and the database compares due times with the result:
nothing is stored with a case, and a new calendar, policy or round is followed at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, RoundRoll, Task, Update, UpdateRound
from db.repositories.cases import CaseRecord
from db.repositories.rounds import latest_rounds, round_of, rounds_ahead
from domain.calendar import WorkingCalendar
from domain.lifecycle import Position
from domain.policy import Policy
from domain.round_forecast import Going, approved_by, last_due, stages_left, will_miss
from domain.rounds import Round, held_until
from domain.vocabulary import Kind, Stage, Status
from services.kawal import Kawal
from services.queries.view import View

IS_APPEAL: Final = Update.appeal_of.is_not(None).label("is_appeal")
"""Whether a case begins with the decision on an appeal."""


class CaseRound(View):
    """For which round a case counts, and whether it will be in time."""

    id: UUID
    period: str
    opens_at: datetime
    cutoff_at: datetime
    approved: bool = Field(description="Whether it was approved for this round; else it has to be by the cut-off")
    approved_by: datetime | None = Field(description="When it is approved if every stage takes as long as it may")
    will_miss_cutoff: bool = Field(description="Whether that is after the cut-off: then it counts for the next round")
    delivery_waits_until: datetime | None = Field(description="When the round opens that its delivery waits for")
    rolled_over_from: tuple[str, ...] = Field(description="The rounds whose cut-off it missed before")


@dataclass(frozen=True, slots=True)
class Outlook:
    """The rounds ahead of some regencies, with what it takes to tell who will be in time."""

    rounds: Mapping[str, list[Round]]
    calendars: Mapping[str, WorkingCalendar]
    now: datetime
    _known: dict[tuple[Any, ...], datetime] = field(default_factory=dict[tuple[Any, ...], datetime])

    def round_of(self, area_code: str) -> Round | None:
        """The round whose cut-off comes next where the area is."""
        return next(iter(self.rounds.get(regency_of(area_code), ())), None)

    def will_miss(self, area_code: str, facts: WayLeft, due_at: datetime) -> bool:
        """Whether a case whose open task is due at `due_at` will miss the cut-off that comes next."""
        coming = self.round_of(area_code)
        if coming is None or facts.position.closed or facts.position.stage in {None, Stage.DELIVERY}:
            return False
        return will_miss(due_at, self.last_due(coming, facts), now=self.now)

    def last_due(self, coming: Round, facts: WayLeft) -> datetime:
        """By when its open task may be due for a case to be in time."""
        left = stages_left(facts.position)
        key = (coming.id, facts.policy_version_id, left, facts.remoteness, facts.position.contested)
        if key not in self._known:
            self._known[key] = last_due(coming.cutoff_at, left, self.going(coming.area_code, facts))
        return self._known[key]

    def going(self, area_code: str, facts: WayLeft) -> Going:
        """What the stages left are counted by."""
        calendar = self.calendars[regency_of(area_code)]
        return Going(
            policy=facts.policy,
            calendar=calendar,
            remoteness=facts.remoteness,
            contested=facts.position.contested,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WayLeft:
    """Where a case stands, and by what the rest of its way is counted."""

    position: Position
    policy_version_id: UUID
    policy: Policy
    remoteness: int


def regency_of(area_code: str) -> str:
    """The regency that an area lies in, or is."""
    return area_code[:5]


async def read_outlook(
    kawal: Kawal, connection: AsyncConnection, areas: Collection[str] | None, *, now: datetime
) -> Outlook:
    """The rounds ahead of the regencies of these areas (None: of all), with their calendars."""
    regencies = None if areas is None else {regency_of(area) for area in areas}
    rounds = {} if regencies == set() else await rounds_ahead(connection, regencies, now=now)
    calendars = await kawal.rules.calendars(connection, rounds.keys()) if rounds else {}
    with_rounds = {
        code: calendar.model_copy(update={"rounds": tuple(each.span for each in rounds[code])})
        for code, calendar in calendars.items()
    }
    return Outlook(rounds, with_rounds, now)


async def missing_cutoff(
    kawal: Kawal, connection: AsyncConnection, outlook: Outlook, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    """That a case will miss its cut-off, for a statement that knows the case, its area and its open task.

    `conditions` narrow which ways are looked for, and are those of the statement.
    """
    if not outlook.rounds:
        return false()
    regency = func.left(Update.area_code, 5)
    ways = (
        select(
            regency.label("area_code"),
            *(Update.policy_version_id, Update.kind, Update.status, Update.stage),
            *(Update.settled, Update.identity_waived, Update.contested, IS_APPEAL, Area.remoteness),
        )
        .join(Task, and_(Task.update_id == Update.id, Task.status == "open"))
        .join(Area, Area.code == Update.area_code)
        .where(Update.stage != Stage.DELIVERY.value, regency.in_(sorted(outlook.rounds)), *conditions)
        .distinct()
    )
    parts = [await _goes_so_and_late(kawal, connection, outlook, way) for way in (await connection.execute(ways)).all()]
    return or_(false(), *parts)


async def _goes_so_and_late(
    kawal: Kawal, connection: AsyncConnection, outlook: Outlook, way: Row[*tuple[Any, ...]]
) -> ColumnElement[bool]:
    policy = await kawal.rules.policy(connection, way.policy_version_id)
    facts = way_left(way, policy)
    coming = outlook.rounds[way.area_code][0]
    return and_(
        func.left(Update.area_code, 5) == way.area_code,
        Update.policy_version_id == way.policy_version_id,
        Update.kind == way.kind,
        Update.stage == way.stage,
        Update.settled == way.settled,
        Update.identity_waived == way.identity_waived,
        Update.contested.is_not_distinct_from(way.contested),
        IS_APPEAL.is_(way.is_appeal),
        Area.remoteness == way.remoteness,
        func.greatest(Task.due_at, outlook.now) > outlook.last_due(coming, facts),
    )


def way_left(row: Row[*tuple[Any, ...]], policy: Policy) -> WayLeft:
    """Where the case of a row stands, which has its status, stage, what is settled, and the remoteness of its area."""
    route = policy.route_of(Kind(row.kind)).stages
    position = Position(
        route=(Stage.APPEAL, *route) if row.is_appeal else route,
        contested=row.contested and Stage(row.contested),
        status=Status(row.status),
        stage=row.stage and Stage(row.stage),
        settled=frozenset(Stage(stage) for stage in row.settled),
        identity_waived=row.identity_waived,
        ministry=policy.delivery.ministry,
    )
    return WayLeft(position=position, policy_version_id=row.policy_version_id, policy=policy, remoteness=row.remoteness)


async def read_case_round(
    kawal: Kawal, connection: AsyncConnection, case: CaseRecord, policy: Policy, due_at: datetime | None
) -> CaseRound | None:
    """For which round a case counts: the one it was approved for, or else the next; None where there is none."""
    now = kawal.now()
    approved = case.round_id is not None and (case.stage is Stage.DELIVERY or case.status is Status.APPLIED)
    position = case.position(policy)
    if not approved and (position.closed or case.stage is Stage.DELIVERY):
        return None
    outlook = await read_outlook(kawal, connection, (case.area_code,), now=now)
    counted = await _round(connection, case.round_id) if approved else outlook.round_of(case.area_code)
    if counted is None:
        return None
    missed = select(UpdateRound.period).join(RoundRoll, RoundRoll.from_round == UpdateRound.id)
    rolled = await connection.scalars(missed.where(RoundRoll.update_id == case.id).order_by(UpdateRound.period))
    expected = None
    if not approved and due_at is not None:
        area = await kawal.rules.area(connection, case.area_code)
        facts = WayLeft(
            position=position,
            policy_version_id=case.policy_version_id,
            policy=policy,
            remoteness=area.remoteness,
        )
        expected = approved_by(max(due_at, now), stages_left(position), outlook.going(case.area_code, facts))
    return CaseRound(
        id=counted.id,
        period=counted.period,
        opens_at=counted.opens_at,
        cutoff_at=counted.cutoff_at,
        approved=approved,
        approved_by=expected,
        will_miss_cutoff=expected is not None and expected > counted.cutoff_at,
        delivery_waits_until=held_until([counted], case.round_id, now=now) if case.stage is Stage.DELIVERY else None,
        rolled_over_from=tuple(rolled),
    )


async def _round(connection: AsyncConnection, round_id: UUID | None) -> Round | None:
    row = (await connection.execute(latest_rounds().where(UpdateRound.id == round_id))).one_or_none()
    return None if row is None else round_of(row)
