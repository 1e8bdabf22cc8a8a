"""Rules about retention: one period for each thing, and nothing goes while it can still be appealed."""

from __future__ import annotations

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.retention import LEAST_FOR_APPEAL, RetentionSubject
from domain.policy.rule import Rule, Violations

_NEEDED_FOR_APPEAL = frozenset({RetentionSubject.EVIDENCE, RetentionSubject.CONTENTS, RetentionSubject.TRACKING})


def everything_kept_has_at_most_one_period(policy: Policy) -> Violations:
    """Of two periods nobody could say which holds."""
    for index, rule in enumerate(policy.retention):
        if any(earlier.subject is rule.subject for earlier in policy.retention[:index]):
            yield Violation(
                pointer=f"/retention/{index}/subject",
                code="retention_named_twice",
                detail=f"{rule.subject} has a period already.",
                remedy="Leave one rule for each subject.",
            )


def what_can_be_appealed_is_kept(policy: Policy) -> Violations:
    """Whoever appeals against a rejection must find what it was about."""
    for index, rule in enumerate(policy.retention):
        if rule.subject in _NEEDED_FOR_APPEAL and rule.period < LEAST_FOR_APPEAL:
            yield Violation(
                pointer=f"/retention/{index}/period",
                code="retention_shorter_than_appeal",
                detail=f"{rule.subject} would be erased while an appeal may still come.",
                remedy=f"Keep it for {LEAST_FOR_APPEAL.days} days or longer.",
            )


RETENTION_RULES: tuple[Rule, ...] = (everything_kept_has_at_most_one_period, what_can_be_appealed_is_kept)
