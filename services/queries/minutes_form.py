"""Minutes on paper: recorded ones to be printed, and the empty form of a village that writes by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, Update
from db.repositories.people import ancestry
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.errors import NotFound, NotPossibleNow
from domain.minutes import MOST_CASES
from domain.policy import MinutesRule
from domain.reasons import ReasonRule
from domain.vocabulary import Kind, ReasonCode, Stage
from services.kawal import Kawal
from services.queries.minutes import MinutesInFull, read_minutes


@dataclass(frozen=True, slots=True)
class CaseToDeliberate:
    """A case that waits for the village. It has no name here: papers lie about."""

    tracking_code: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class MinutesForm:
    """The empty form of a village on a day: by which rule, what waits for it, why a case may be given back or refused.

    `places` are the names of its regency, its district and itself.
    """

    area_code: str
    places: tuple[str, ...]
    rule: MinutesRule
    cases: tuple[CaseToDeliberate, ...]
    reasons: tuple[ReasonRule, ...]
    day: date


@dataclass(frozen=True, slots=True)
class MinutesPaper:
    """Recorded minutes as they are printed; `reasons` has the label of each code."""

    minutes: MinutesInFull
    places: tuple[str, ...]
    reasons: dict[ReasonCode, str]
    recorded_on: date


async def read_form(kawal: Kawal, actor: Actor, area_code: str) -> MinutesForm:
    """The empty form. Raises NotFound outside the actor's areas, Forbidden, NotPossibleNow where none is recorded."""
    actor.seat_for(Permission.UPDATES_READ, area_code=area_code)
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        places = await _places(connection, area_code)
        policy = (await kawal.rules.policy_in_force(connection, area_code, at=at)).policy
        calendar = await kawal.rules.calendar(connection, area_code)
        cases = await _waiting(connection, area_code)
    if policy.minutes is None:
        raise NotPossibleNow(
            "The policy in force keeps no record of minutes.", remedy="Name their number with the decision."
        )
    return MinutesForm(area_code, places, policy.minutes, cases, policy.reasons, calendar.local_day(at))


async def read_paper(kawal: Kawal, actor: Actor, minutes_id: UUID) -> MinutesPaper:
    """Recorded minutes to be printed. Raises NotFound, Forbidden."""
    minutes = await read_minutes(kawal, actor, minutes_id)
    area_code = minutes.area.code
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        places = await _places(connection, area_code)
        policy = (await kawal.rules.policy_in_force(connection, area_code, at=kawal.now())).policy
        calendar = await kawal.rules.calendar(connection, area_code)
    labels = {reason.code: reason.label.id for reason in policy.reasons}
    return MinutesPaper(minutes, places, labels, calendar.local_day(minutes.recorded_at))


async def _places(connection: AsyncConnection, area_code: str) -> tuple[str, ...]:
    above = [code for code in ancestry(area_code) if code.count(".") > 0]
    rows = await connection.execute(select(Area.name).where(Area.code.in_(above)).order_by(Area.code))
    names = tuple(row.name for row in rows)
    if len(names) < area_code.count("."):
        raise NotFound("There is no area of this code.")
    return names


async def _waiting(connection: AsyncConnection, area_code: str) -> tuple[CaseToDeliberate, ...]:
    wanted = (
        select(Update.tracking_code, Update.kind)
        .where(Update.area_code == area_code, Update.stage == Stage.DELIBERATION.value)
        .order_by(Update.id)
        .limit(MOST_CASES)
    )
    return tuple(CaseToDeliberate(row.tracking_code, Kind(row.kind)) for row in await connection.execute(wanted))
