"""Rules about re-verification: each reason has its weight once, and the law's two years are kept."""

from __future__ import annotations

from typing import Final

from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations
from domain.targets import TargetReason

LAW_MONTHS: Final = 24


def each_reason_to_verify_again_stands_once(policy: Policy) -> Violations:
    """Two weights of one reason leave open which of them counts."""
    seen: set[TargetReason] = set()
    for position, risk in enumerate(policy.reverification.risks):
        if risk.reason in seen:
            yield Violation(
                pointer=f"/reverification/risks/{position}/reason",
                code="reason_twice",
                detail=f"{risk.reason.value} has been given points before.",
                remedy="Leave one of them.",
            )
        seen.add(risk.reason)


def old_data_are_verified_again_as_the_law_says(policy: Policy) -> Violations:
    """At least every two years (UU 13/2011); a regency may ask for it more often."""
    rule = policy.reverification
    if rule.old_after_months > LAW_MONTHS:
        yield Violation(
            pointer="/reverification/old_after_months",
            code="later_than_the_law",
            detail=f"Data are verified again after {LAW_MONTHS} months at the latest (UU 13/2011).",
            remedy=f"Write {LAW_MONTHS} or less.",
        )
    if all(risk.reason is not TargetReason.OLD for risk in rule.risks):
        yield Violation(
            pointer="/reverification/risks",
            code="old_data_left_out",
            detail="Old data give no points, so no household would be verified again for them.",
            remedy=f"Give points to {TargetReason.OLD.value}.",
        )


REVERIFICATION_RULES: tuple[Rule, ...] = (
    each_reason_to_verify_again_stands_once,
    old_data_are_verified_again_as_the_law_says,
)
