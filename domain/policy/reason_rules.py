"""Rules about reasons: every code is explained, can be mended or says that it cannot, and betrays nobody."""

from __future__ import annotations

from collections import Counter

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations
from domain.reasons import ReasonUse
from domain.vocabulary import Outcome, ReasonCode

SEALED_REASONS = frozenset({ReasonCode.DECEASED, ReasonCode.SUSPECTED_FALSE_STATEMENT})
"""Reasons that nobody may learn from a tracking page."""


def every_reason_code_is_explained_once(policy: Policy) -> Violations:
    """A code without words leaves village and citizen with a riddle, also when the Ministry or the system gives it."""
    times = Counter(rule.code for rule in policy.reasons)
    for code in ReasonCode:
        if not times[code]:
            yield Violation(
                pointer="/reasons",
                code="reason_missing",
                detail=f"The reason {code} is not explained.",
                remedy=f"Add a rule for {code}.",
            )
    for index, rule in enumerate(policy.reasons):
        if any(earlier.code is rule.code for earlier in policy.reasons[:index]):
            yield Violation(
                pointer=f"/reasons/{index}/code",
                code="reason_explained_twice",
                detail=f"The reason {rule.code} is explained already.",
                remedy="Leave one rule for each code.",
            )


def every_possible_outcome_has_a_reason(policy: Policy) -> Violations:
    """No case is returned or rejected without a reason, so a stage that may do so needs one to choose."""
    for outcome in (Outcome.RETURN, Outcome.REJECT):
        if any(rule.use.allows(outcome) for rule in policy.reasons):
            continue
        for index, stage in enumerate(policy.stages):
            if outcome in stage.outcomes:
                yield Violation(
                    pointer=f"/stages/{index}/outcomes",
                    code="outcome_without_reason",
                    detail=f"{stage.stage} may {outcome} a case, and no reason can be given for it.",
                    remedy=f"Let at least one reason be used for `{outcome}`.",
                )


def a_return_names_who_can_mend_it(policy: Policy) -> Violations:
    """A return asks for repair; asking nobody sends the case away to wait."""
    for index, rule in enumerate(policy.reasons):
        if rule.use.allows(Outcome.RETURN) and rule.who_mends == "nobody":
            yield Violation(
                pointer=f"/reasons/{index}/who_mends",
                code="return_nobody_can_mend",
                detail=f"A case returned for {rule.code} could be mended by nobody.",
                remedy="Name who mends it, or let the reason be used for `reject` alone.",
            )


def what_comes_after_the_cutoff_rolls_over(policy: Policy) -> Violations:
    """A household does not lose its update because its offices were late; and only a cut-off rolls a case over."""
    for index, rule in enumerate(policy.reasons):
        if (rule.code is ReasonCode.AFTER_CUTOFF) != (rule.use is ReasonUse.ROLL_OVER):
            yield Violation(
                pointer=f"/reasons/{index}/use",
                code="roll_over_is_for_the_cutoff",
                detail=f"The reason {rule.code} is used for {rule.use}.",
                remedy="Use `roll_over` for after_cutoff, and for no other code.",
            )


def quota_and_cutoff_are_no_fault_of_the_data(policy: Policy) -> Violations:
    """Counting them as faults would make full programmes look like bad villages."""
    for index, rule in enumerate(policy.reasons):
        if rule.code not in {ReasonCode.QUOTA, ReasonCode.AFTER_CUTOFF}:
            continue
        if rule.fault_of_data or rule.substantive:
            yield Violation(
                pointer=f"/reasons/{index}",
                code="not_a_fault_of_the_data",
                detail=f"The reason {rule.code} says nothing about the household.",
                remedy="Set `fault_of_data` and `substantive` to false.",
            )


def sealed_reasons_send_the_citizen_to_puskesos(policy: Policy) -> Violations:
    """A death or a suspicion is told by a person, in person; whoever finds a tracking code must not read it."""
    for index, rule in enumerate(policy.reasons):
        if rule.code not in SEALED_REASONS:
            continue
        for language, text in (("id", rule.public_text.id), ("en", rule.public_text.en)):
            if "puskesos" not in text.casefold():
                yield Violation(
                    pointer=f"/reasons/{index}/public_text/{language}",
                    code="sealed_reason_shown",
                    detail=f"The public text of {rule.code} may only say whom to ask.",
                    remedy='Write "Hubungi PUSKESOS." or the same in other words.',
                )


REASON_RULES: tuple[Rule, ...] = (
    every_reason_code_is_explained_once,
    every_possible_outcome_has_a_reason,
    a_return_names_who_can_mend_it,
    what_comes_after_the_cutoff_rolls_over,
    quota_and_cutoff_are_no_fault_of_the_data,
    sealed_reasons_send_the_citizen_to_puskesos,
)
