"""Rounds: which calendars are refused, for which round an update counts, and which musdes window holds."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import ONE_DAY, Window
from domain.deadlines import compute_deadline
from domain.durations import WindowClose, WorkingDays
from domain.rounds import (
    Days,
    Round,
    RoundDates,
    RoundState,
    check_plan,
    check_rescheduling,
    days_left,
    held_until,
    moments_of,
    round_for,
    state_of,
)
from tests.unit.office_calendars import WIB, WIT, WITA, local, regency

NOW = local("2026-11-24 10:00")
DECEMBER = RoundDates(
    opens=date(2026, 12, 1),
    input_window=Days(opens=date(2026, 12, 1), closes=date(2026, 12, 10)),
    musdes_window=Days(opens=date(2026, 12, 7), closes=date(2026, 12, 16)),
    cut_off=date(2026, 12, 21),
    publishes=date(2026, 12, 29),
)


def _round(dates: RoundDates, number: int = 1, zone: str = WIB) -> Round:
    opens_at, cutoff_at = moments_of(dates, regency(zone))
    return Round(
        id=UUID(int=number),
        area_code="32.06",
        period=f"{dates.cut_off:%Y-%m}",
        version=1,
        dates=dates,
        opens_at=opens_at,
        cutoff_at=cutoff_at,
    )


def _later(dates: RoundDates, days: int) -> RoundDates:
    def moved(span: Days) -> Days:
        return Days(opens=span.opens + days * ONE_DAY, closes=span.closes + days * ONE_DAY)

    return RoundDates(
        opens=dates.opens + days * ONE_DAY,
        input_window=moved(dates.input_window),
        musdes_window=moved(dates.musdes_window),
        cut_off=dates.cut_off + days * ONE_DAY,
        publishes=dates.publishes + days * ONE_DAY,
    )


def _faults(dates: RoundDates, period: str = "2026-12", others: tuple[Round, ...] = ()) -> set[tuple[str, str]]:
    found = check_plan(dates, period=period, calendar=regency(), others=others, now=NOW)
    return {(violation.pointer, violation.code) for violation in found}


def test_a_calendar_in_order_on_working_days_has_no_fault() -> None:
    assert _faults(DECEMBER) == set()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"cut_off": date(2026, 12, 15)}, ("/cut_off", "round_out_of_order")),
        ({"cut_off": date(2026, 12, 24)}, ("/cut_off", "offices_closed")),
        ({"cut_off": date(2027, 1, 4), "publishes": date(2027, 1, 8)}, ("/cut_off", "cut_off_outside_period")),
        ({"publishes": date(2026, 12, 18)}, ("/publishes", "round_out_of_order")),
        ({"publishes": date(2026, 12, 25)}, ("/publishes", "offices_closed")),
        ({"publishes": date(2027, 12, 15)}, ("/publishes", "round_too_long")),
        ({"opens": date(2026, 11, 23)}, ("/opens", "day_is_past")),
        ({"opens": date(2026, 12, 8)}, ("/musdes_window/opens", "round_out_of_order")),
        (
            {"input_window": Days(opens=date(2026, 12, 9), closes=date(2026, 12, 3))},
            ("/input_window/closes", "round_out_of_order"),
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_by_the_day_at_fault(
    change: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert fault in _faults(DECEMBER.model_copy(update=change))


def test_rounds_of_a_regency_do_not_overlap_before_their_cut_offs_but_one_is_published_while_the_next_is_open() -> None:
    december = _round(DECEMBER)
    january = _later(DECEMBER, 22)
    assert january.opens < DECEMBER.publishes
    assert _faults(january, "2027-01", (december,)) == set()
    earlier = _later(DECEMBER, 22).model_copy(update={"opens": DECEMBER.cut_off})
    assert _faults(earlier, "2027-01", (december,)) == {("/opens", "rounds_overlap")}


def test_a_day_that_has_come_is_not_moved_and_none_is_moved_to_a_day_that_has() -> None:
    def faults(dates: RoundDates, now: datetime) -> set[str]:
        found = check_rescheduling(_round(DECEMBER), dates, calendar=regency(), others=(), now=now)
        return {violation.code for violation in found}

    later = DECEMBER.model_copy(update={"cut_off": date(2026, 12, 23)})
    assert faults(later, local("2026-12-20 10:00")) == set()
    assert faults(later, local("2026-12-21 10:00")) == {"day_is_past"}, "on the day itself villages go by it"
    back = DECEMBER.model_copy(update={"cut_off": date(2026, 12, 17)})
    assert faults(back, local("2026-12-18 10:00")) == {"day_is_past"}
    assert faults(DECEMBER, NOW) == {"round_unchanged"}


@pytest.mark.parametrize("zone", [WIB, WITA, WIT])
def test_a_round_opens_with_the_day_and_is_cut_off_at_closing_time_in_its_own_zone(zone: str) -> None:
    december, calendar = _round(DECEMBER, zone=zone), regency(zone)
    states = [
        state_of(december, now=local(moment, zone), calendar=calendar)
        for moment in (
            "2026-11-30 23:59",
            "2026-12-01 00:00",
            "2026-12-21 16:00",
            "2026-12-21 16:01",
            "2026-12-29 00:00",
        )
    ]
    assert states == [
        RoundState.PLANNED,
        RoundState.OPEN,
        RoundState.OPEN,
        RoundState.CUT_OFF,
        RoundState.PUBLISHED,
    ]
    assert state_of(december.model_copy(update={"closed": True}), now=NOW, calendar=calendar) is RoundState.CLOSED


def test_days_left_are_those_of_the_regency_and_working_days_leave_out_holidays() -> None:
    left = days_left(date(2026, 12, 28), now=local("2026-12-23 23:30"), calendar=regency())
    assert left == (5, 1), "Christmas, its collective leave and a weekend lie between"
    assert days_left(date(2026, 12, 20), now=local("2026-12-23 10:00"), calendar=regency()) == (-3, 0)


moments = st.integers(0, 200 * 24 * 60).map(lambda minutes: local("2026-11-01 00:00") + timedelta(minutes=minutes))
shifts = st.lists(st.integers(-20, 120), min_size=0, max_size=4, unique=True).map(sorted)


@given(moments, moments, shifts)
def test_a_later_approval_never_counts_for_an_earlier_round_and_none_is_lost(
    one: datetime, other: datetime, shifts: list[int]
) -> None:
    rounds = [_round(_later(DECEMBER, days), place + 1) for place, days in enumerate(shifts)]
    early, late = sorted((one, other))
    first, second = round_for(rounds, early), round_for(rounds, late)
    if second is not None:
        assert first is not None
        assert first.cutoff_at <= second.cutoff_at
        assert second.cutoff_at >= late
    missed = [each for each in rounds if early <= each.cutoff_at]
    assert (first is None) == (not missed), "there is a round for it as long as one is to be cut off"


@given(moments, shifts)
def test_delivery_waits_only_while_the_round_it_counts_for_has_not_opened(moment: datetime, shifts: list[int]) -> None:
    rounds = [_round(_later(DECEMBER, days), place + 1) for place, days in enumerate(shifts)]
    counted = round_for(rounds, moment)
    held = held_until(rounds, counted and counted.id, now=moment)
    assert held is None or (counted is not None and held == counted.opens_at > moment)
    if counted is not None and counted.opens_at <= moment:
        assert held is None


gaps = st.lists(st.tuples(st.integers(1, 40), st.integers(10, 40)), max_size=4)


def _rounds_apart(gaps: list[tuple[int, int]]) -> list[RoundDates]:
    """Rounds one after the other, each so many days after the one before and so many days long."""
    rounds, day = list[RoundDates](), date(2026, 11, 10)
    for gap, length in gaps:
        opens = day + gap * ONE_DAY
        day = opens + length * ONE_DAY
        window = Days(opens=opens + 2 * ONE_DAY, closes=day - 4 * ONE_DAY)
        dates = RoundDates(opens=opens, input_window=window, musdes_window=window, cut_off=day, publishes=day)
        rounds.append(dates)
    return rounds


@given(st.integers(0, 150), gaps, st.sampled_from([(), (Window(opens=date(2026, 12, 3), closes=date(2026, 12, 9)),)]))
def test_in_a_round_its_window_is_the_only_one_and_outside_of_rounds_nothing_changes(
    start: int, gaps: list[tuple[int, int]], windows: tuple[Window, ...]
) -> None:
    plain = regency(windows=windows)
    spans = tuple(_round(dates, place + 1).span for place, dates in enumerate(_rounds_apart(gaps)))
    calendar = plain.model_copy(update={"rounds": spans})
    day = date(2026, 11, 1) + start * ONE_DAY
    found = [window for window, _ in zip(calendar.windows_from(day), range(8), strict=False)]
    assert found == sorted(found, key=lambda window: window.opens)
    until = found[-1].opens
    own = [span.musdes for span in spans if day <= span.musdes.opens <= until]
    others = [
        window
        for window, _ in zip(plain.windows_from(day), range(20), strict=False)
        if window.opens <= until and not any(span.holds(window) for span in spans)
    ]
    assert sorted([*own, *others], key=lambda window: window.opens) == found


def test_a_deliberation_waits_for_the_window_of_the_round_and_says_so() -> None:
    calendar = regency().model_copy(update={"rounds": (_round(DECEMBER).span,)})
    due = compute_deadline(
        local("2026-11-25 10:00"),
        duration=WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3)),
        calendar=calendar,
    )
    assert due.window == Window(opens=date(2026, 12, 7), closes=date(2026, 12, 16))
    assert due.due_at == local("2026-12-16 16:00")
    assert "rounds" not in calendar.model_dump(), "rounds are no part of the version that is stored"
