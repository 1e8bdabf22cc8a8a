"""Waiting for a paper of another office: while a returned case waits for one, its repair stands, for a bounded time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.authority import Actor, Grant, Permission, Seat
from domain.bounded_pauses import stands_until
from domain.calendar import WorkingCalendar
from domain.errors import Forbidden, NotPossibleNow
from domain.evidence import EvidenceType
from domain.pauses import ClockInterval, PauseCause
from domain.policy import StageRule
from domain.policy.waits import DocumentWaitRule
from domain.supervision import managing_seat
from domain.vocabulary import DocumentWaitReason, PeerOffice


class DocumentWaitEnd(StrEnum):
    """Why a repair waits for a paper no longer."""

    ATTACHED = "attached"
    GIVEN_UP = "given_up"
    RAN_OUT = "ran_out"
    MOVED_ON = "moved_on"


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DocumentWaitInput(_Input):
    """Which paper the repair waits for, which office is to give it, and why it is not there."""

    document: EvidenceType
    office: PeerOffice
    reason: DocumentWaitReason


class DocumentWaitEndInput(_Input):
    """The paper has come, as an uploaded file; without one, the repair goes on without the paper."""

    evidence_id: UUID | None = None


def ending_seat(actor: Actor, *, area_code: str, rule: StageRule, grants: Collection[Grant]) -> Seat:
    """The seat in which `actor` lets a repair go on: of whoever mends, or of who manages the repair.

    Raises NotFound, Forbidden.
    """
    try:
        return actor.seat_for(Permission.UPDATES_REPAIR, area_code=area_code)
    except Forbidden:
        return managing_seat(actor, area_code=area_code, rule=rule, grants=grants)


def waits_until(
    rule: DocumentWaitRule | None,
    *,
    at: datetime,
    pauses: Sequence[ClockInterval],
    calendar: WorkingCalendar,
) -> datetime:
    """Until when a repair with these pauses may wait from `at` on: the longest wait less what it has waited before.

    Raises NotPossibleNow where the policy lets nothing wait, and where all of its time has been waited.
    """
    if rule is None:
        raise NotPossibleNow("The policy of the case gives no time to wait for a paper.")
    cause = PauseCause.WAITING_DOCUMENT
    until = stands_until(rule.longest, at=at, cause=cause, pauses=pauses, calendar=calendar)
    if until <= at:
        raise NotPossibleNow(
            "The repair has waited for papers as long as the policy allows.",
            remedy="Send the case in again without the paper, or ask the supervisor for an extension.",
        )
    return until
