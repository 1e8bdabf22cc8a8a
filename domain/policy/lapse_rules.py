"""Rules about stages that several decide, and about stages that silence settles."""

from __future__ import annotations

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations
from domain.policy.stages import AtLeast
from domain.vocabulary import SINGULAR_ROLES


def a_quorum_can_be_reached(policy: Policy) -> Violations:
    """A stage that waits for more people than there can be only waits for its ladder to run out."""
    for index, rule in enumerate(policy.stages):
        if not isinstance(rule.quorum, AtLeast) or not rule.deciders or not SINGULAR_ROLES.issuperset(rule.deciders):
            continue
        most = len(set(rule.deciders))
        if rule.quorum.at_least > most:
            yield Violation(
                pointer=f"/stages/{index}/quorum/at_least",
                code="quorum_out_of_reach",
                detail=f"{rule.stage} waits for {rule.quorum.at_least} people, and its roles are held by {most}.",
                remedy=f"Ask for {most} at most, or name a role that several people hold.",
            )


def a_repair_is_nobodys_vote(policy: Policy) -> Violations:
    """A repair is sent in once, by whoever mends it, and silence mends nothing."""
    if policy.repair.quorum != "any":
        yield Violation(
            pointer="/repair/quorum",
            code="repair_has_quorum",
            detail="A repair is not voted on.",
            remedy="Leave `quorum` out.",
        )
    if policy.repair.on_exhausted != "hold":
        yield Violation(
            pointer="/repair/on_exhausted",
            code="repair_is_not_deemed",
            detail="Nothing is repaired by silence.",
            remedy="Leave `on_exhausted` at `hold`.",
        )


def silence_never_speaks_for_the_village(policy: Policy) -> Violations:
    """Minutes of a deliberation that nobody held would be a false document."""
    for index, rule in enumerate(policy.stages):
        if rule.needs_minutes and rule.on_exhausted != "hold":
            yield Violation(
                pointer=f"/stages/{index}/on_exhausted",
                code="deliberation_is_not_deemed",
                detail=f"{rule.stage} is decided by minutes, and silence writes none.",
                remedy="Leave `on_exhausted` at `hold`; a rung may order a musdes or an SPTJM.",
            )


LAPSE_RULES: tuple[Rule, ...] = (
    a_quorum_can_be_reached,
    a_repair_is_nobodys_vote,
    silence_never_speaks_for_the_village,
)
