"""The baseline of a round: what the registry believed of a household on the day on which the round opened.

What the data of a household are worth, without a word of what they say: how old they are, whether its members were
matched with the civil registry, whether its numbers are in use elsewhere, how much of what is asked is there.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.calendar import WorkingCalendar
from domain.household import Household


class MatchState(StrEnum):
    """What the civil registry said in the latest check of the household's members; `unknown` before any."""

    MATCHED = "matched"
    MISMATCHED = "mismatched"
    UNKNOWN = "unknown"


class BaselineFacts(BaseModel):
    """What is kept of one household. `age_days` counts from the day its data are of; `completeness` is in per cent.

    `hamlet` is where the village's list finds it, None where the address names none.
    """

    model_config = ConfigDict(frozen=True)

    members: int
    data_of: date
    age_days: int
    verified: bool
    completeness: int
    hamlet: str | None = None


def facts_of(household: Household, *, applied_at: datetime, opened: date, calendar: WorkingCalendar) -> BaselineFacts:
    """The facts of a household on the day on which a round opened, of its version that was applied at `applied_at`.

    Its data are of the day on which they were last verified; where they never were, of the day they were registered.
    """
    data_of = household.last_verified_on or calendar.local_day(applied_at)
    return BaselineFacts(
        members=len(household.active_members),
        data_of=data_of,
        age_days=max((opened - data_of).days, 0),
        verified=household.last_verified_on is not None,
        completeness=completeness(household),
        hamlet=household.address.hamlet,
    )


def completeness(household: Household) -> int:
    """How much of what is asked of a household is there: of its circumstances, and of each member, in per cent."""
    asked = list(household.circumstances.model_dump().values())
    for member in household.active_members:
        asked += [member.nik or member.no_nik_reason, member.marital_status, member.education, member.occupation]
    return 100 * sum(value is not None for value in asked) // len(asked)
