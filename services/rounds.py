"""Planning, moving and closing the rounds of a regency.

Each is one transaction: the round and its terms, a job that carries its musdes window to every open deadline
(`duties/clock_jobs.py`), an event, and an announcement to all who work in the regency.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Notification, UpdateRound
from db.repositories import trail
from db.repositories.clocks import add_job
from db.repositories.rounds import (
    add_round,
    add_terms,
    columns_of,
    lock_rounds,
    read_rounds,
    stream_of_rounds,
)
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.calendar import WorkingCalendar
from domain.errors import InvalidInput, NotPossibleNow, Violation
from domain.ids import new_id
from domain.permissions import Permission
from domain.rounds import (
    Rescheduling,
    Round,
    RoundClosing,
    RoundDates,
    RoundPlan,
    RoundState,
    check_plan,
    check_rescheduling,
    moments_of,
    state_of,
)
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.clock_orders import require_area
from services.queries.rounds import RoundInFull, find_round, has_rolled, read_round_in_full
from services.versions import require_version

PLAN: Final = "POST /v1/rounds"
_SUBJECTS: Final = {
    AuditType.ROUND_PLANNED: "round_planned",
    AuditType.ROUND_RESCHEDULED: "round_rescheduled",
    AuditType.ROUND_CLOSED: "round_closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Terms that are about to be written, by whom and when."""

    round_id: UUID
    version: int
    area_code: str
    period: str
    dates: RoundDates
    reason: str | None
    note: str | None
    seat: Seat
    call: Call


