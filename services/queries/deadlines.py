"""A deadline reckoned without a case, by the same calendar and the same rules."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Viewer
from domain.areas import AreaOrNation
from domain.authority import Actor
from domain.clock_orders import credits_of, pauses_of
from domain.deadlines import ClockInterval, Credit, compute_deadline
from domain.durations import Duration, WorkingDays
from domain.errors import InvalidInput, NotFound, Violation
from domain.moments import Moment
from domain.pauses import PauseCause
from domain.text import Note
from domain.vocabulary import Stage
from services.kawal import Kawal
from services.queries.clock import ExplainedDeadline, explained


class Pause(BaseModel):
    """A time in which the clock would stand; it still stands where `to` is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    from_: Moment = Field(alias="from")
    to: Moment | None = None
    cause: PauseCause
    note: Note | None = None


class DeadlineQuestion(BaseModel):
    """What a deadline is reckoned from. Without `started_at` it starts now.

    The calendar, the orders over the area and the credit that its policy gives to remote villages count as they would
    for a task of `stage`; pauses and credits that are named come on top.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    area_code: AreaOrNation
    started_at: Moment | None = None
    duration: Duration
    stage: Stage = Stage.VERIFICATION
    pauses: Annotated[tuple[Pause, ...], Field(max_length=50)] = ()
    credits: Annotated[tuple[Credit, ...], Field(max_length=10)] = ()


async def preview_deadline(kawal: Kawal, actor: Actor, question: DeadlineQuestion) -> ExplainedDeadline:
    """The deadline and its explanation. Raises NotFound for an area outside the actor's own, InvalidInput."""
    now = kawal.now()
    started = question.started_at or now
    if not actor.seats_over(question.area_code):
        raise NotFound("There is no such area for you.", pointer="/area_code")
    pauses = _intervals(question.pauses)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        clocks = await kawal.rules.clocks_now(connection, question.area_code, at=min(started, now))
        extra = await _remoteness_credit(kawal, connection, question, at=now)
    ordered = pauses_of(clocks.orders, stage=question.stage, opened_at=started)
    outages = credits_of(clocks.orders, stage=question.stage, opened_at=started, now=now)
    deadline = compute_deadline(
        started,
        duration=question.duration,
        calendar=clocks.calendar,
        pauses=(*pauses, *ordered),
        credits=(*question.credits, *extra, *outages),
        now=now,
    )
    return explained(deadline, now=now)


async def _remoteness_credit(
    kawal: Kawal, connection: AsyncConnection, question: DeadlineQuestion, *, at: datetime
) -> list[Credit]:
    """What the policy in force gives to a village of this class, unless the question names such a credit itself."""
    named = any(credit.cause == "remote_area" for credit in question.credits)
    if named or not isinstance(question.duration, WorkingDays):
        return []
    facts = await kawal.rules.area(connection, question.area_code)
    if not facts.remoteness:
        return []
    in_force = await kawal.rules.policy_in_force(connection, question.area_code, at=at)
    extra = in_force.policy.remoteness_credit(facts.remoteness)
    return [Credit(working_days=extra, cause="remote_area")] if extra else []


def _intervals(pauses: tuple[Pause, ...]) -> tuple[ClockInterval, ...]:
    backwards = [
        Violation(
            pointer=f"/pauses/{place}/to",
            code="pause_backwards",
            detail="The clock cannot start again before it stopped.",
            remedy="Let `to` be at or after `from`, or leave it out while the clock still stands.",
        )
        for place, pause in enumerate(pauses)
        if pause.to is not None and pause.to < pause.from_
    ]
    if backwards:
        raise InvalidInput(backwards)
    return tuple(ClockInterval(from_=each.from_, to=each.to, cause=each.cause, note=each.note) for each in pauses)
