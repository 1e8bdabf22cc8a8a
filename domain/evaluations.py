"""Evaluations: what is asked to be measured, over which area and time, and up to when its facts were known.

An evaluation is of a round, or of days of an area. It reads nothing that became known after its bound (`known_until`),
so that whoever measures the same again with the same bound finds the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.areas import AreaCode
from domain.calendar import ONE_DAY, WorkingCalendar
from domain.errors import Violation
from domain.text import IsoDate

LONGEST_DAYS: Final = 366
"""No evaluation is of more days."""
SETTLES_AFTER: Final = timedelta(seconds=30)
"""How long what was done before the bound may still be being written; measuring waits for it."""


class EvaluationCause(StrEnum):
    """Why something is measured: a round was closed, or an evaluator asked for it."""

    ROUND_CLOSED = "round_closed"
    REQUESTED = "requested"


class EvaluationRequest(BaseModel):
    """What an evaluator asks for: a round that was closed, or days of an area; and as it was known at which moment."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    area_code: AreaCode | None = Field(
        default=None, description="A regency, district or village; of a round, leave out"
    )
    round_id: UUID | None = Field(default=None, description="A round that was closed")
    begins: IsoDate | None = Field(default=None, description="The first day, in the time of the area")
    ends: IsoDate | None = Field(default=None, description="The last day, which has begun")
    known_until: AwareDatetime | None = Field(
        default=None, description="Leave out what became known later; to measure again what was measured before"
    )

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day. Raises ValueError where they were not named."""
        if self.begins is None or self.ends is None:
            raise ValueError("the days of an evaluation were not named")
        return self.begins, self.ends


class EvaluationSpan(BaseModel):
    """What is measured: from a moment on and before another, by facts known until a third, in UTC."""

    model_config = ConfigDict(frozen=True)

    begins_at: AwareDatetime
    ends_at: AwareDatetime
    known_until: AwareDatetime

    @classmethod
    def of_days(cls, days: tuple[date, date], *, known_until: datetime, calendar: WorkingCalendar) -> Self:
        """From the beginning of a day to the end of another, or to the bound where that comes first."""
        begins, ends = days
        ends_at = min(calendar.midnight(ends + ONE_DAY), known_until)
        return cls(begins_at=calendar.midnight(begins), ends_at=ends_at, known_until=known_until)


def check_request(request: EvaluationRequest, *, today: date, now: datetime) -> list[Violation]:
    """Everything wrong with what is asked for, but for whether there is such an area or round."""
    violations = list(_of_days(request, today) if request.round_id is None else _of_round(request))
    if request.known_until is not None and request.known_until > now:
        violations.append(
            _fault("/known_until", "bound_to_come", "That moment has not come.", "Leave it out, for all that is known.")
        )
    return violations


def _of_round(request: EvaluationRequest) -> Iterator[Violation]:
    for name in ("area_code", "begins", "ends"):
        if getattr(request, name) is not None:
            yield _fault(f"/{name}", "round_says_it", "The round has an area and days.", "Leave it out.")


def _of_days(request: EvaluationRequest, today: date) -> Iterator[Violation]:
    missing = [name for name in ("area_code", "begins", "ends") if getattr(request, name) is None]
    for name in missing:
        yield _fault(f"/{name}", "missing", "It is needed where no round is named.", "Name it, or a round.")
    if request.area_code is not None and "." not in request.area_code:
        yield _fault("/area_code", "area_too_wide", "A province has no calendar of its own.", "Name a regency.")
    if request.begins is None or request.ends is None:
        return
    if request.ends < request.begins:
        yield _fault("/ends", "ends_before_it_begins", f"{request.ends} is before {request.begins}.", "Swap them.")
    if request.ends > today:
        yield _fault("/ends", "day_to_come", f"{request.ends} has not come.", f"{today} at the latest.")
    if (request.ends - request.begins).days >= LONGEST_DAYS:
        detail = f"It would be of more than {LONGEST_DAYS} days."
        yield _fault("/begins", "evaluation_too_long", detail, "Evaluate fewer days.")


def _fault(pointer: str, code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer=pointer, code=code, detail=detail, remedy=remedy)
