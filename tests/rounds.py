"""Rounds on a scene: planned as the database keeps them, at any moments that a test needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from temporalio.testing import ActivityEnvironment

from db.models import UpdateRound
from db.repositories.clocks import add_job, read_clocks
from db.repositories.rounds import add_round, add_terms, columns_of
from devstack.demo_people import demo_id
from domain.ids import new_id
from domain.rounds import Days, RescheduleReason, RoundDates, moments_of
from domain.vocabulary import Role
from tests.scene import Scene, user

REGENCY = "32.06"
WIB = timedelta(hours=7)


def at_work(moment: datetime) -> ActivityEnvironment:
    """What an activity of a round runs in, at this moment of the engine."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, started_time=moment)
    return environment


def today(moment: datetime) -> date:
    """The day in Tasikmalaya."""
    return (moment + WIB).date()


def dates(opens: date, cut_off: date) -> RoundDates:
    """A round from one day to another, all of it open for input and musdes; published a week after."""
    window = Days(opens=opens, closes=cut_off)
    publishes = cut_off + timedelta(days=7)
    return RoundDates(opens=opens, input_window=window, musdes_window=window, cut_off=cut_off, publishes=publishes)


async def planned(scene: Scene, calendar: RoundDates, *, at: datetime, period: str | None = None) -> UUID:
    """A round of the regency as it is planned, its id."""
    round_id, period = new_id(), period or f"{calendar.cut_off:%Y-%m}"
    row = {"id": round_id, "area_code": REGENCY, "period": period, "version": 1, "planned_at": at}
    async with scene.as_owner() as connection:
        clocks = await read_clocks(connection, REGENCY, zone="Asia/Jakarta", at=at)
        assert clocks is not None
        terms = _terms(round_id, calendar, moments_of(calendar, clocks.calendar), at=at)
        await add_round(connection, row, terms)
        await add_job(connection, area_code=REGENCY, cause="round", at=at)
    return round_id


async def moved(scene: Scene, round_id: UUID, calendar: RoundDates, *, at: datetime) -> None:
    """The same round with other days."""
    async with scene.as_owner() as connection:
        clocks = await read_clocks(connection, REGENCY, zone="Asia/Jakarta", at=at)
        assert clocks is not None
        terms = _terms(round_id, calendar, moments_of(calendar, clocks.calendar), at=at)
        await add_terms(connection, terms | {"version": 2, "reason": RescheduleReason.LOCAL_EVENT.value})
        await connection.execute(update(UpdateRound).where(UpdateRound.id == round_id).values(version=2))
        await add_job(connection, area_code=REGENCY, cause="round", at=at)


def _terms(
    round_id: UUID, calendar: RoundDates, moments: tuple[datetime, datetime], *, at: datetime
) -> dict[str, object]:
    opens_at, cutoff_at = moments
    return {
        "round_id": round_id,
        "version": 1,
        "area_code": REGENCY,
        **columns_of(calendar),
        "opens_at": opens_at,
        "cutoff_at": cutoff_at,
        "entered_by": user("perencana"),
        "entered_role": Role.PLANNER.value,
        "office_id": demo_id("office", "dinsos"),
        "entered_at": at,
    }
