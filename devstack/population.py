"""Invented households for a village: nobody's names, real area codes, numbers valid in structure.

Sizes and ranks follow what is published of Kabupaten Tasikmalaya: 372,941 families of desil 1 to 5 with 1,061,310
people (Radar Tasikmalaya, 15 July 2025). All else is made up to be plausible and is no statistic of any place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Final
from uuid import UUID

from devstack.chances import Chances
from devstack.civil_numbers import CivilNumbers
from devstack.kinship import Role, compose, education_of, goes_to_school, occupation_of
from devstack.living_conditions import circumstances
from devstack.sundanese import hamlet_names, person_name
from domain.circumstances import Address
from domain.household import Household, Member

FAMILIES: Final = {1: 62_634, 2: 65_559, 3: 78_170, 4: 78_261, 5: 88_317}
"""Families of Kabupaten Tasikmalaya by desil."""

PEOPLE: Final = {1: 167_222, 2: 191_631, 3: 218_170, 4: 231_773, 5: 252_514}
"""People in these families."""

LARGEST_FAMILY: Final = 7
_RANKS = Chances(FAMILIES)
_UNDOCUMENTED = 0.006
_DISABLED = 0.021
_STALE = 0.6
"""Share of records last seen to in 2020-2022, the years that the lists of recipients still rest on."""


def families_per_village(area_codes: Sequence[str], *, total: int = sum(FAMILIES.values())) -> dict[str, int]:
    """`total` families spread over the villages, as evenly as whole families can be (nothing finer is published)."""
    share, rest = divmod(total, len(area_codes))
    return {code: share + (i < rest) for i, code in enumerate(sorted(area_codes))}


def households(area_code: str, *, count: int, seed: int, today: date) -> Iterator[Household]:
    """The first `count` households of a village: always the same for one code, seed and day.

    A larger `count` continues the same list, and no other village of the country shares a NIK or KK number with
    it, whatever the order they are made in. Raises `ValueError` for a code that is not a village's.
    """
    village = _Village(area_code, rng=Random(f"{seed}/{area_code}"), today=today)
    for _ in range(count):
        yield village.household()


class _Village:
    def __init__(self, area_code: str, *, rng: Random, today: date) -> None:
        self._area_code = area_code
        self._rng = rng
        self._today = today
        self._numbers = CivilNumbers(area_code)
        self._hamlets = hamlet_names(rng, count=rng.randint(3, 6))

    def household(self) -> Household:
        rng = self._rng
        rank = _RANKS.draw(rng)
        members = tuple(self._member(role) for role in compose(rng, size=self._size(rank)))
        return Household(
            id=self._id(),
            version=1,
            area_code=self._area_code,
            kk_number=self._kk_number(),
            address=self._address(),
            circumstances=circumstances(rng, rank=rank, members=len(members)),
            members=members,
            desil=rank,
            last_verified_on=self._last_verified_on(),
        )

    def _size(self, rank: int) -> int:
        """Members beyond the first are drawn one by one, so that the mean is the published one."""
        likelihood = (PEOPLE[rank] / FAMILIES[rank] - 1) / (LARGEST_FAMILY - 1)
        return 1 + sum(self._rng.random() < likelihood for _ in range(LARGEST_FAMILY - 1))

    def _member(self, role: Role) -> Member:
        rng = self._rng
        birth_date, nik = self._birth(role)
        undocumented = rng.random() < _UNDOCUMENTED
        in_school = goes_to_school(rng, role)
        return Member(
            id=self._id(),
            nik=None if undocumented else nik,
            no_nik_reason="undocumented" if undocumented else None,
            name=person_name(rng, role.sex, birth_year=birth_date.year),
            sex=role.sex,
            birth_date=birth_date,
            relation=role.relation,
            marital_status=role.marital_status,
            disabled=rng.random() < _DISABLED,
            education=education_of(rng, role),
            in_school=in_school,
            occupation=occupation_of(rng, role, in_school=in_school),
        )

    def _birth(self, role: Role) -> tuple[date, str]:
        """A birth date of that age, moved back by days while the village has no number left for it."""
        birth_date = self._today - timedelta(days=role.age * 365.25 + self._rng.randrange(1, 365))
        while (nik := self._numbers.nik(birth_date, role.sex)) is None:
            birth_date -= timedelta(days=1)
        return birth_date, nik

    def _kk_number(self) -> str:
        issued_on = self._today - timedelta(days=self._rng.randrange(30, 15 * 365))
        while (number := self._numbers.kk(issued_on)) is None:
            issued_on -= timedelta(days=1)
        return number

    def _address(self) -> Address:
        rw = self._rng.randrange(len(self._hamlets))
        return Address(
            hamlet=self._hamlets[rw],
            rt=f"{4 * rw + self._rng.randint(1, 4):03}",
            rw=f"{rw + 1:03}",
        )

    def _last_verified_on(self) -> date:
        rng = self._rng
        if rng.random() < _STALE:
            return date(2020, 1, 1) + timedelta(days=rng.randrange(3 * 365))
        return self._today - timedelta(days=rng.randrange(20, 700))

    def _id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128), version=4)
