"""What a task begins with: which of its clocks runs first, and the deadline that it opens with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.calendar import WorkingCalendar
from domain.clock_orders import ClockOrder, credits_of, pauses_of
from domain.deadlines import Credit, Deadline, compute_deadline
from domain.durations import Duration, WorkingDays
from domain.policy import Policy, StageRule
from domain.supervision import counts
from domain.vocabulary import CONFLICT_STAGES, EscalationCause, ReasonCode, Stage


def first_clock(policy: Policy, rule: StageRule, reason: ReasonCode | None) -> Duration:
    """Delivery has two clocks, the push and the answer; a repair has as long as its reason gives."""
    if rule.stage is Stage.DELIVERY:
        return policy.delivery.push_deadline
    if rule.stage is Stage.REPAIR and reason is not None:
        return policy.reason(reason).within or rule.deadline
    return rule.deadline


def opening_deadline(
    rule: StageRule,
    duration: Duration,
    *,
    remote_days: int,
    orders: Sequence[ClockOrder],
    calendar: WorkingCalendar,
    at: datetime,
    begins: datetime | None = None,
) -> Deadline:
    """The deadline of a task opened `at`, whose clock starts then or when it `begins`.

    With the credit of a remote village, `remote_days` on top of a deadline in working days, and what orders over the
    area do to it.
    """
    remote = [Credit(working_days=remote_days, cause="remote_area")] if remote_days else []
    outages = credits_of(orders, stage=rule.stage, opened_at=at, now=at)
    return compute_deadline(
        begins or at,
        duration=duration,
        calendar=calendar,
        pauses=[pause for pause in pauses_of(orders, stage=rule.stage, opened_at=at) if counts(pause, rule)],
        credits=(*(remote if isinstance(duration, WorkingDays) else ()), *outages),
        now=at,
    )


def cause_at_opening(stage: Stage, level: int) -> EscalationCause | None:
    """Why a task stands above the bottom of its ladder from the start: a conflict does, by one rung."""
    if level == int(stage in CONFLICT_STAGES):
        return EscalationCause.AUTHORITY_CONFLICT if level else None
    return EscalationCause.NO_ELIGIBLE_DECIDER
