"""The invented people as the civil registry partner knows them, with a few whom it knows otherwise or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from devstack.partners.persons import Person, PersonStore
from domain.household import Household, Member


class Deviation(StrEnum):
    """How the registry differs from what Kawal believes of the head of a household."""

    NAME_DIFFERS = "name_differs"
    BIRTH_DATE_DIFFERS = "birth_date_differs"
    CARD_DIFFERS = "card_differs"
    DECEASED = "deceased"
    UNKNOWN = "unknown"


CYCLE: Final = 20
DEVIATIONS: Final = {
    11: Deviation.NAME_DIFFERS,
    13: Deviation.DECEASED,
    15: Deviation.UNKNOWN,
    17: Deviation.CARD_DIFFERS,
    19: Deviation.BIRTH_DATE_DIFFERS,
}
"""By the place of a household in its village, modulo CYCLE: the first eleven are registered as they are believed."""


def deviation_at(place: int) -> Deviation | None:
    """How the registry differs about the head of the household at `place` (from 0) of its village, or None."""
    return DEVIATIONS.get(place % CYCLE)


def registered_persons(households: Iterable[Household]) -> Iterator[Person]:
    """The registry's entries about the people of one village, given in the order they were invented.

    Who has no NIK has no entry.
    """
    for place, household in enumerate(households):
        deviation = deviation_at(place)
        for member in household.members:
            if member.nik is None:
                continue
            entry = _as_believed(member, nik=member.nik, kk_number=household.kk_number)
            if deviation is None or member != household.head:
                yield entry
            elif deviation is not Deviation.UNKNOWN:
                yield entry.model_copy(update=_otherwise(entry, deviation))


def store_new_persons(file: Path, persons: Iterable[Person]) -> int:
    """Enter into the partner's own file whoever is not there yet, and say how many those were.

    The file is written whether or not the partner runs. What was set about a person since is left as it is.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = PersonStore(file)
    try:
        new = [person for person in persons if store.get(person.nik) is None]
        store.put(new)
    finally:
        store.close()
    return len(new)


def _as_believed(member: Member, *, nik: str, kk_number: str) -> Person:
    return Person(
        nik=nik,
        kk_number=kk_number,
        name=member.name,
        birth_date=member.birth_date,
        sex=member.sex.value,
    )


def _otherwise(entry: Person, deviation: Deviation) -> dict[str, object]:
    match deviation:
        case Deviation.NAME_DIFFERS:
            return {"name": f"{entry.name} Binti Ahya" if entry.sex == "female" else f"{entry.name} Bin Ahya"}
        case Deviation.BIRTH_DATE_DIFFERS:
            return {"birth_date": entry.birth_date + timedelta(days=1)}
        case Deviation.CARD_DIFFERS:
            return {"kk_number": f"{entry.kk_number[:-4]}9899"}
        case Deviation.DECEASED:
            return {"deceased_on": date(2025, 8, 17)}
        case Deviation.UNKNOWN:
            raise ValueError("the registry has no entry of somebody unknown")
