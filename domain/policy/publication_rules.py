"""Rules about publication: who is asked has a time, and an emergency lasts long enough to be consulted on."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from domain.durations import CalendarDays, Duration, Elapsed, WindowClose, WorkingDays
from domain.errors import Violation
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations


def a_publication_waits_for_a_time(policy: Policy) -> Violations:
    """A musdes decides about cases of its village; no policy of a regency can wait for the window of one."""
    for name in ("consultation", "emergency"):
        if isinstance(getattr(policy.publication, name), WindowClose):
            yield Violation(
                pointer=f"/publication/{name}",
                code="publication_without_a_time",
                detail="A publication does not wait for a window.",
                remedy="Write working days, calendar days or elapsed time.",
            )


def an_emergency_outlasts_its_consultation(policy: Policy) -> Violations:
    """It could never be confirmed otherwise. Both are counted in one way, or a holiday would decide which is longer."""
    rule = policy.publication
    if WindowClose in {type(rule.consultation), type(rule.emergency)}:
        return
    if type(rule.consultation) is not type(rule.emergency):
        yield Violation(
            pointer="/publication/emergency",
            code="publication_not_comparable",
            detail="The emergency is counted in another way than the consultation.",
            remedy="Count both in working days, in calendar days or in elapsed time.",
        )
    elif _length(rule.emergency) <= _length(rule.consultation):
        yield Violation(
            pointer="/publication/emergency",
            code="emergency_too_short",
            detail="A policy published in an emergency would lapse before its consultation is over.",
            remedy="Make the emergency longer than the consultation.",
        )


def _length(duration: Duration) -> timedelta:
    """How long it is, to compare it with another of the same form."""
    match duration:
        case WorkingDays(working_days=days) | CalendarDays(calendar_days=days):
            return timedelta(days=days)
        case Elapsed(elapsed=time):
            return time
        case WindowClose(at_least=least):
            return timedelta(days=least.working_days)
        case _:
            assert_never(duration)


PUBLICATION_RULES: tuple[Rule, ...] = (a_publication_waits_for_a_time, an_emergency_outlasts_its_consultation)
