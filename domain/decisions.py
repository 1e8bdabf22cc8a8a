"""What makes a decision complete: an outcome the stage has, a reason that fits it, the minutes where asked for."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import Violation
from domain.minutes import HeldMinutes
from domain.policy import Policy, StageRule
from domain.text import IsoDate, Note, ShortText
from domain.vocabulary import Outcome, ReasonCode


def _absent(value: object) -> bool:
    return value is None


class Minutes(BaseModel):
    """The minutes of a village deliberation (berita acara), or the SPTJM where none was held, by number and year.

    `id` is of the record, once a decision has been taken by it; there is none of before minutes were records.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal["musdes", "sptjm"]
    number: ShortText
    held_on: IsoDate
    attended: Annotated[tuple[ShortText, ...], Field(max_length=100)] = ()
    id: UUID | None = Field(default=None, exclude_if=_absent)


class MinutesById(BaseModel):
    """The same by the id of the record."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: UUID


class DecisionInput(BaseModel):
    """What an officer sends as a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    outcome: Outcome
    reason: ReasonCode | None = None
    note: Note | None = None
    minutes: Minutes | MinutesById | None = None


class OpinionInput(BaseModel):
    """What an office holds to be right in a conflict: what it advises, on which ground, in its own words."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    advises: Outcome
    reason: ReasonCode | None = None
    text: Note

    def decision(self) -> DecisionInput:
        """The same as the answer to the task of the stage."""
        return DecisionInput(outcome=self.advises, reason=self.reason, note=self.text)


_AFFIRMING = frozenset({Outcome.FORWARD, Outcome.OVERTURN})
"""What carries no reason: only a no does."""


def note_context(decision_id: UUID) -> str:
    """Where the sealed note of a decision belongs."""
    return f"decisions.note:{decision_id}"


def answer_note_context(answer_id: UUID) -> str:
    """Where the sealed note of an answer belongs."""
    return f"ministry_answers.note:{answer_id}"


def comment_context(comment_id: UUID) -> str:
    """Where the sealed text of a comment belongs."""
    return f"comments.text:{comment_id}"


def check_decision(
    decision: DecisionInput, *, rule: StageRule, policy: Policy, held: HeldMinutes | None = None
) -> list[Violation]:
    """Everything that keeps this decision from being taken in this stage; empty when nothing does.

    `held` is the record that the decision names, where it names one that the village has.
    """
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
    return check_reason(decision, policy=policy) + _check_minutes(decision, rule=rule, policy=policy, held=held)


def names_record(decision: DecisionInput, *, rule: StageRule, policy: Policy) -> bool:
    """Whether the decision is one by minutes, and the minutes have to be a record."""
    by_id = isinstance(decision.minutes, MinutesById)
    return rule.needs_minutes and decision.minutes is not None and (by_id or policy.minutes is not None)


def taken_by(decision: DecisionInput, held: HeldMinutes | None) -> Minutes | None:
    """What stands in a decision as what it was taken by: the record, or what was named of before there were any."""
    if held is not None:
        return Minutes(type=held.type.value, number=held.number, held_on=held.held_on, id=held.id)
    return None if isinstance(decision.minutes, MinutesById) else decision.minutes


def check_reason(decision: DecisionInput, *, policy: Policy) -> list[Violation]:
    """What keeps the reason from fitting the outcome."""
    if decision.outcome in _AFFIRMING:
        if decision.reason is None:
            return []
        detail = f"To {decision.outcome.value} carries no reason."
        return [_wrong_reason("reason_not_expected", detail, "Leave `reason` out.")]
    like = Outcome.REJECT if decision.outcome is Outcome.UPHOLD else decision.outcome
    fitting = [rule.code for rule in policy.reasons if rule.use.allows(like)]
    if decision.reason in fitting:
        return []
    what = "needs a coded reason" if decision.reason is None else f"cannot be for {decision.reason.value}"
    listed = ", ".join(sorted(code.value for code in fitting))
    return [_wrong_reason("reason_unfit", f"A {decision.outcome.value} {what}.", f"Choose one of: {listed}.")]


def _wrong_reason(code: str, detail: str, remedy: str) -> Violation:
    return Violation(pointer="/reason", code=code, detail=detail, remedy=remedy)


def _check_minutes(
    decision: DecisionInput, *, rule: StageRule, policy: Policy, held: HeldMinutes | None
) -> list[Violation]:
    if not rule.needs_minutes:
        return []
    if decision.minutes is None:
        return [] if decision.outcome is Outcome.RETURN else [_minutes_required()]
    if not names_record(decision, rule=rule, policy=policy):
        return []
    return _check_record(decision.outcome, held)


def _check_record(outcome: Outcome, held: HeldMinutes | None) -> list[Violation]:
    if held is None:
        return [_not_recorded()]
    if held.superseded_by is not None:
        return [
            Violation(
                pointer="/minutes",
                code="minutes_superseded",
                detail="These minutes have been corrected by another record.",
                remedy=f"Name {held.superseded_by}.",
            ),
        ]
    if held.covers_case:
        return []
    if held.outcome is None:
        return [
            Violation(
                pointer="/minutes",
                code="minutes_without_case",
                detail="The village did not speak about this case by these minutes.",
                remedy="Name minutes that list the case, or record those that do: POST /v1/minutes.",
            ),
        ]
    if held.outcome is not outcome:
        return [
            Violation(
                pointer="/outcome",
                code="minutes_say_otherwise",
                detail=f"By these minutes the village decided: {held.outcome.value}.",
                remedy="Decide as the village did; if the record is wrong, supersede it.",
            ),
        ]
    return []


def _not_recorded() -> Violation:
    return Violation(
        pointer="/minutes",
        code="minutes_not_recorded",
        detail="The village has recorded no such minutes.",
        remedy="Record them first, with the cases that they decide: POST /v1/minutes.",
    )


def _minutes_required() -> Violation:
    return Violation(
        pointer="/minutes",
        code="minutes_required",
        detail="The village decides by the minutes of a deliberation.",
        remedy="Record the minutes of the musdes, or the SPTJM of the village head where none was held: "
        "POST /v1/minutes.",
    )