async def plan_round(kawal: Kawal, call: Call, plan: RoundPlan) -> tuple[RoundInFull, bool]:
    """Plan the round of a regency; and whether the same request had been answered before.

    Raises NotFound outside the actor's areas and for an area that is none, Forbidden, InvalidInput,
    IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.ROUNDS_PLAN, area_code=plan.area_code)

    async def do(connection: AsyncConnection) -> Created:
        await require_area(connection, plan.area_code)
        await lock_rounds(connection, plan.area_code)
        calendar = await _calendar(kawal, connection, plan.area_code, at=call.at)
        others = await read_rounds(connection, [plan.area_code])
        violations = check_plan(plan.dates(), period=plan.period, calendar=calendar, others=others, now=call.at)
        if any(other.period == plan.period for other in others):
            violations.append(_planned_already(plan.period))
        if violations:
            raise InvalidInput(violations)
        terms = _Terms(
            round_id=new_id(),
            version=1,
            area_code=plan.area_code,
            period=plan.period,
            dates=plan.dates(),
            reason=None,
            note=plan.note,
            seat=seat,
            call=call,
        )
        row = {
            "id": terms.round_id,
            "area_code": plan.area_code,
            "period": plan.period,
            "version": 1,
            "planned_at": call.at,
        }
        await add_round(connection, row, _columns(terms, calendar))
        await _tell(connection, terms, AuditType.ROUND_PLANNED)
        return Created(id=terms.round_id)

    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        made, again = await once(
            connection, call, plan, lambda: do(connection), answer=Created, route=PLAN, vault=kawal.vault
        )
        return await read_round_in_full(kawal, connection, call.actor, made.id), again


async def reschedule_round(kawal: Kawal, call: Call, round_id: UUID, other: Rescheduling) -> RoundInFull:
    """Give a round other days; what has come is not moved. Raises NotFound, Forbidden, StaleVersion, InvalidInput."""
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        before, seat = await _to_change(connection, call, round_id)

        async def do() -> Created:
            await lock_rounds(connection, before.area_code)
            held = await find_round(connection, round_id)
            _require_open(held, call)
            calendar = await _calendar(kawal, connection, held.area_code, at=call.at)
            others = [each for each in await read_rounds(connection, [held.area_code]) if each.id != round_id]
            violations = check_rescheduling(held, other.dates(), calendar=calendar, others=others, now=call.at)
            if violations:
                raise InvalidInput(violations)
            terms = _Terms(
                round_id=round_id,
                version=held.version + 1,
                area_code=held.area_code,
                period=held.period,
                dates=other.dates(),
                reason=other.reason.value,
                note=other.note,
                seat=seat,
                call=call,
            )
            await add_terms(connection, _columns(terms, calendar))
            await connection.execute(
                update(UpdateRound).where(UpdateRound.id == round_id).values(version=terms.version)
            )
            await _tell(connection, terms, AuditType.ROUND_RESCHEDULED)
            return Created(id=round_id)

        await once(
            connection, call, other, do, answer=Created, route=f"{PLAN}/{round_id}/rescheduling", vault=kawal.vault
        )
        return await read_round_in_full(kawal, connection, call.actor, round_id)


async def close_round(kawal: Kawal, call: Call, round_id: UUID, closing: RoundClosing) -> RoundInFull:
    """Close a round that has been published. Raises NotFound, Forbidden, StaleVersion, NotPossibleNow."""
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        before, seat = await _to_change(connection, call, round_id)

        async def do() -> Created:
            await lock_rounds(connection, before.area_code)
            held = await find_round(connection, round_id)
            _require_open(held, call)
            calendar = await _calendar(kawal, connection, held.area_code, at=call.at)
            if state_of(held, now=call.at, calendar=calendar) is not RoundState.PUBLISHED:
                raise NotPossibleNow(f"The round is published on {held.dates.publishes}, and is closed after that.")
            if not await has_rolled(connection, round_id):
                raise NotPossibleNow("What missed the cut-off is still being rolled over.", remedy="Ask again soon.")
            closed = update(UpdateRound).where(UpdateRound.id == round_id)
            await connection.execute(closed.values(closed_at=call.at, closed_by=call.actor.user_id))
            terms = _Terms(
                round_id=round_id,
                version=held.version,
                area_code=held.area_code,
                period=held.period,
                dates=held.dates,
                reason=None,
                note=closing.note,
                seat=seat,
                call=call,
            )
            await _tell(connection, terms, AuditType.ROUND_CLOSED)
            return Created(id=round_id)

        await once(connection, call, closing, do, answer=Created, route=f"{PLAN}/{round_id}/closing", vault=kawal.vault)
        return await read_round_in_full(kawal, connection, call.actor, round_id)


async def _to_change(connection: AsyncConnection, call: Call, round_id: UUID) -> tuple[Round, Seat]:
    found = await find_round(connection, round_id)
    return found, call.actor.seat_for(Permission.ROUNDS_PLAN, area_code=found.area_code)


def _require_open(held: Round, call: Call) -> None:
    require_version(call.holds, held.version)
    if held.closed:
        raise NotPossibleNow("The round is closed.")


async def _calendar(kawal: Kawal, connection: AsyncConnection, area_code: str, *, at: datetime) -> WorkingCalendar:
    return (await kawal.rules.clocks_now(connection, area_code, at=at)).calendar


def _planned_already(period: str) -> Violation:
    return Violation(
        pointer="/period",
        code="round_planned_already",
        detail=f"The regency has a round {period}.",
        remedy="Reschedule that one, or name another period.",
    )


def _columns(terms: _Terms, calendar: WorkingCalendar) -> dict[str, Any]:
    moments = moments_of(terms.dates, calendar)
    return {
        "round_id": terms.round_id,
        "version": terms.version,
        "area_code": terms.area_code,
        **columns_of(terms.dates),
        "opens_at": moments.opens_at,
        "cutoff_at": moments.cutoff_at,
        "reason": terms.reason,
        "note": terms.note,
        "entered_by": terms.call.actor.user_id,
        "entered_role": terms.seat.role.value,
        "office_id": terms.seat.office_id,
        "on_behalf_of": terms.seat.on_behalf_of,
        "entered_at": terms.call.at,
    }


async def _tell(connection: AsyncConnection, terms: _Terms, what: AuditType) -> None:
    """The job, the event and the announcement; closing moves no deadline, so there is no job for it."""
    at, area_code = terms.call.at, terms.area_code
    if what is not AuditType.ROUND_CLOSED:
        await add_job(connection, area_code=area_code, cause="round", at=at)
    entry = Entry(
        type=what,
        by=Doer.of(terms.call.actor, terms.seat),
        data={
            "round": str(terms.round_id),
            "period": terms.period,
            "version": terms.version,
            "dates": terms.dates.model_dump(mode="json"),
            "reason": terms.reason,
        },
    )
    await trail.record(connection, stream_of_rounds(area_code), [entry], at=at, area_code=area_code)
    announced = {
        "id": new_id(),
        "round_id": terms.round_id,
        "area_code": area_code,
        "subject": _SUBJECTS[what],
        "created_at": at,
    }
    await connection.execute(insert(Notification).values(announced))
