"""The groups of households by which an evaluation is told apart, so that it shows whom a procedure treats otherwise."""

from __future__ import annotations

from datetime import date
from enum import IntFlag
from typing import Final

from domain.household import Household, Sex

ELDERLY_FROM: Final = 60
"""Who is elderly (lanjut usia), in years: UU 13/1998."""


class Groups(IntFlag):
    """What is true of a household."""

    FEMALE_HEADED = 1
    DISABLED = 2
    ELDERLY = 4


def groups_of(household: Household, *, on: date) -> Groups:
    """Of which groups a household is on a day: by its head, and by whoever belongs to it then."""
    found = Groups(0)
    if household.head is not None and household.head.sex is Sex.FEMALE:
        found |= Groups.FEMALE_HEADED
    for member in household.active_members:
        if member.disabled:
            found |= Groups.DISABLED
        if _age(member.birth_date, on) >= ELDERLY_FROM:
            found |= Groups.ELDERLY
    return found


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
