"""The way into `Policy`: well formed first, then right, and every fault named by its place in the JSON."""

from __future__ import annotations

from pydantic import ValidationError

from domain.errors import InvalidInput, Violation
from domain.policy.dispute_rules import DISPUTE_RULES
from domain.policy.form import MOST_VALUES, is_too_large, violations_of_form
from domain.policy.ground_rules import GROUND_RULES
from domain.policy.ladder_rules import LADDER_RULES
from domain.policy.lapse_rules import LAPSE_RULES
from domain.policy.minutes_rules import MINUTES_RULES
from domain.policy.model import Policy
from domain.policy.publication_rules import PUBLICATION_RULES
from domain.policy.reason_rules import REASON_RULES
from domain.policy.retention_rules import RETENTION_RULES
from domain.policy.reverification_rules import REVERIFICATION_RULES
from domain.policy.route_rules import ROUTE_RULES
from domain.policy.rule import Rule
from domain.policy.separation_rules import SEPARATION_RULES
from domain.policy.stage_rules import STAGE_RULES
from domain.policy.wait_rules import WAIT_RULES

RULES: tuple[Rule, ...] = (
    *ROUTE_RULES,
    *STAGE_RULES,
    *LAPSE_RULES,
    *LADDER_RULES,
    *SEPARATION_RULES,
    *REASON_RULES,
    *RETENTION_RULES,
    *PUBLICATION_RULES,
    *MINUTES_RULES,
    *DISPUTE_RULES,
    *WAIT_RULES,
    *GROUND_RULES,
    *REVERIFICATION_RULES,
)
"""Every rule that a policy has to keep, in the order in which breaches are reported."""

_TOO_LARGE = Violation(
    pointer="",
    code="policy_too_large",
    detail=f"A policy holds at most {MOST_VALUES} values.",
    remedy="Remove what is repeated.",
)


def check_policy(policy: Policy) -> list[Violation]:
    """What breaks a rule in a well-formed policy; empty when it may be published."""
    return [violation for rule in RULES for violation in rule(policy)]


def parse_policy(data: object) -> Policy:
    """The policy that decoded JSON describes. Raises InvalidInput naming every fault, each with its remedy.

    Faults of form hide those of content: the rules are only asked about a policy that is well formed.
    """
    if is_too_large(data):
        raise InvalidInput([_TOO_LARGE])
    try:
        policy = Policy.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(violations_of_form(error, data=data)) from None
    if violations := check_policy(policy):
        raise InvalidInput(violations)
    return policy


def sentence(rule: Rule) -> str:
    """The rule as a sentence, for people: its name without the underscores."""
    return f"{rule.__name__.replace('_', ' ').capitalize()}."
