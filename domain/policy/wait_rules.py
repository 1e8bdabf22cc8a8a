"""Rules about what a case waits for: each wait ends by itself, and stops the clock that it is said to stop."""

from __future__ import annotations

from domain.durations import CalendarDays, WindowClose, WorkingDays
from domain.errors import Violation
from domain.pauses import PauseCause
from domain.policy.model import Policy
from domain.policy.rule import Rule, Violations

SHORTEST_NOTICE_WORKING_DAYS = 5
SHORTEST_NOTICE_CALENDAR_DAYS = 7
"""A week; a policy that a person watches counts in elapsed time, and is shown as what it is."""


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


def a_lapse_waits_for_a_time(policy: Policy) -> Violations:
    """Whether a household keeps its case may not hang on when its village meets."""
    for name in ("after", "notice", "reopen_within"):
        if policy.lapse is not None and isinstance(getattr(policy.lapse, name), WindowClose):
            yield Violation(
                pointer=f"/lapse/{name}",
                code="lapse_without_a_time",
                detail="A lapse does not wait for a window.",
                remedy="Write working days, calendar days or elapsed time.",
            )


def notice_of_a_lapse_leaves_time_to_mend(policy: Policy) -> Violations:
    """Who is told on Friday that it ends on Monday was told nothing: the citizen has to find the operator first."""
    match policy.lapse and policy.lapse.notice:
        case WorkingDays(working_days=days) if days < SHORTEST_NOTICE_WORKING_DAYS:
            short = True
        case CalendarDays(calendar_days=days) if days < SHORTEST_NOTICE_CALENDAR_DAYS:
            short = True
        case _:
            short = False
    if short:
        yield Violation(
            pointer="/lapse/notice",
            code="notice_too_short",
            detail="The applicant would be told only days before the case lapses.",
            remedy=f"At least {SHORTEST_NOTICE_WORKING_DAYS} working or {SHORTEST_NOTICE_CALENDAR_DAYS} calendar days.",
        )


def a_question_to_another_office_waits_for_a_time(policy: Policy) -> Violations:
    """An office outside the case does not answer by the musdes of a village, nor may a stage stand until one."""
    for name in ("deadline", "longest"):
        if policy.information is not None and isinstance(getattr(policy.information, name), WindowClose):
            yield Violation(
                pointer=f"/information/{name}",
                code="question_without_a_time",
                detail="An answer is not waited for until a window closes.",
                remedy="Write working days, calendar days or elapsed time.",
            )


WAIT_RULES: tuple[Rule, ...] = (
    a_wait_for_a_paper_is_counted_in_days,
    a_wait_for_a_paper_stops_the_repair,
    a_lapse_waits_for_a_time,
    notice_of_a_lapse_leaves_time_to_mend,
    a_question_to_another_office_waits_for_a_time,
)
