"""The work list of a village: which households a round verifies again, the oldest and riskiest first, and how many.

The order is by points: those of each reason that holds, and one for each month by which data are older than they may
be. Of equal points the older data come first, then the order of the ids, so that the same baseline always makes the
same list.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.baseline import MatchState
from domain.calendar import ONE_DAY, WorkingCalendar
from domain.policy.reverification import ReverificationRule
from domain.rounds import Days
from domain.targets import TargetReason

_MONTHS = 12


class Believed(BaseModel):
    """What the baseline says of a household, as far as it makes it a target."""

    model_config = ConfigDict(frozen=True)

    household_id: UUID
    data_of: date
    verified: bool
    match_state: MatchState
    duplicates: int
    completeness: int


class Listed(NamedTuple):
    """A household on the list: its reasons in the order of the rule, and its points."""

    household_id: UUID
    reasons: tuple[TargetReason, ...]
    points: int
    data_of: date


def months_between(earlier: date, later: date) -> int:
    """The whole months from one day to another; 0 when it is the same month or the other way round."""
    months = (later.year - earlier.year) * _MONTHS + later.month - earlier.month
    return max(months - (later.day < earlier.day), 0)


def months_before(day: date, months: int) -> date:
    """The latest day from which so many whole months have passed on `day`."""
    year, month = divmod(day.year * _MONTHS + day.month - 1 - months, _MONTHS)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def reasons_of(household: Believed, *, rule: ReverificationRule, opened: date) -> tuple[TargetReason, ...]:
    """Why a household is to be verified again in a round that opened on this day; empty when it is not."""
    holds = {
        TargetReason.NEVER_VERIFIED: not household.verified,
        TargetReason.OLD: household.verified and months_between(household.data_of, opened) >= rule.old_after_months,
        TargetReason.MISMATCHED: household.match_state is MatchState.MISMATCHED,
        TargetReason.UNCHECKED: household.match_state is MatchState.UNKNOWN,
        TargetReason.DUPLICATE: household.duplicates > 0,
        TargetReason.INCOMPLETE: household.completeness < rule.incomplete_below,
    }
    return tuple(risk.reason for risk in rule.risks if holds[risk.reason])


def work_list(households: Iterable[Believed], *, rule: ReverificationRule, opened: date) -> list[Listed]:
    """The targets among the households of a village, in their order."""
    points = {risk.reason: risk.points for risk in rule.risks}
    found: list[Listed] = []
    for each in households:
        reasons = reasons_of(each, rule=rule, opened=opened)
        if reasons:
            overdue = max(months_between(each.data_of, opened) - rule.old_after_months, 0)
            scored = sum(points[reason] for reason in reasons) + overdue
            found.append(Listed(each.household_id, reasons, scored, each.data_of))
    return sorted(found, key=lambda each: (-each.points, each.data_of, each.household_id))


class Capacity(NamedTuple):
    """What a village can do in the input window of a round: its operators, their working days, and households."""

    operators: int
    working_days: int
    households: int


def capacity_of(operators: int, *, window: Days, rule: ReverificationRule, calendar: WorkingCalendar) -> Capacity:
    """How many households so many operators can verify again on the working days of the window."""
    days = (window.closes - window.opens).days + 1
    working = sum(calendar.is_working_day(window.opens + place * ONE_DAY) for place in range(days))
    return Capacity(operators, working, operators * working * rule.per_operator_day)
