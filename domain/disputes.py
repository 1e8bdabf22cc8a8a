"""When a no becomes a conflict, and what an appeal against a rejection begins with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.calendar import WorkingCalendar
from domain.deadlines import Deadline, compute_deadline
from domain.errors import AppealTooLate, NotAppealable
from domain.evidence import EvidenceRef
from domain.lifecycle import Position
from domain.policy import AppealsRule, AppealTier, Dispute, Policy
from domain.text import Note
from domain.vocabulary import (
    AppealGround,
    Outcome,
    ReasonCode,
    Role,
    Stage,
    Status,
)


class AppealInput(BaseModel):
    """An appeal: why the rejection is held to be wrong, in one code and in words, and what papers show it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ground: AppealGround
    text: Note
    evidence: Annotated[tuple[EvidenceRef, ...], Field(max_length=20)] = ()


class Answer(NamedTuple):
    """What an officer has answered in a stage of the case before."""

    stage: Stage
    outcome: Outcome
    reason: ReasonCode | None


def is_substantive(reason: ReasonCode | None, policy: Policy) -> bool:
    """Whether the reason is about the household itself: a blurred photo is not."""
    return reason is not None and policy.reason(reason).substantive


def may_open_conflict(position: Position, answer: Answer, policy: Policy) -> bool:
    """Whether this answer could open a conflict, before it is known what was answered before."""
    conflicts = policy.conflicts
    if conflicts is None or not conflicts.enabled or position.is_appeal:
        return False
    no = answer.outcome in {Outcome.RETURN, Outcome.REJECT} and is_substantive(answer.reason, policy)
    return no and any(answer.stage in dispute.objecting for dispute in conflicts.disputes)


def conflict_opened(
    position: Position,
    answer: Answer,
    *,
    role: Role,
    before: Iterable[Answer],
    policy: Policy,
) -> Dispute | None:
    """The conflict that the answer of a `role` opens; None where it stands.

    `before` are the answers that officers gave in the case, without those of the system. A case has one conflict:
    what was decided in it binds. Whoever would decide it and has answered themselves leaves nobody to ask.
    """
    if policy.conflicts is None or not may_open_conflict(position, answer, policy):
        return None
    given = list(before)
    dispute = policy.conflicts.dispute_about(answer.stage)
    if role is dispute.decider or any(each.stage is Stage.CONFLICT for each in given):
        return None
    if answer.outcome is Outcome.REJECT:
        opens = dispute.on_rejection and bool(dispute.after & position.settled)
    else:
        returns = [each for each in given if each.outcome is Outcome.RETURN and is_substantive(each.reason, policy)]
        opens = dispute.return_count is not None and len(returns) + 1 >= dispute.return_count
    return dispute if opens else None


def last_moment_to_appeal(rule: AppealsRule, rejected_at: datetime, *, calendar: WorkingCalendar) -> Deadline:
    """Until when a rejection can be appealed, explained."""
    return compute_deadline(rejected_at, duration=rule.within, calendar=calendar)


def require_in_time(deadline: Deadline, *, at: datetime, last_day: str) -> None:
    """Raise AppealTooLate past the deadline; at it there is still time."""
    if at > deadline.due_at:
        raise AppealTooLate(
            f"The last day to appeal was {last_day}.",
            data={
                "last_day": last_day,
                "due_at": deadline.due_at.isoformat(),
                "explanation": {"id": deadline.sentence("id"), "en": deadline.sentence("en")},
            },
        )


def contested_by_appeal(position: Position, *, rejected_in: Stage) -> Stage:
    """The stage whose no is appealed against: where a conflict was decided, the one that it was about.

    Raises NotAppealable for a case that was not rejected, and for an appeal.
    """
    if position.is_appeal:
        raise NotAppealable("This is an appeal itself; what it has decided is final here.")
    if position.status is not Status.REJECTED:
        raise NotAppealable(f"The case is {position.status.value}; only a rejection can be appealed.")
    if rejected_in is Stage.CONFLICT and position.contested is not None:
        return position.contested
    return rejected_in


def settled_by_appeal(position: Position, tier: AppealTier, *, contested: Stage) -> frozenset[Stage]:
    """The stages that are not asked again once an appeal is granted.

    Those that have answered, the one whose no it overturns, and all before the stage from which the tier has it go on.
    Delivery alone is done again: an overturned no of the Ministry is brought before the Ministry once more.
    """
    order = list(Stage)
    passed = {stage for stage in position.route if order.index(stage) < order.index(tier.resumes_at)}
    return (position.settled | passed | {contested}) - {Stage.DELIVERY}
