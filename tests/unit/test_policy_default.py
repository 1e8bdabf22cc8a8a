"""The default and the demonstration policy: what LIFECYCLE promises of them, their look-ups, their one JSON text."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta
from typing import Any

import pytest

from domain.durations import Elapsed, Share, WindowClose, WorkingDays
from domain.pauses import PauseCause
from domain.policy import Policy, Power, RungAction, canonical_json, default_policy, demo_policy, parse_policy
from domain.policy.canonical import pieces
from domain.provenance import Provenance
from domain.vocabulary import HUMAN_STAGES, Kind, Outcome, ReasonCode, Role, Stage, Strength
from tests.unit.policy_changes import as_json, changed, to

BOTH = pytest.mark.parametrize("policy", [default_policy(), demo_policy()], ids=lambda policy: policy.name)


def walk(policy: Policy, kind: Kind) -> list[Stage]:
    stages: list[Stage] = []
    stage = policy.next_stage(kind, None)
    while stage is not None:
        stages.append(stage)
        stage = policy.next_stage(kind, stage)
    return stages


@BOTH
def test_a_new_household_passes_all_stages_and_a_death_the_express_route(policy: Policy) -> None:
    assert walk(policy, Kind.NEW_HOUSEHOLD) == [Stage.IDENTITY_CHECK, *HUMAN_STAGES, Stage.DELIVERY]
    assert walk(policy, Kind.DEATH) == [
        Stage.IDENTITY_CHECK,
        Stage.VERIFICATION,
        Stage.APPROVAL,
        Stage.DELIVERY,
    ]


@BOTH
def test_every_kind_finds_a_route_every_stage_a_rule_and_every_code_a_reason(policy: Policy) -> None:
    assert {kind: policy.route_of(kind).name for kind in Kind} == {
        Kind.NEW_HOUSEHOLD: "standard",
        Kind.CIRCUMSTANCES: "standard",
        Kind.ADD_MEMBER: "standard",
        Kind.SPLIT_HOUSEHOLD: "standard",
        Kind.DEATH: "express",
        Kind.MOVE_OUT: "express",
        Kind.IDENTITY_CORRECTION: "express",
        Kind.MOVE_IN: "standard",
        Kind.GRADUATION: "standard",
        Kind.PROGRAMME_PROPOSAL: "standard",
        Kind.PBI_REACTIVATION: "standard",
        Kind.CHANGE_HEAD: "express",
        Kind.MERGE_DUPLICATES: "express",
        Kind.OBJECTION: "objection",
        Kind.SELF_WITHDRAWAL: "objection",
    }
    assert [policy.stage(stage, contested=Stage.APPROVAL).stage for stage in Stage] == list(Stage)
    assert [policy.reason(code).code for code in ReasonCode] == list(ReasonCode)


def test_looking_for_what_is_not_there_is_loud() -> None:
    policy = default_policy()

    with pytest.raises(LookupError, match="not on the route"):
        policy.next_stage(Kind.DEATH, Stage.DELIBERATION)
    with pytest.raises(LookupError, match="route for death"):
        changed(to("/routes/1/kinds", [])).route_of(Kind.DEATH)


@BOTH
@pytest.mark.parametrize("stage", [Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.REPAIR])
def test_silence_climbs_from_holder_to_supervisor_to_head_to_assistant(policy: Policy, stage: Stage) -> None:
    ladder = policy.stage(stage).ladder
    supervisor = Role.REGENCY_SUPERVISOR if stage is Stage.APPROVAL else Role.DISTRICT_SUPERVISOR

    assert [rung.to for rung in ladder] == [
        "holder",
        supervisor,
        Role.REGENCY_HEAD,
        Role.REGENCY_ASSISTANT,
    ]
    assert [rung.action for rung in ladder] == [RungAction.REMIND, *[RungAction.ESCALATE] * 3]
    assert [rung.after for rung in ladder[:2]] == [Share(share=0.5), Share(share=1.0)]
    assert [rung.notify for rung in ladder] == [(), (), (), (Role.EVALUATOR,)]


def test_default_rungs_past_the_deadline_come_after_two_and_three_working_days() -> None:
    ladder = default_policy().stage(Stage.VERIFICATION).ladder

    assert [rung.after for rung in ladder[2:]] == [WorkingDays(working_days=2), WorkingDays(working_days=3)]


@BOTH
def test_rungs_hand_over_the_decision_only_where_a_later_decider_remains(policy: Policy) -> None:
    deciding = {
        (rule.stage, rung.to)
        for rule in (*policy.stages, policy.repair)
        for rung in rule.ladder
        if Power.DECIDE in rung.grants
    }

    assert deciding == {
        (Stage.VERIFICATION, Role.DISTRICT_SUPERVISOR),
        (Stage.APPROVAL, Role.REGENCY_SUPERVISOR),
        (Stage.ENDORSEMENT, Role.REGENCY_ASSISTANT),
    }


def test_default_deadlines_are_those_of_the_lifecycle() -> None:
    policy = default_policy()

    assert [rule.deadline for rule in policy.stages] == [
        WorkingDays(working_days=5),
        WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3)),
        WorkingDays(working_days=5),
        WorkingDays(working_days=3),
    ]
    assert policy.repair.deadline == WorkingDays(working_days=5)
    assert policy.stage(Stage.IDENTITY_CHECK).deadline == policy.identity.patience == WorkingDays(working_days=3)
    assert policy.stage(Stage.DELIVERY).deadline == policy.delivery.answer_deadline == WorkingDays(working_days=10)
    assert policy.delivery.push_deadline == WorkingDays(working_days=1)


def test_the_demonstration_waits_for_nothing_longer_than_a_minute() -> None:
    demo = demo_policy(area_code="32.06")
    waits = [
        piece
        for pointer, piece in pieces(demo)
        if isinstance(piece, WorkingDays | Elapsed | WindowClose)
        and pointer not in {"/publication/emergency", "/appeals/within", "/lapse/reopen_within"}
    ]

    assert waits
    assert all(isinstance(wait, Elapsed) and wait.elapsed <= timedelta(seconds=60) for wait in waits)
    assert demo.area_code == "32.06"


def test_the_demonstration_sends_nobody_to_the_field_by_lot() -> None:
    demo, default = demo_policy().ground_checks, default_policy().ground_checks

    assert demo is not None
    assert default is not None
    assert demo.at_random == ()
    assert default.at_random != ()
    assert demo.by_kind == default.by_kind


def test_only_a_registry_that_stays_down_lets_anybody_forward_an_unchecked_case() -> None:
    rule = default_policy().stage(Stage.IDENTITY_CHECK)
    (waiver,) = rule.ladder

    assert rule.deciders == ()
    assert rule.outcomes == {Outcome.FORWARD}
    assert (waiver.after, waiver.to) == (Share(share=1.0), Role.REGENCY_SUPERVISOR)
    assert Power.DECIDE in waiver.grants


def test_the_patience_with_a_registry_runs_while_it_is_down_and_other_clocks_stand() -> None:
    policy = default_policy()
    down = PauseCause.CIVIL_REGISTRY_UNAVAILABLE

    assert down not in policy.stage(Stage.IDENTITY_CHECK).pauses
    assert all(down in rule.pauses for rule in policy.stages)


def test_only_a_remote_village_gets_more_time() -> None:
    policy = default_policy()

    assert [policy.remoteness_credit(remoteness) for remoteness in (0, 1, 2, 3)] == [0, 2, 5, 0]


@BOTH
def test_nothing_in_the_policies_claims_to_be_law_but_what_the_law_says(policy: Policy) -> None:
    claims = {piece.source for _, piece in pieces(policy) if isinstance(piece, Provenance) and _is_law(piece)}

    assert all(source.startswith("UU 13/2011: verification at least every two years") for source in claims)


def _is_law(piece: Provenance) -> bool:
    return piece.strength is Strength.NATIONAL


@BOTH
def test_a_policy_survives_its_json_and_has_one_text(policy: Policy) -> None:
    again = parse_policy(as_json(policy))

    assert again == policy
    assert canonical_json(again) == canonical_json(policy)


def test_the_order_in_which_sets_and_keys_are_written_does_not_change_the_text() -> None:
    shuffled = _shuffled(as_json(default_policy()), dice=random.Random(7))  # noqa: S311  no secret

    assert canonical_json(parse_policy(shuffled)) == canonical_json(default_policy())


def test_a_changed_day_changes_the_hash() -> None:
    longer = changed(to("/stages/0/deadline/working_days", 6))

    assert _hash(longer) != _hash(default_policy())


def _shuffled(value: Any, *, dice: random.Random) -> Any:
    """The same policy written otherwise: keys in another order, and so the members of its sets."""
    if isinstance(value, list):
        return [_shuffled(item, dice=dice) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return value
    fields: list[tuple[str, Any]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]
    dice.shuffle(fields)
    sets = {"kinds", "outcomes", "grants", "pauses"}
    return {key: dice.sample(item, len(item)) if key in sets else _shuffled(item, dice=dice) for key, item in fields}


def _hash(policy: Policy) -> str:
    return hashlib.sha256(canonical_json(policy).encode()).hexdigest()
