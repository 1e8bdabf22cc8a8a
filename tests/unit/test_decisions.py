"""What makes a decision complete."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain.decisions import DecisionInput, Minutes, check_decision
from domain.ladder import stage_rule
from domain.policy import Policy, default_policy
from domain.vocabulary import HUMAN_STAGES, Outcome, ReasonCode, Stage

POLICY = default_policy()
MINUTES = Minutes(type="musdes", number="141/BA/2026", held_on=date(2026, 3, 4))


def codes(decision: DecisionInput, *, stage: Stage = Stage.VERIFICATION, policy: Policy = POLICY) -> list[str]:
    return [v.code for v in check_decision(decision, rule=stage_rule(policy, stage, settled=()), policy=policy)]


@pytest.mark.parametrize("stage", HUMAN_STAGES)
def test_forward_needs_no_reason_and_takes_none(stage: Stage) -> None:
    assert codes(DecisionInput(outcome=Outcome.FORWARD, minutes=MINUTES), stage=stage) == []
    with_reason = DecisionInput(outcome=Outcome.FORWARD, reason=ReasonCode.QUOTA, minutes=MINUTES)
    assert codes(with_reason, stage=stage) == ["reason_not_expected"]


@pytest.mark.parametrize("outcome", [Outcome.RETURN, Outcome.REJECT])
@pytest.mark.parametrize("reason", ReasonCode)
def test_reason_has_to_be_one_that_the_policy_allows_for_the_outcome(outcome: Outcome, reason: ReasonCode) -> None:
    allowed = POLICY.reason(reason).use.allows(outcome)
    assert codes(DecisionInput(outcome=outcome, reason=reason)) == ([] if allowed else ["reason_unfit"])


@pytest.mark.parametrize("outcome", [Outcome.RETURN, Outcome.REJECT])
def test_return_and_reject_need_a_reason_and_name_those_there_are(outcome: Outcome) -> None:
    rule = POLICY.stage(Stage.VERIFICATION)
    (violation,) = check_decision(DecisionInput(outcome=outcome), rule=rule, policy=POLICY)
    assert violation.code == "reason_unfit"
    assert violation.pointer == "/reason"
    assert any(code in violation.remedy for code in ReasonCode)


@pytest.mark.parametrize(
    ("outcome", "reason", "missing"),
    [
        (Outcome.FORWARD, None, True),
        (Outcome.REJECT, ReasonCode.NOT_ELIGIBLE_MEANS, True),
        (Outcome.RETURN, ReasonCode.INCOMPLETE_DOCUMENTS, False),
    ],
)
def test_village_decides_by_minutes_and_returns_without(
    outcome: Outcome,
    reason: ReasonCode | None,
    missing: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    decision = DecisionInput(outcome=outcome, reason=reason)
    assert codes(decision, stage=Stage.DELIBERATION) == (["minutes_required"] if missing else [])
    assert codes(decision.model_copy(update={"minutes": MINUTES}), stage=Stage.DELIBERATION) == []
    assert codes(decision) == []


def test_everything_that_is_wrong_is_named_at_once() -> None:
    assert codes(DecisionInput(outcome=Outcome.REJECT), stage=Stage.DELIBERATION) == [
        "reason_unfit",
        "minutes_required",
    ]


def test_identity_check_is_only_ever_waived_and_a_repair_never_decided() -> None:
    returning = DecisionInput(outcome=Outcome.RETURN, reason=ReasonCode.IDENTITY_MISMATCH)
    assert codes(DecisionInput(outcome=Outcome.FORWARD), stage=Stage.IDENTITY_CHECK) == []
    assert codes(returning, stage=Stage.IDENTITY_CHECK) == ["outcome_not_offered"]
    for outcome in Outcome:
        assert codes(DecisionInput(outcome=outcome), stage=Stage.REPAIR) == ["outcome_not_offered"]


def test_note_and_content_are_not_quoted_by_a_validation_error() -> None:
    with pytest.raises(ValidationError) as refused:
        DecisionInput.model_validate({"outcome": "forward", "note": "3206135708850001", "nik": "3206135708850001"})
    assert "3206135708850001" not in str(refused.value)
