"""Managing an open task: who may, what they may order, and the clock that is reckoned anew when they move it.

The rungs of a ladder give power over a task one after the other. Whom its first escalation names is the supervisor of
the tier, and may manage the task from the beginning: a deadline is extended before it has passed, and a task reassigned
before anybody has waited for it in vain. To decide takes the rung itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.authority import Actor, Grant, Involvement, Permission, Seat, deciding_seat
from domain.calendar import WorkingCalendar
from domain.deadlines import ClockInterval, Credit, Deadline, PauseCause, compute_deadline
from domain.errors import Forbidden, InvalidInput, NotFound, NotPossibleNow, Violation
from domain.ladder import next_escalation, next_milestone_at, rung_times
from domain.policy import ExtensionLimit, Power, StageRule
from domain.vocabulary import Role, Stage

EXTENSION: Literal["extension"] = "extension"
_ALWAYS_COUNT = frozenset({PauseCause.RECORDED_OUTAGE, PauseCause.GROUND_CHECK})
"""An outage, and what somebody else does for the stage in the field, are made up for."""


class ExtensionReason(StrEnum):
    """Why a task may take longer."""

    HARD_TO_REACH = "hard_to_reach"
    BAD_WEATHER = "bad_weather"
    STAFF_ABSENT = "staff_absent"
    OTHER_OFFICE = "other_office"
    WORKLOAD = "workload"


class ManualCause(StrEnum):
    """Why somebody does not wait for the next rung."""

    URGENT_NEED = "urgent_need"
    HOLDER_SILENT = "holder_silent"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    BEYOND_AUTHORITY = "beyond_authority"


class _Order(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ReassignmentInput(_Order):
    """Who is to hold the task: somebody who may decide it."""

    to: UUID


class ExtensionInput(_Order):
    """How many working days more, within what the policy allows, and why."""

    working_days: Annotated[int, Field(ge=1, le=250)]
    reason: ExtensionReason


class EscalationInput(_Order):
    """Why the case is to climb now."""

    reason: ManualCause


class CorrectionReason(StrEnum):
    """Why a case is sent back by hand, against its ordinary way."""

    WRONGLY_DECIDED = "wrongly_decided"
    WRONG_PERSON = "wrong_person"
    STUCK = "stuck"
    COURT_OR_INSPECTION = "court_or_inspection"


class CorrectionInput(_Order):
    """To which stage, and why."""

    to: Stage
    reason: CorrectionReason


class Clock(NamedTuple):
    """When a task is due, and when it is to be looked at next; None past the last rung."""

    deadline: Deadline
    next_rung_at: datetime | None


def working_seat(
    actor: Actor,
    *,
    area_code: str,
    stage: Stage,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
) -> Seat:
    """The seat in which `actor` may do the work of a task: a repair is the operator's, whoever submitted.

    Raises as `deciding_seat` does.
    """
    if stage is Stage.REPAIR:
        return actor.seat_for(Permission.UPDATES_REPAIR, area_code=area_code)
    return deciding_seat(actor, area_code=area_code, stage=stage, grants=grants, involvements=involvements)


def managing_roles(rule: StageRule, grants: Collection[Grant]) -> frozenset[Role]:
    """The roles that may manage the task: by a rung that has fired, or as the supervisor of its tier."""
    first = next_escalation(rule.ladder, fired=())
    supervisor = () if first is None else (Role(rule.ladder[first].to),)
    return frozenset({grant.role for grant in grants if grant.power is Power.MANAGE} | {*supervisor})


def managing_seat(actor: Actor, *, area_code: str, rule: StageRule, grants: Collection[Grant]) -> Seat:
    """The seat in which `actor` may manage a task of this stage.

    Raises NotFound outside the actor's areas, Forbidden when none of their roles manages it.
    """
    within = actor.seats_over(area_code)
    if not within:
        raise NotFound("There is no such task for you.")
    roles = managing_roles(rule, grants)
    seat = next((seat for seat in within if seat.role in roles and not seat.on_leave), None)
    if seat is None:
        named = ", ".join(sorted(roles)) or "nobody"
        raise Forbidden(f"This task is managed by: {named}.", data={"managers": sorted(roles)})
    return seat


def escalating_seat(
    actor: Actor,
    *,
    area_code: str,
    rule: StageRule,
    grants: Sequence[Grant],
    involvements: Sequence[Involvement],
    fired: Collection[int],
) -> Seat:
    """The seat in which `actor` may have the next rung fire now: who manages the task, or could do its work.

    Raises as `managing_seat` does, and NotPossibleNow past the last rung.
    """
    try:
        seat = managing_seat(actor, area_code=area_code, rule=rule, grants=grants)
    except Forbidden:
        seat = working_seat(actor, area_code=area_code, stage=rule.stage, grants=grants, involvements=involvements)
    if next_escalation(rule.ladder, fired=fired) is None:
        raise NotPossibleNow("The last rung of the ladder has fired; nobody is above it.")
    return seat


def extensions_left(deadline: Deadline, *, limit: ExtensionLimit) -> int:
    """How often the deadline may still be extended."""
    return limit.times - sum(credit.cause == EXTENSION for credit in deadline.credits)


def extended(deadline: Deadline, order: ExtensionInput, *, limit: ExtensionLimit) -> tuple[Credit, ...]:
    """The credits of the deadline with the extension beside them.

    Raises InvalidInput for more days than the policy gives at once, NotPossibleNow past the last extension.
    """
    if order.working_days > limit.working_days:
        raise InvalidInput(
            [
                Violation(
                    pointer="/working_days",
                    code="extension_too_long",
                    detail=f"The policy extends a deadline by {limit.working_days} working days at most.",
                    remedy=f"Ask for no more than {limit.working_days}.",
                ),
            ],
        )
    if extensions_left(deadline, limit=limit) < 1:
        raise NotPossibleNow(
            f"The policy allows no more than {limit.times} extensions of a deadline.",
            remedy="Have the task decided, or reassign it.",
        )
    return (*deadline.credits, Credit(working_days=order.working_days, cause=EXTENSION, note=order.reason.value))


def counts(pause: ClockInterval, rule: StageRule) -> bool:
    """Whether the clock of this stage stands for the pause: some do whatever a policy says."""
    return pause.cause in _ALWAYS_COUNT or pause.cause in rule.pauses


def _by_calendar(before: Deadline, after: Deadline) -> bool:
    """Whether the days that were not counted are others, since another calendar or another round says so."""
    known = (before.calendar_area or after.calendar_area, before.calendar_version)
    if known == (after.calendar_area, after.calendar_version) and before.window == after.window:
        return False
    same_time = (before.credits, before.paused_days) == (after.credits, after.paused_days)
    return same_time and before.due_at != after.due_at


def reckoned_anew(
    deadline: Deadline,
    *,
    rule: StageRule,
    calendar: WorkingCalendar,
    pauses: Sequence[ClockInterval],
    fired: Collection[int],
    now: datetime,
    credits: Sequence[Credit] | None = None,  # noqa: A002 - as in `compute_deadline`
) -> Clock:
    """The clock of a task by what is known now: its pauses, its credits (as they were, unless given), the calendar.

    Of the pauses only those count for which the clock of this stage stands.
    """
    due = compute_deadline(
        deadline.started_at,
        duration=deadline.duration,
        calendar=calendar,
        pauses=[pause for pause in pauses if counts(pause, rule)],
        credits=deadline.credits if credits is None else credits,
        now=now,
    )
    due = due.model_copy(update={"moved_by_calendar": deadline.moved_by_calendar or _by_calendar(deadline, due)})
    return Clock(due, next_milestone_at(rule, due, rung_times(rule.ladder, due, calendar=calendar), fired=fired))
