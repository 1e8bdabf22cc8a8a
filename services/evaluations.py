"""Asking for an evaluation: one transaction with its event and the message that has the engine measure it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import UpdateRound
from db.repositories import trail
from db.repositories.evaluations import add_evaluation, stream_of_evaluations
from db.repositories.outbox import START_EVALUATION, add_message
from db.repositories.rounds import read_round
from db.repositories.trail import Doer, Entry
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Seat
from domain.errors import InvalidInput, Violation
from domain.evaluations import EvaluationCause, EvaluationRequest, EvaluationSpan, check_request
from domain.ids import new_id
from domain.indicators import METHOD
from domain.permissions import Permission
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.clock_orders import require_area
from services.queries.evaluations import EvaluationInFull, read_evaluation_in_full

REQUEST: Final = "POST /v1/evaluations"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is to be measured, as it was asked for."""

    area_code: str
    round_id: UUID | None
    span: EvaluationSpan


async def request_evaluation(kawal: Kawal, call: Call, request: EvaluationRequest) -> EvaluationInFull:
    """Have an area measured over a time that is over.

    Raises NotFound outside the actor's areas and for an area or round that is none, Forbidden, InvalidInput,
    IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        area_code = await _area_of(connection, request, call)
        seat = call.actor.seat_for(Permission.EVALUATIONS_RUN, area_code=area_code)
        await require_area(connection, area_code)

        async def done() -> Created:
            asked = await _asked(kawal, connection, call, request, area_code)
            return await _add(kawal, connection, call, seat, asked)

        made, _ = await once(connection, call, request, done, answer=Created, route=REQUEST, vault=kawal.vault)
        return await read_evaluation_in_full(connection, made.id)


async def _area_of(connection: AsyncConnection, request: EvaluationRequest, call: Call) -> str:
    if request.round_id is not None:
        return (await read_round(connection, request.round_id)).area_code
    if request.area_code is None:
        raise InvalidInput(check_request(request, today=date.max, now=call.at))
    return request.area_code


async def _asked(
    kawal: Kawal, connection: AsyncConnection, call: Call, request: EvaluationRequest, area_code: str
) -> _Asked:
    calendar = await kawal.rules.calendar(connection, area_code)
    violations = check_request(request, today=calendar.local_day(call.at), now=call.at)
    if violations:
        raise InvalidInput(violations)
    known_until = request.known_until or call.at
    if request.round_id is not None:
        span = await span_of_round(connection, request.round_id)
        if span is None:
            raise InvalidInput([_open_round()])
        span = span.model_copy(update={"known_until": max(known_until, span.ends_at)})
    else:
        span = EvaluationSpan.of_days(request.days, known_until=known_until, calendar=calendar)
    if span.begins_at >= span.ends_at:
        raise InvalidInput([_bound_too_early()])
    return _Asked(area_code=area_code, round_id=request.round_id, span=span)


async def span_of_round(connection: AsyncConnection, round_id: UUID) -> EvaluationSpan | None:
    """The time of a round: from its opening until it was closed; None while it is not."""
    opens_at = (await read_round(connection, round_id)).opens_at
    closed_at = await connection.scalar(select(UpdateRound.closed_at).where(UpdateRound.id == round_id))
    if closed_at is None:
        return None
    return EvaluationSpan(begins_at=opens_at, ends_at=closed_at, known_until=closed_at)


async def _add(kawal: Kawal, connection: AsyncConnection, call: Call, seat: Seat, asked: _Asked) -> Created:
    at, evaluation_id = call.at, new_id()
    policy = await kawal.rules.policy_in_force(connection, asked.area_code, at=at)
    row = {
        "id": evaluation_id,
        "area_code": asked.area_code,
        "round_id": asked.round_id,
        "cause": EvaluationCause.REQUESTED.value,
        **asked.span.model_dump(),
        "method": METHOD,
        "policy_version_id": policy.id,
        "requested_by": call.actor.user_id,
        "requested_role": seat.role.value,
        "office_id": seat.office_id,
        "on_behalf_of": seat.on_behalf_of,
        "requested_at": at,
    }
    await add_evaluation(connection, row)
    await add_message(connection, START_EVALUATION, subject_id=evaluation_id, payload={}, at=at)
    entry = Entry(
        type=AuditType.EVALUATION_REQUESTED,
        by=Doer.of(call.actor, seat),
        data={
            "evaluation": str(evaluation_id),
            "round": None if asked.round_id is None else str(asked.round_id),
            **asked.span.model_dump(mode="json"),
        },
    )
    stream = stream_of_evaluations(asked.area_code)
    await trail.record(connection, stream, [entry], at=at, area_code=asked.area_code)
    return Created(id=evaluation_id)


def _open_round() -> Violation:
    return Violation(
        pointer="/round_id",
        code="round_not_closed",
        detail="The round is not closed.",
        remedy="Close it first, or name an area and days.",
    )


def _bound_too_early() -> Violation:
    return Violation(
        pointer="/known_until",
        code="bound_too_early",
        detail="Nothing of the days was known by then.",
        remedy="Name a later moment.",
    )
