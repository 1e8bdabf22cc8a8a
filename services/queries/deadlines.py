"""A deadline reckoned without a case, by the same calendar and the same rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from db.session import Viewer
from domain.areas import AreaOrNation
from domain.authority import Actor
from domain.calendar import WorkingCalendar
from domain.deadlines import ClockInterval, Credit, compute_deadline
from domain.durations import Duration
from domain.errors import NotFound
from services.kawal import Kawal
from services.queries.clock import ExplainedDeadline, explained

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _within_reach(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("is not a moment between the years 2000 and 2100")
    return moment


class DeadlineQuestion(BaseModel):
    """What a deadline is reckoned from. Without `started_at` it starts now."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    area_code: AreaOrNation
    started_at: Annotated[AwareDatetime, AfterValidator(_within_reach)] | None = None
    duration: Duration
    pauses: Annotated[tuple[ClockInterval, ...], Field(max_length=50)] = ()
    credits: Annotated[tuple[Credit, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _pauses_within_reach(self) -> DeadlineQuestion:
        for pause in self.pauses:
            _within_reach(pause.from_)
            if pause.to is not None:
                _within_reach(pause.to)
        return self


async def preview_deadline(kawal: Kawal, actor: Actor, question: DeadlineQuestion) -> ExplainedDeadline:
    """The deadline and its explanation. Raises NotFound for an area outside the actor's own."""
    now = kawal.now()
    if not actor.seats_over(question.area_code):
        raise NotFound("There is no such area for you.", pointer="/area_code")
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        calendar: WorkingCalendar = await kawal.rules.calendar(connection, question.area_code)
    deadline = compute_deadline(
        question.started_at or now,
        duration=question.duration,
        calendar=calendar,
        pauses=question.pauses,
        credits=question.credits,
        now=now,
    )
    return explained(deadline, now=now)
