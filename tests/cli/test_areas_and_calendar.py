from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from db.models import Area, Calendar
from db.owner import OwnerDatabase
from devstack.areas import nation, zone_of
from devstack.postgres import DatabaseUrls
from domain.calendar import WorkingCalendar
from domain.vocabulary import AreaLevel
from tests.cli.conftest import Kawal

pytestmark = pytest.mark.usefixtures("settings")


async def areas_by_level(urls: DatabaseUrls) -> list[int]:
    async with OwnerDatabase(urls.migrator).transaction() as connection:
        statement = select(func.count()).select_from(Area).group_by(Area.level).order_by(Area.level)
        return list(await connection.scalars(statement))


async def calendars(urls: DatabaseUrls) -> list[WorkingCalendar]:
    async with OwnerDatabase(urls.migrator).transaction() as connection:
        documents = await connection.scalars(select(Calendar.document).order_by(Calendar.version))
        return [WorkingCalendar.model_validate(document) for document in documents]


def test_the_whole_country_is_known_each_area_after_the_one_that_contains_it() -> None:
    seen: set[str] = set()
    by_level = dict.fromkeys(AreaLevel, 0)
    for area in nation():
        assert area.parent_code is None or area.parent_code in seen
        seen.add(area.code)
        by_level[area.level] += 1
    assert list(by_level.values()) == [38, 514, 7285, 83762]


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("11.01", "Asia/Jakarta"),
        ("32.06.13.2001", "Asia/Jakarta"),
        ("61.71", "Asia/Pontianak"),
        ("62", "Asia/Pontianak"),
        ("63", "Asia/Makassar"),
        ("51.71", "Asia/Makassar"),
        ("73", "Asia/Makassar"),
        ("81", "Asia/Jayapura"),
        ("96", "Asia/Jayapura"),
    ],
)
def test_an_area_has_the_clock_of_its_province(code: str, zone: str) -> None:
    assert zone_of(code) == zone


async def test_loading_a_regency_twice_loads_it_once(kawal: Kawal, database: DatabaseUrls) -> None:
    first, again = await kawal("areas", "load"), await kawal("areas", "load")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "39 districts, 351 villages; 392 new or changed" in first.stdout
    assert "; 0 new or changed" in again.stdout
    assert await areas_by_level(database) == [1, 1, 39, 351]


async def test_two_regencies_of_one_province_share_it(kawal: Kawal, database: DatabaseUrls) -> None:
    await kawal("areas", "load", "--regency", "32.78", "--regency", "32.79")
    assert (await areas_by_level(database))[:2] == [1, 2]


async def test_the_whole_country_is_loaded_on_request(kawal: Kawal, database: DatabaseUrls) -> None:
    loaded = await kawal("areas", "load", "--all")
    assert "83,762 villages; 91,599 new or changed" in loaded.stdout
    assert await areas_by_level(database) == [38, 514, 7285, 83762]


@pytest.mark.parametrize("code", ["32", "32.06.13", "32.99", "Tasikmalaya"])
async def test_what_is_no_regency_is_refused_without_a_trace(kawal: Kawal, code: str) -> None:
    refused = await kawal("areas", "load", "--regency", code)
    assert refused.exit_code == 1
    assert "no regency" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_a_calendar_is_written_again_only_when_it_differs(kawal: Kawal, database: DatabaseUrls) -> None:
    first = await kawal("calendar", "load", "--years", "2026")
    again = await kawal("calendar", "load", "--years", "2026")
    wider = await kawal("calendar", "load", "--years", "2026-2027")
    assert "version 1 (new)" in first.stdout
    assert "version 1 (unchanged)" in again.stdout
    assert "version 2 (new)" in wider.stdout
    narrow, wide = await calendars(database)
    assert set(narrow.closed) < set(wide.closed)
    assert not wide.is_working_day(date(2026, 8, 17))


@pytest.mark.parametrize("years", ["soon", "2028-2026", "1899", "2026-9999"])
async def test_a_span_of_years_that_is_none_is_refused(kawal: Kawal, years: str) -> None:
    refused = await kawal("calendar", "load", "--years", years)
    assert refused.exit_code == 1
    assert "no span of years" in refused.stderr
