from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.calendar import ClosedDay, Window, WorkingCalendar
from tests.unit.office_calendars import WIB, WIT, WITA, local, regency

LOCAL_CLOSING = ClosedDay(
    day=date(2026, 7, 27), name="Hari Jadi Kabupaten", category="local_closing", source="SK Bupati"
)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 3, 17), None),
        (date(2026, 3, 28), "weekend"),
        (date(2026, 3, 19), "Hari Suci Nyepi"),
        (date(2026, 3, 20), "Cuti Bersama Hari Raya Idul Fitri"),
        (date(2026, 3, 21), "Hari Raya Idul Fitri"),  # a Saturday: the feast names it
    ],
)
def test_a_closed_day_says_why_it_is_closed(day: date, why: str | None) -> None:
    answer = regency().why_closed(day)
    assert (answer.name if isinstance(answer, ClosedDay) else answer) == why
    assert regency().is_working_day(day) is (why is None)


def test_a_local_closing_closes_this_regency_alone() -> None:
    base = regency()
    assert base.is_working_day(LOCAL_CLOSING.day)
    closed = base.model_copy(update={"closed": (*base.closed, LOCAL_CLOSING)})
    assert closed.why_closed(LOCAL_CLOSING.day) == LOCAL_CLOSING
    assert base.is_working_day(LOCAL_CLOSING.day)


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2026, 3, 17), 1, date(2026, 3, 25)),  # over Nyepi and Lebaran
        (date(2026, 12, 23), 4, date(2026, 12, 31)),  # over Christmas
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # over the year's end
        (date(2028, 2, 25), 1, date(2028, 2, 29)),  # the leap day, after Lebaran of 2028
        (date(2026, 3, 21), 0, date(2026, 3, 21)),
    ],
)
def test_working_days_are_counted_over_what_is_closed(day: date, n: int, expected: date) -> None:
    assert regency().add_working_days(day, n) == expected


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-08-07 06:00", date(2026, 8, 7)),
        ("2026-08-07 16:00:00", date(2026, 8, 7)),
        ("2026-08-07 16:00:01", date(2026, 8, 10)),
        ("2026-08-08 09:00", date(2026, 8, 10)),
        ("2026-03-17 17:00", date(2026, 3, 25)),
    ],
)
def test_what_comes_outside_office_hours_counts_as_received_on_the_next_working_day(moment: str, day: date) -> None:
    assert regency().received_on(local(moment)) == day


@pytest.mark.parametrize(("zone", "utc_hour"), [(WIB, 9), (WITA, 8), (WIT, 7)])
def test_closing_time_is_that_of_the_areas_zone(zone: str, utc_hour: int) -> None:
    closing = regency(zone).closes_at(date(2026, 8, 7))
    assert (closing.hour, closing.utcoffset()) == (utc_hour, timedelta(0))


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        ("2026-08-04 10:00", "2026-08-04 12:00", 2),
        ("2026-08-04 10:00", "2026-08-05 10:00", 8.5),
        ("2026-08-04 17:00", "2026-08-05 07:00", 0),
        ("2026-08-07 15:00", "2026-08-10 08:30", 2),  # a weekend between
        ("2026-03-17 00:00", "2026-03-26 00:00", 17),  # Lebaran between two open days
        ("2026-08-08 09:00", "2026-08-08 12:00", 0),
    ],
)
def test_office_time_runs_only_while_offices_are_open(begins: str, ends: str, hours: float) -> None:
    assert regency().office_time(local(begins), local(ends)) == timedelta(hours=hours)


moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: local("2025-01-01 00:00") + timedelta(minutes=minutes))


@given(st.tuples(moments, moments, moments).map(sorted), st.sampled_from([WIB, WITA, WIT]))
def test_office_time_of_two_stretches_is_that_of_the_whole(three: list[datetime], zone: str) -> None:
    begins, between, ends = three
    calendar = regency(zone)
    whole = calendar.office_time(begins, ends)
    assert calendar.office_time(begins, between) + calendar.office_time(between, ends) == whole
    assert timedelta(0) <= whole <= ends - begins


@pytest.mark.parametrize(
    ("after", "opens"),
    [
        (date(2026, 2, 24), date(2026, 3, 1)),  # 25, 26, 27 February
        (date(2026, 2, 25), date(2026, 4, 1)),  # the third working day is 2 March
        (date(2026, 12, 20), date(2027, 1, 1)),
    ],
)
def test_the_monthly_window_is_the_next_that_opens_three_working_days_later(after: date, opens: date) -> None:
    window = regency().next_window(after, 3)
    assert window == Window(opens=opens, closes=opens.replace(day=14))
    assert not regency().is_assumed(window)


def test_windows_the_regency_has_fixed_hold_and_past_them_the_monthly_one_is_assumed() -> None:
    fixed = Window(opens=date(2026, 9, 7), closes=date(2026, 9, 18))
    calendar = regency(windows=(fixed,))
    assert calendar.next_window(date(2026, 8, 3), 3) == fixed
    assert not calendar.is_assumed(fixed)
    later = calendar.next_window(date(2026, 9, 4), 3)
    assert later == Window(opens=date(2026, 10, 1), closes=date(2026, 10, 14))
    assert calendar.is_assumed(later)


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Berlin"},
        {"closing_time": "07:00"},
        {"musdes_days": (14, 1)},
        {"musdes_days": (1, 31)},
        {"windows": ({"opens": "2026-09-18", "closes": "2026-09-07"},)},
        {
            "windows": (
                {"opens": "2026-09-07", "closes": "2026-09-18"},
                {"opens": "2026-09-18", "closes": "2026-09-20"},
            )
        },
    ],
)
def test_a_calendar_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    right = {"area_code": "32.06", "version": 1, "zone": WIB}
    WorkingCalendar.model_validate(right)
    with pytest.raises(ValidationError):
        WorkingCalendar.model_validate(right | wrong)
