"""What makes a decision complete: an outcome the stage has, a reason that fits it, the minutes where asked for."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Violation
from domain.policy import Policy, StageRule
from domain.text import IsoDate, Note, ShortText
from domain.vocabulary import Outcome, ReasonCode


class Minutes(BaseModel):
    """A reference to the minutes of a village deliberation (berita acara), or to the SPTJM where none was held."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal["musdes", "sptjm"]
    number: ShortText
    held_on: IsoDate
    attended: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()


class DecisionInput(BaseModel):
    """What an officer sends as a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    outcome: Outcome
    reason: ReasonCode | None = None
    note: Note | None = None
    minutes: Minutes | None = None


def note_context(decision_id: UUID) -> str:
    """Where the sealed note of a decision belongs."""
    return f"decisions.note:{decision_id}"


def answer_note_context(answer_id: UUID) -> str:
    """Where the sealed note of an answer belongs."""
    return f"ministry_answers.note:{answer_id}"


def comment_context(comment_id: UUID) -> str:
    """Where the sealed text of a comment belongs."""
    return f"comments.text:{comment_id}"


def check_decision(decision: DecisionInput, *, rule: StageRule, policy: Policy) -> list[Violation]:
    """Everything that keeps this decision from being taken in this stage; empty when nothing does."""
    if decision.outcome not in rule.outcomes:
        offered = ", ".join(sorted(outcome.value for outcome in rule.outcomes)) or "none"
        return [
            Violation(
                pointer="/outcome",
                code="outcome_not_offered",
                detail=f"The stage {rule.stage.value} does not know this outcome.",
                remedy=f"Choose one of: {offered}.",
            ),
        ]
    return _check_reason(decision, policy=policy) + _check_minutes(decision, rule=rule)


def _check_reason(decision: DecisionInput, *, policy: Policy) -> list[Violation]:
    if decision.outcome is Outcome.FORWARD:
        if decision.reason is None:
            return []
        return [_wrong_reason("reason_not_expected", "A forward carries no reason.", "Leave `reason` out.")]
    fitting = [rule.code for rule in policy.reasons if rule.use.allows(decision.outcome)]
    if decision.reason in fitting:
        return []
    what = "needs a coded reason" if decision.reason is None else f"cannot be for {decision.reason.value}"
    listed = ", ".join(sorted(code.value for code in fitting))
    return [_wrong_reason("reason_unfit", f"A {decision.outcome.value} {what}.", f"Choose one of: {listed}.")]


def _wrong_reason(code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer="/reason", code=code, detail=detail, remedy=remedy)


def _check_minutes(decision: DecisionInput, *, rule: StageRule) -> list[Violation]:
    if not rule.needs_minutes or decision.outcome is Outcome.RETURN or decision.minutes is not None:
        return []
    return [
        Violation(
            pointer="/minutes",
            code="minutes_required",
            detail="The village decides by the minutes of a deliberation.",
            remedy="Name the minutes of the musdes, or the SPTJM of the village head where none was held.",
        ),
    ]
