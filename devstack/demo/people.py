"""People and papers that the cases are about: newcomers with numbers nobody has, and households fit for a case."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Final

from devstack.demo.api import Api, DemoError, Document
from devstack.demo.partners import PartnerAdmin
from devstack.demo_people import VILLAGES
from devstack.partners.persons import Person
from devstack.registry_persons import deviation_at
from devstack.seed import invented
from devstack.sundanese import person_name
from domain.household import Household, Member, Relation, Sex

_FREE_SERIALS: Final = range(9_881, 10_000)
"""No invented person of the seed has a serial from here on (`devstack.civil_numbers`)."""
_ADULT_YEARS: Final = 18
_READER: Final = "slrt.taraju"
_WHY: Final = {"purpose": "field_visit", "explanation": "A household is chosen for a case of the demonstration."}


class Newcomers:
    """Makes people whom neither the registry nor the civil registry knows yet."""

    def __init__(self, admin: PartnerAdmin, *, today: date) -> None:
        self._admin = admin
        self._rng = Random()
        self._today = today

    async def person(self, sex: Sex, *, age: int) -> Person:
        """Somebody of that age with a NIK and a family card number of their own; not registered by that."""
        while True:
            birth_date = self._today - timedelta(days=age * 365.25 + self._rng.randrange(1, 364))
            nik = self._number(birth_date, later=40 if sex is Sex.FEMALE else 0)
            if not await self._admin.knows(nik):
                break
        return Person(
            nik=nik,
            kk_number=self.kk_number(),
            name=self.name(sex, birth_year=birth_date.year),
            birth_date=birth_date,
            sex=sex.value,
        )

    def kk_number(self) -> str:
        """A family card number that nobody was given."""
        return self._number(self._today - timedelta(days=self._rng.randrange(1, 6_000)))

    def name(self, sex: Sex, *, birth_year: int) -> str:
        """A name."""
        return person_name(self._rng, sex, birth_year=birth_year)

    def _number(self, day: date, *, later: int = 0) -> str:
        return f"320613{day.day + later:02}{day.month:02}{day.year % 100:02}{self._rng.choice(_FREE_SERIALS)}"


class Households:
    """Gives out households of the seed, each to one case, as the API shows them now.

    Those about whose head the civil registry differs are left alone, and so are those with an open update.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._turn = asyncio.Lock()
        self._left = {
            village: [household for place, household in enumerate(invented(village)) if deviation_at(place) is None]
            for village in VILLAGES
        }
        everybody = [household for left in self._left.values() for household in left]
        self._kk_numbers = {household.id: household.kk_number for household in everybody}
        self._niks = {member.id: member.nik for household in everybody for member in household.members}

    async def take(self, village: str, *, fit: Callable[[Household], bool]) -> Household:
        """A household of the village that fits the case. Raises DemoError when none is left."""
        async with self._turn:
            for candidate in list(self._left[village]):
                address = f"/v1/households/{candidate.id}"
                if (await self._api.get(_READER, address))["open_updates"]:
                    continue
                clear = await self._api.post(_READER, f"{address}/unmask", _WHY)
                current = Household.model_validate(clear["household"])
                if current.head is not None and fit(current):
                    self._left[village].remove(candidate)
                    return current
        raise DemoError(f"No household of {VILLAGES[village]} is left for this case; `kawal demo seed` makes more.")

    def nik(self, member: Member) -> str:
        """The NIK of a member. Raises DemoError for somebody who has none."""
        nik = self._niks.get(member.id)
        if nik is None:
            raise DemoError("This member has no NIK.")
        return nik

    def kk_number(self, household: Household) -> str:
        """The family card number of a household of the seed."""
        return self._kk_numbers[household.id]

    def documented(self, member: Member) -> bool:
        """Whether the member is of the seed and has a NIK."""
        return self._niks.get(member.id) is not None


def adults_beside_head(household: Household, *, today: date) -> list[Member]:
    """The grown members who are not the head, eldest first."""
    grown = [
        member
        for member in household.active_members
        if member.relation is not Relation.HEAD and (today - member.birth_date).days > _ADULT_YEARS * 366
    ]
    return sorted(grown, key=lambda member: member.birth_date)


def details(person: Person, relation: Relation, **more: object) -> Document:
    """A person as a change names them."""
    named = {"nik": person.nik, "name": person.name, "sex": person.sex, "birth_date": person.birth_date.isoformat()}
    return {**named, "relation": relation.value, **more}


def paper(kind: str, reference: str) -> Document:
    """A piece of evidence."""
    return {"type": kind, "reference": reference}
