"""Rules about what a case waits for: each wait ends by itself, and stops the clock that it is said to stop."""

from __future__ import annotations

from domain.durations import WindowClose
from domain.errors import Violation
from domain.pauses import PauseCause
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations


def a_wait_for_a_paper_is_counted_in_days(policy: Policy) -> Violations:
    """No other office gives its papers out by the musdes of a village."""
    if policy.document_wait is not None and isinstance(policy.document_wait.longest, WindowClose):
        yield Violation(
            pointer="/document_wait/longest",
            code="wait_without_a_time",
            detail="A paper is not waited for until a window closes.",
            remedy="Write calendar days, working days or elapsed time.",
        )


def a_wait_for_a_paper_stops_the_repair(policy: Policy) -> Violations:
    """A wait that lets the clock run on only looks like one: the operator would be late all the same."""
    if policy.document_wait is not None and PauseCause.WAITING_DOCUMENT not in policy.repair.pauses:
        yield Violation(
            pointer="/repair/pauses",
            code="wait_without_a_pause",
            detail="The repair may wait for a paper, and its clock does not stand for it.",
            remedy="Add `waiting_document`, or leave `document_wait` out.",
        )


WAIT_RULES: tuple[Rule, ...] = (a_wait_for_a_paper_is_counted_in_days, a_wait_for_a_paper_stops_the_repair)
