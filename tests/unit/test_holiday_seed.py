from datetime import date

import pytest
from lokal.holidays import get_holidays

from runtime.holiday_seed import seed_holidays


@pytest.mark.parametrize("year", [2026, 2027])
def test_the_seed_agrees_with_the_decree_of_the_three_ministers(year: int) -> None:
    named = {"libur_nasional": "public_holiday", "cuti_bersama": "collective_leave"}
    decreed = {(row.date, named[row.type]) for row in get_holidays(year).holidays}
    assert {(row.day.isoformat(), row.category) for row in seed_holidays([year]).closed} == decreed


def test_names_are_indonesian_and_rows_come_once_and_in_order() -> None:
    closed = seed_holidays(range(2025, 2028)).closed
    names = {row.day: row.name for row in closed}
    assert names[date(2026, 8, 17)] == "Hari Kemerdekaan Republik Indonesia"
    assert names[date(2026, 12, 24)] == "Cuti Bersama Hari Raya Natal"
    assert [row.day for row in closed] == sorted(names)


@pytest.mark.parametrize(
    ("years", "through"),
    [
        ((2026,), date(2026, 12, 31)),
        ((2026, 2027, 2028), date(2027, 12, 31)),
        ((2028,), None),
    ],
)
def test_collective_leave_is_known_up_to_the_first_year_without_any(
    years: tuple[int, ...], through: date | None
) -> None:
    assert seed_holidays(years).collective_leave_known_through == through
