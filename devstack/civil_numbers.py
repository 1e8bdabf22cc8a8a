"""NIK and KK numbers for invented people of one village: valid in structure, and no two alike in the country."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Final

from domain.household import Sex

_LANES_BEFORE: Final = {"1": 0, "2": 120, "3": 240}
"""Villages of a district share their prefix, so each takes a lane of the 9,999 serials of a day: kelurahan (1xxx),
desa (2xxx), desa adat (3xxx). No district numbers its villages beyond 119 (adat: 19)."""

_LANES: Final = 260
LANE_WIDTH: Final = 9_999 // _LANES
"""How many numbers a village can give out for one day and sex."""


class CivilNumbers:
    """The numbers of one village, given out in order. Raises `ValueError` for a code that is not a village's."""

    def __init__(self, area_code: str) -> None:
        parts = area_code.split(".")
        if [len(p) for p in parts] != [2, 2, 2, 4] or parts[3][0] not in _LANES_BEFORE:
            raise ValueError(f"{area_code} is not the code of a village")
        lane = _LANES_BEFORE[parts[3][0]] + int(parts[3][1:])
        if lane >= _LANES:
            raise ValueError(f"village {area_code} has no lane of serial numbers")
        self._prefix = "".join(parts[:3])
        self._first_serial = lane * LANE_WIDTH + 1
        self._given: Counter[str] = Counter()

    def nik(self, birth_date: date, sex: Sex) -> str | None:
        """The next NIK of that birth date and sex; None when the village has given out all of them."""
        return self._next(self._stem(birth_date, later=40 if sex is Sex.FEMALE else 0), book="nik")

    def kk(self, issued_on: date) -> str | None:
        """The next KK number of that day of issue; None when the village has given out all of them."""
        return self._next(self._stem(issued_on), book="kk")

    def _stem(self, day: date, *, later: int = 0) -> str:
        return f"{self._prefix}{day.day + later:02}{day.month:02}{day.year % 100:02}"

    def _next(self, stem: str, *, book: str) -> str | None:
        key = book + stem
        given = self._given[key]
        if given == LANE_WIDTH:
            return None
        self._given[key] = given + 1
        return f"{stem}{self._first_serial + given:04}"
