"""What makes a decision complete."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.decisions import DecisionInput, Minutes, MinutesById, check_decision, taken_by
from domain.ladder import stage_rule
from domain.minutes import HeldMinutes
from domain.policy import Policy, default_policy
from domain.vocabulary import HUMAN_STAGES, MinutesType, Outcome, ReasonCode, Stage

POLICY = default_policy()
MINUTES = Minutes(type="musdes", number="141/BA/2026", held_on=date(2026, 3, 4))


HELD = HeldMinutes(
    id=UUID(int=1),
    type=MinutesType.MUSDES,
    number=MINUTES.number,
    held_on=MINUTES.held_on,
    superseded_by=None,
    covers_case=True,
    outcome=None,
)


def codes(
    decision: DecisionInput,
    *,
    stage: Stage = Stage.VERIFICATION,
    policy: Policy = POLICY,
    held: HeldMinutes | None = HELD,
) -> list[str]:
    rule = stage_rule(policy, stage, settled=())
    return [v.code for v in check_decision(decision, rule=rule, policy=policy, held=held)]


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


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (None, "minutes_not_recorded"),
        (HELD, None),
        (HELD._replace(covers_case=False), "minutes_without_case"),
        (HELD._replace(covers_case=False, outcome=Outcome.FORWARD), None),
        (HELD._replace(covers_case=False, outcome=Outcome.RETURN), "minutes_say_otherwise"),
        (HELD._replace(superseded_by=UUID(int=2)), "minutes_superseded"),
    ],
)
@pytest.mark.parametrize("minutes", [MINUTES, MinutesById(id=HELD.id)])
def test_minutes_have_to_be_a_record_that_decides_the_case_as_the_village_did(
    held: HeldMinutes | None, fault: str | None, minutes: Minutes | MinutesById
) -> None:
    decision = DecisionInput(outcome=Outcome.FORWARD, minutes=minutes)
    assert codes(decision, stage=Stage.DELIBERATION, held=held) == ([] if fault is None else [fault])
    assert codes(decision, stage=Stage.APPROVAL, held=held) == [], "no other stage is decided by minutes"


def test_policy_of_before_minutes_were_records_takes_their_number_alone() -> None:
    older = POLICY.model_copy(update={"minutes": None})
    by_number = DecisionInput(outcome=Outcome.FORWARD, minutes=MINUTES)
    by_id = DecisionInput(outcome=Outcome.FORWARD, minutes=MinutesById(id=HELD.id))
    assert codes(by_number, stage=Stage.DELIBERATION, policy=older, held=None) == []
    assert codes(by_id, stage=Stage.DELIBERATION, policy=older, held=None) == ["minutes_not_recorded"]
    assert taken_by(by_number, None) == MINUTES
    assert taken_by(by_id, HELD) == MINUTES.model_copy(update={"id": HELD.id})


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
