"""Planning, moving and closing the rounds of a regency.

Each is one transaction: the round and its terms, a job that carries its musdes window to every open deadline
(`duties/clock_jobs.py`), an event, and an announcement to all who work in the regency.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Notification, UpdateRound
from db.repositories import trail
from db.repositories.clocks import add_job
from db.repositories.outbox import SIGNAL_ROUND_MOVED, START_ROUND, add_message
from db.repositories.rounds import (
    add_round,
    add_terms,
    columns_of,
    lock_rounds,
    read_round,
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
from services.queries.rounds import RoundInFull, has_rolled, read_round_in_full
from services.versions import require_version

PLAN: Final = "POST /v1/rounds"
_SUBJECTS: Final = {
    AuditType.ROUND_PLANNED: "round_planned",
    AuditType.ROUND_RESCHEDULED: "round_rescheduled",
    AuditType.ROUND_CLOSED: "round_closed",
}
_TOPICS: Final = {AuditType.ROUND_PLANNED: START_ROUND, AuditType.ROUND_RESCHEDULED: SIGNAL_ROUND_MOVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """A planner at work on a regency's rounds, in a transaction in which nobody else is."""

    connection: AsyncConnection
    call: Call
    seat: Seat
    area_code: str
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """Terms of a round: those that are about to be written, or those that hold when it is closed."""

    round_id: UUID
    version: int
    period: str
    dates: RoundDates
    reason: str | None = None
    note: str | None = None


async def plan_round(kawal: Kawal, call: Call, plan: RoundPlan) -> tuple[RoundInFull, bool]:
    """Plan the round of a regency; and whether the same request had been answered before.

    Raises NotFound outside the actor's areas and for an area that is none, Forbidden, InvalidInput,
    IdempotencyKeyReused.
    """
    seat = call.actor.seat_for(Permission.ROUNDS_PLAN, area_code=plan.area_code)

    async def do(connection: AsyncConnection) -> Created:
        await require_area(connection, plan.area_code)
        return await _plan(await _begin(kawal, connection, call, seat, plan.area_code), plan)

    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        made, again = await once(
            connection, call, plan, lambda: do(connection), answer=Created, route=PLAN, vault=kawal.vault
        )
        return await read_round_in_full(kawal, connection, call.actor, made.id), again


async def reschedule_round(kawal: Kawal, call: Call, round_id: UUID, other: Rescheduling) -> RoundInFull:
    """Give a round other days; what has come is not moved. Raises NotFound, Forbidden, StaleVersion, InvalidInput."""
    return await _change(kawal, call, round_id, other, lambda act, held: _reschedule(act, held, other))


async def close_round(kawal: Kawal, call: Call, round_id: UUID, closing: RoundClosing) -> RoundInFull:
    """Close a round that has been published. Raises NotFound, Forbidden, StaleVersion, NotPossibleNow."""
    return await _change(kawal, call, round_id, closing, lambda act, held: _close(act, held, closing))


async def _plan(act: _Act, plan: RoundPlan) -> Created:
    others = await read_rounds(act.connection, [act.area_code])
    violations = check_plan(plan.dates(), period=plan.period, calendar=act.calendar, others=others, now=act.call.at)
    if any(other.period == plan.period for other in others):
        violations.append(_planned_already(plan.period))
    if violations:
        raise InvalidInput(violations)
    terms = _Terms(round_id=new_id(), version=1, period=plan.period, dates=plan.dates(), note=plan.note)
    row = {
        "id": terms.round_id,
        "area_code": act.area_code,
        "period": plan.period,
        "version": 1,
        "planned_at": act.call.at,
    }
    await add_round(act.connection, row, _columns(act, terms))
    await _tell(act, terms, AuditType.ROUND_PLANNED)
    return Created(id=terms.round_id)


async def _change(
    kawal: Kawal,
    call: Call,
    round_id: UUID,
    request: Rescheduling | RoundClosing,
    do: Callable[[_Act, Round], Awaitable[Created]],
) -> RoundInFull:
    """Do something to a round that is not closed, in the version that the planner has read."""
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        area_code = (await read_round(connection, round_id)).area_code
        seat = call.actor.seat_for(Permission.ROUNDS_PLAN, area_code=area_code)

        async def done() -> Created:
            act = await _begin(kawal, connection, call, seat, area_code)
            held = await read_round(connection, round_id)
            require_version(call.holds, held.version)
            if held.closed:
                raise NotPossibleNow("The round is closed.")
            return await do(act, held)

        route = f"{PLAN}/{round_id} {type(request).__name__}"
        await once(connection, call, request, done, answer=Created, route=route, vault=kawal.vault)
        return await read_round_in_full(kawal, connection, call.actor, round_id)


