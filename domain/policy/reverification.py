"""Which households a round verifies again, and in which order, as a policy writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from domain.durations import INTEGRAL
from domain.policy.stages import ListOf
from domain.provenance import Provenance
from domain.targets import TargetReason
from domain.vocabulary import Strength


class RiskRule(Provenance):
    """A reason to verify a household again, and how many points it gives it in the order of the list."""

    reason: TargetReason
    points: Annotated[int, Strict(), Field(ge=1, le=1_000), INTEGRAL]


class ReverificationRule(Provenance):
    """What makes a household a target of a round, and how many of them a village is asked for.

    Data are old from `old_after_months` on, and each further month gives a point. Less than `incomplete_below` per cent
    of what is asked is incomplete. A reason that no rule names makes no household a target. A village is asked for as
    many as its operators can do on the working days of the input window, `per_operator_day` each.
    """

    old_after_months: Annotated[int, Strict(), Field(ge=1, le=120), INTEGRAL]
    incomplete_below: Annotated[int, Strict(), Field(ge=0, le=100), INTEGRAL]
    per_operator_day: Annotated[int, Strict(), Field(ge=1, le=100), INTEGRAL]
    risks: ListOf[RiskRule]


def _risk(reason: TargetReason, points: int, why: str, strength: Strength = Strength.PROPOSAL) -> RiskRule:
    return RiskRule(reason=reason, points=points, source=why, strength=strength)


DEFAULT_REVERIFICATION = ReverificationRule(
    old_after_months=24,
    incomplete_below=60,
    per_operator_day=10,
    risks=(
        _risk(TargetReason.NEVER_VERIFIED, 60, "Proposal; nobody has ever looked, so nothing is known of it"),
        _risk(TargetReason.OLD, 40, "UU 13/2011: verification at least every two years", Strength.NATIONAL),
        _risk(TargetReason.MISMATCHED, 40, "Proposal; aid is paid by NIK, and this one is not theirs"),
        _risk(TargetReason.DUPLICATE, 30, "Proposal; somebody may be counted twice"),
        _risk(TargetReason.UNCHECKED, 10, "Proposal; the next update checks it anyway"),
        _risk(TargetReason.INCOMPLETE, 10, "Proposal; what is missing cannot be ranked"),
    ),
    source="UU 13/2011: verification at least every two years; the order and the pace are proposals",
    strength=Strength.NATIONAL,
)
"""What holds where a policy says nothing of it, as those do that are older than the rule."""
