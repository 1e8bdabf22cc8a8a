"""Every rule about policies, broken once: the policy is refused at the right place, with a code and a remedy."""

from __future__ import annotations

import pytest

from domain.authority import PERMISSIONS, Permission
from domain.policy import RULES, Policy, check_policy, default_policy, demo_policy
from domain.policy.stage_rules import ACTING_ROLES, DECIDING_ROLES
from domain.policy.validation import sentence
from tests.unit.policy_breaches import BREACHES, Breach
from tests.unit.policy_changes import changed, to
from tests.unit.round_breaches import ROUND_BREACHES
from tests.unit.wait_breaches import WAIT_BREACHES

ALL_BREACHES = [*BREACHES, *WAIT_BREACHES, *ROUND_BREACHES]


@pytest.mark.parametrize("breach", ALL_BREACHES, ids=lambda breach: f"{breach.rule}:{breach.code}{breach.pointer}")
def test_broken_rule_is_reported_at_its_place_with_a_remedy(breach: Breach) -> None:
    rule = next(rule for rule in RULES if rule.__name__ == breach.rule)

    found = list(rule(changed(breach.change)))

    assert (breach.pointer, breach.code) in {(v.pointer, v.code) for v in found}
    assert all(v.detail.endswith(".") and v.remedy.endswith(".") for v in found)
    assert set(found) <= set(check_policy(changed(breach.change)))


def test_every_rule_is_broken_by_an_example() -> None:
    assert {breach.rule for breach in ALL_BREACHES} == {rule.__name__ for rule in RULES}


def test_every_rule_says_its_reason() -> None:
    assert all(rule.__doc__ for rule in RULES)
    assert sentence(RULES[0]) == "Every kind has exactly one route."


@pytest.mark.parametrize("policy", [default_policy(), demo_policy(area_code="32.06")], ids=lambda p: p.name)
def test_policies_that_come_with_kawal_break_no_rule(policy: Policy) -> None:
    assert check_policy(policy) == []


def test_roles_that_act_may_work_on_tasks() -> None:
    working = {role for role, permissions in PERMISSIONS.items() if Permission.TASKS_WORK in permissions}

    assert working >= ACTING_ROLES > DECIDING_ROLES


def test_without_a_ministry_routes_may_end_without_delivery_and_nobody_follows_it_up() -> None:
    policy = changed(
        to("/delivery/ministry", value=False),
        to("/delivery/ladder", []),
        to("/routes/1/stages", ["identity_check", "verification", "approval"]),
    )

    assert check_policy(policy) == []


def test_a_rung_may_come_one_working_day_after_the_deadline_instead_of_at_it() -> None:
    assert check_policy(changed(to("/stages/0/ladder/1/after", {"working_days": 1}))) == []


def test_several_faults_are_reported_together() -> None:
    policy = changed(to("/stages/3/ladder", []), to("/reasons/0/who_mends", "nobody"))

    assert [v.code for v in check_policy(policy)] == ["empty_ladder", "return_nobody_can_mend"]