async def _reschedule(act: _Act, held: Round, other: Rescheduling) -> Created:
    others = [each for each in await read_rounds(act.connection, [act.area_code]) if each.id != held.id]
    violations = check_rescheduling(held, other.dates(), calendar=act.calendar, others=others, now=act.call.at)
    if violations:
        raise InvalidInput(violations)
    terms = _Terms(
        round_id=held.id,
        version=held.version + 1,
        period=held.period,
        dates=other.dates(),
        reason=other.reason.value,
        note=other.note,
    )
    await add_terms(act.connection, _columns(act, terms))
    later = update(UpdateRound).where(UpdateRound.id == held.id).values(version=terms.version)
    await act.connection.execute(later)
    await _tell(act, terms, AuditType.ROUND_RESCHEDULED)
    return Created(id=held.id)


async def _close(act: _Act, held: Round, closing: RoundClosing) -> Created:
    if state_of(held, now=act.call.at, calendar=act.calendar) is not RoundState.PUBLISHED:
        raise NotPossibleNow(f"The round is published on {held.dates.publishes}, and is closed after that.")
    if not await has_rolled(act.connection, held.id):
        raise NotPossibleNow("What missed the cut-off is still being rolled over.", remedy="Ask again soon.")
    closed = update(UpdateRound).where(UpdateRound.id == held.id)
    await act.connection.execute(closed.values(closed_at=act.call.at, closed_by=act.call.actor.user_id))
    terms = _Terms(round_id=held.id, version=held.version, period=held.period, dates=held.dates, note=closing.note)
    await _tell(act, terms, AuditType.ROUND_CLOSED)
    return Created(id=held.id)


async def _begin(kawal: Kawal, connection: AsyncConnection, call: Call, seat: Seat, area_code: str) -> _Act:
    await lock_rounds(connection, area_code)
    calendar = (await kawal.rules.clocks_now(connection, area_code, at=call.at)).calendar
    return _Act(connection=connection, call=call, seat=seat, area_code=area_code, calendar=calendar)


def _planned_already(period: str) -> Violation:
    return Violation(
        pointer="/period",
        code="round_planned_already",
        detail=f"The regency has a round {period}.",
        remedy="Reschedule that one, or name another period.",
    )


def _columns(act: _Act, terms: _Terms) -> dict[str, Any]:
    moments = moments_of(terms.dates, act.calendar)
    return {
        "round_id": terms.round_id,
        "version": terms.version,
        "area_code": act.area_code,
        **columns_of(terms.dates),
        "opens_at": moments.opens_at,
        "cutoff_at": moments.cutoff_at,
        "reason": terms.reason,
        "note": terms.note,
        "entered_by": act.call.actor.user_id,
        "entered_role": act.seat.role.value,
        "office_id": act.seat.office_id,
        "on_behalf_of": act.seat.on_behalf_of,
        "entered_at": act.call.at,
    }


async def _tell(act: _Act, terms: _Terms, what: AuditType) -> None:
    """The job, the message to the engine, the event and the announcement; closing moves nothing."""
    at, area_code = act.call.at, act.area_code
    if what in _TOPICS:
        await add_job(act.connection, area_code=area_code, cause="round", at=at)
        payload = {"area_code": area_code, "period": terms.period}
        await add_message(act.connection, _TOPICS[what], subject_id=terms.round_id, payload=payload, at=at)
    entry = Entry(
        type=what,
        by=Doer.of(act.call.actor, act.seat),
        data={
            "round": str(terms.round_id),
            "period": terms.period,
            "version": terms.version,
            "dates": terms.dates.model_dump(mode="json"),
            "reason": terms.reason,
            "note": terms.note,
        },
    )
    await trail.record(act.connection, stream_of_rounds(area_code), [entry], at=at, area_code=area_code)
    announced = {
        "id": new_id(),
        "round_id": terms.round_id,
        "area_code": area_code,
        "subject": _SUBJECTS[what],
        "created_at": at,
    }
    await act.connection.execute(insert(Notification).values(announced))
