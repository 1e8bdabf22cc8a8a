"""Separation of duties can always be kept: no policy lets an earlier decision strand a later stage."""

from __future__ import annotations

from domain.policy import check_policy
from domain.policy.separation_rules import no_rung_leaves_a_later_stage_without_a_decider as rule
from tests.unit.policy_changes import Change, append, changed, rung, to

MANAGE_ONLY = to("/stages/3/ladder/2/grants", ["manage"])
"""Endorsement is left to the head of office alone."""


ROUTES_ALONE = (to("/conflicts", None), to("/appeals", None))
"""No no is disputed: a case meets the stages of its route and no others."""


def pointers(*changes: Change) -> list[str]:
    return [violation.pointer for violation in rule(changed(*changes, *ROUTES_ALONE))]


def test_a_rung_that_uses_up_the_only_endorser_is_refused_wherever_it_stands_before() -> None:
    on_verification = to("/stages/0/ladder/2/grants", ["decide"])
    on_approval = to("/stages/2/ladder/2/grants", ["decide"])

    assert pointers(on_verification, MANAGE_ONLY) == ["/stages/0/ladder/2"]
    assert pointers(on_approval, MANAGE_ONLY) == ["/stages/2/ladder/2"]


def test_the_same_rung_is_allowed_while_another_role_may_endorse() -> None:
    assert pointers(to("/stages/2/ladder/2/grants", ["decide"])) == []


def test_two_rungs_that_use_up_both_endorsers_are_both_blamed() -> None:
    head_and_assistant = (
        to("/stages/0/ladder/3/grants", ["decide"]),
        to("/stages/2/ladder/2/grants", ["decide"]),
    )

    assert pointers(*head_and_assistant) == ["/stages/2/ladder/2", "/stages/0/ladder/3"]


def test_a_regular_decider_of_an_earlier_stage_is_used_up_too() -> None:
    found = list(rule(changed(to("/stages/2/deciders", ["regency_head"]), MANAGE_ONLY, *ROUTES_ALONE)))

    assert [violation.pointer for violation in found] == ["/stages/2/deciders/0"]
    assert "approval or endorsement" in found[0].remedy


def test_a_role_that_many_hold_is_never_used_up() -> None:
    same_role = to("/stages/3/deciders", ["regency_supervisor"])

    assert pointers(same_role, to("/stages/3/ladder/1/to", "regency_verifier"), MANAGE_ONLY) == []


def test_whoever_waives_the_identity_check_has_decided() -> None:
    assert pointers(to("/identity/waiver_role", "regency_head"), MANAGE_ONLY) == ["/identity/waiver_role"]


def test_a_rung_that_only_manages_uses_nobody_up() -> None:
    assert pointers(to("/stages/2/ladder/2/grants", ["manage"]), MANAGE_ONLY) == []


def test_a_grant_is_fine_on_a_route_where_the_stage_is_the_last() -> None:
    no_endorsement = to("/routes/0/stages", ["verification", "deliberation", "approval", "delivery"])

    assert pointers(to("/stages/2/ladder/2/grants", ["decide"]), no_endorsement, MANAGE_ONLY) == []


def test_one_fault_that_two_routes_share_is_reported_once() -> None:
    both_endorse = to("/routes/1/stages", ["verification", "approval", "endorsement", "delivery"])

    assert pointers(to("/stages/2/ladder/2/grants", ["decide"]), both_endorse, MANAGE_ONLY) == ["/stages/2/ladder/2"]


def test_a_later_rung_that_lets_a_fresh_role_decide_mends_the_policy() -> None:
    used_up = to("/stages/2/ladder/2/grants", ["decide"])
    fresh = to("/stages/3/ladder/2", rung("subdistrict_head", grants=["decide"]))

    assert check_policy(changed(used_up, fresh, *ROUTES_ALONE)) == []


def test_whoever_decides_a_conflict_is_used_up_for_what_follows() -> None:
    found = list(rule(changed(MANAGE_ONLY, to("/conflicts/disputes/0/ladder/1/grants", ["decide"]))))
    assert found == []

    by_the_head = to("/conflicts/disputes/0/ladder/1", rung("regency_head", grants=["decide"], days=2))

    assert [v.pointer for v in rule(changed(MANAGE_ONLY, by_the_head))] == ["/conflicts/disputes/0/ladder/1"]


def test_whoever_hears_an_appeal_is_used_up_for_what_follows() -> None:
    by_the_head = append("/appeals/tiers/1/ladder", rung("regency_head", grants=["decide"]))

    assert {v.pointer for v in rule(changed(by_the_head))} == {"/appeals/tiers/1/ladder/2"}


def test_an_appeal_that_goes_on_past_endorsement_needs_nobody_for_it() -> None:
    by_the_head = append("/appeals/tiers/1/ladder", rung("regency_head", grants=["decide"]))

    assert list(rule(changed(by_the_head, to("/appeals/tiers/1/resumes_at", "delivery")))) == []
