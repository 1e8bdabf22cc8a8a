"""Rules about appeals and conflicts: whoever decides stands above, or outside, and somebody always hears of a no."""

from __future__ import annotations

from collections import Counter

from domain.durations import Share
from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations, listed
from domain.policy.stages import Power
from domain.vocabulary import HUMAN_STAGES, Outcome, Stage

_REJECTING = frozenset({*HUMAN_STAGES, Stage.DELIVERY})


def every_rejection_is_heard_by_one_tier(policy: Policy) -> Violations:
    """Where appeals are heard, no citizen should find that of all stages the one that rejected them has no appeal."""
    if policy.appeals is None:
        return
    heard = Counter(stage for tier in policy.appeals.tiers for stage in tier.hears)
    rejecting = {rule.stage for rule in policy.stages if Outcome.REJECT in rule.outcomes}
    if policy.delivery.ministry:
        rejecting.add(Stage.DELIVERY)
    for stage in sorted(rejecting - heard.keys()):
        yield Violation(
            pointer="/appeals/tiers",
            code="rejection_without_appeal",
            detail=f"Nobody hears an appeal against a rejection in {stage}.",
            remedy=f"Add {stage} to the `hears` of one tier.",
        )
    for stage in sorted(stage for stage, times in heard.items() if times > 1 or stage not in _REJECTING):
        yield Violation(
            pointer="/appeals/tiers",
            code="appeal_ambiguous",
            detail=f"Appeals against {stage} are heard by {heard[stage]} tiers, or {stage} rejects nothing.",
            remedy=f"Name each of {listed(_REJECTING)} in one tier at most, and nothing else.",
        )


def an_appeal_is_heard_above_who_rejected(policy: Policy) -> Violations:
    """An office that answers appeals against itself answers none."""
    for index, tier in enumerate(() if policy.appeals is None else policy.appeals.tiers):
        below = {role for rule in policy.stages if rule.stage in tier.hears for role in rule.deciders}
        for position, role in enumerate(tier.deciders):
            if role in below:
                yield Violation(
                    pointer=f"/appeals/tiers/{index}/deciders/{position}",
                    code="appeal_to_the_same",
                    detail=f"{role} decides appeals against what {role} rejects.",
                    remedy="Name a role of the tier above.",
                )
        if tier.resumes_at not in _REJECTING:
            yield Violation(
                pointer=f"/appeals/tiers/{index}/resumes_at",
                code="appeal_resumes_nowhere",
                detail=f"A case cannot go on from {tier.resumes_at}.",
                remedy=f"Choose one of {listed(_REJECTING)}.",
            )


def a_conflict_is_decided_outside_both_offices(policy: Policy) -> Violations:
    """Two offices that disagree need a third; whoever said no would only say it again."""
    for index, dispute in enumerate(() if policy.conflicts is None else policy.conflicts.disputes):
        objecting = {role for rule in policy.stages if rule.stage in dispute.objecting for role in rule.deciders}
        if dispute.decider in {dispute.speaks_for, dispute.speaks_against, *objecting}:
            yield Violation(
                pointer=f"/conflicts/disputes/{index}/decider",
                code="conflict_decided_by_a_side",
                detail=f"{dispute.decider} is of one of the two offices.",
                remedy="Name a role of neither office.",
            )
        if dispute.speaks_for is dispute.speaks_against:
            yield Violation(
                pointer=f"/conflicts/disputes/{index}/speaks_against",
                code="conflict_of_one_side",
                detail=f"{dispute.speaks_for} speaks for both offices.",
                remedy="Name who speaks for the office that said no.",
            )


def each_stage_has_one_dispute_and_each_dispute_a_cause(policy: Policy) -> Violations:
    """Two rules for one no would leave open who decides; one that nothing opens only looks like a rule."""
    disputes = () if policy.conflicts is None else policy.conflicts.disputes
    times = Counter(stage for dispute in disputes for stage in dispute.objecting)
    for index, dispute in enumerate(disputes):
        for stage in sorted(dispute.objecting):
            if times[stage] > 1 or stage not in HUMAN_STAGES:
                yield Violation(
                    pointer=f"/conflicts/disputes/{index}/objecting",
                    code="dispute_ambiguous",
                    detail=f"{stage} is in {times[stage]} disputes, or decides nothing.",
                    remedy=f"Name each of {listed(HUMAN_STAGES)} in one dispute at most.",
                )
        if not dispute.objecting or not (dispute.on_rejection or dispute.return_count):
            yield Violation(
                pointer=f"/conflicts/disputes/{index}",
                code="dispute_never_opens",
                detail="Nothing opens this conflict.",
                remedy="Name a stage, and set `on_rejection` or `return_count`.",
            )


def an_opinion_only_speaks_and_ends_in_time(policy: Policy) -> Violations:
    """When its deadline passes the conflict goes on, so that no rung comes after; and to be heard is not to decide."""
    for index, rung in enumerate(() if policy.conflicts is None else policy.conflicts.opinion.ladder):
        if not isinstance(rung.after, Share):
            yield Violation(
                pointer=f"/conflicts/opinion/ladder/{index}/after",
                code="rung_past_the_end",
                detail="An opinion is waited for until its deadline, and no longer.",
                remedy="Write a share of the deadline.",
            )
        if Power.DECIDE in rung.grants:
            yield Violation(
                pointer=f"/conflicts/opinion/ladder/{index}/grants",
                code="nothing_to_decide",
                detail="An opinion is given by the two offices alone.",
                remedy="Grant `manage` alone.",
            )


DISPUTE_RULES: tuple[Rule, ...] = (
    every_rejection_is_heard_by_one_tier,
    an_appeal_is_heard_above_who_rejected,
    a_conflict_is_decided_outside_both_offices,
    each_stage_has_one_dispute_and_each_dispute_a_cause,
    an_opinion_only_speaks_and_ends_in_time,
)
