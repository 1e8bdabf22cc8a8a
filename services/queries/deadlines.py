"""A deadline reckoned without a case, by the same calendar and the same rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from db.session import Viewer
from domain.areas import AreaOrNation
from domain.authority import Actor
from domain.calendar import WorkingCalendar
from domain.deadlines import ClockInterval, Credit, compute_deadline
from domain.durations import Duration
from domain.errors import InvalidInput, NotFound, Violation
from domain.pauses import PauseCause
from domain.text import Note
from services.kawal import Kawal
from services.queries.clock import ExplainedDeadline, explained

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _within_reach(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("is not a moment between the years 2000 and 2100")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reach), Field(json_schema_extra={"pattern": "^20[0-9]{2}-"})]


class Pause(BaseModel):
    """A time in which the clock would stand; it still stands where `to` is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    from_: Moment = Field(alias="from")
    to: Moment | None = None
    cause: PauseCause
    note: Note | None = None


class DeadlineQuestion(BaseModel):
    """What a deadline is reckoned from. Without `started_at` it starts now."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    area_code: AreaOrNation
    started_at: Moment | None = None
    duration: Duration
    pauses: Annotated[tuple[Pause, ...], Field(max_length=50)] = ()
    credits: Annotated[tuple[Credit, ...], Field(max_length=10)] = ()


async def preview_deadline(kawal: Kawal, actor: Actor, question: DeadlineQuestion) -> ExplainedDeadline:
    """The deadline and its explanation. Raises NotFound for an area outside the actor's own, InvalidInput."""
    now = kawal.now()
    if not actor.seats_over(question.area_code):
        raise NotFound("There is no such area for you.", pointer="/area_code")
    pauses = _intervals(question.pauses)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        calendar: WorkingCalendar = await kawal.rules.calendar(connection, question.area_code)
    deadline = compute_deadline(
        question.started_at or now,
        duration=question.duration,
        calendar=calendar,
        pauses=pauses,
        credits=question.credits,
        now=now,
    )
    return explained(deadline, now=now)


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
