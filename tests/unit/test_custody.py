"""Custody: spans without a gap, whose lengths add up to the age of the case whatever the rows say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.custody import Holding, Span, custody
from domain.pauses import ClockInterval, PauseCause

T0 = datetime(2026, 3, 2, 2, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def held(holder: str, begins: int, ends: int | None, *pauses: tuple[int, int | None]) -> Holding[str]:
    stood = tuple(
        ClockInterval(from_=at(start), to=None if end is None else at(end), cause=PauseCause.WAITING_DOCUMENT)
        for start, end in pauses
    )
    return Holding(holder=holder, begins=at(begins), ends=None if ends is None else at(ends), pauses=stood)


def told(spans: tuple[Span[str], ...]) -> list[tuple[str, int, int, bool]]:
    return [
        (
            span.holder,
            (span.begins - T0) // timedelta(minutes=1),
            (span.ends - T0) // timedelta(minutes=1),
            bool(span.paused),
        )
        for span in spans
    ]


def test_what_nobody_holds_is_the_systems() -> None:
    spans = custody([held("village", 5, 20), held("regency", 25, None)], begins=at(0), ends=at(40), otherwise="system")
    assert told(spans) == [
        ("system", 0, 5, False),
        ("village", 5, 20, False),
        ("system", 20, 25, False),
        ("regency", 25, 40, False),
    ]


def test_a_pause_cuts_the_time_of_its_holder() -> None:
    spans = custody([held("village", 0, 30, (10, 20), (15, 22))], begins=at(0), ends=at(30), otherwise="system")
    assert told(spans) == [
        ("village", 0, 10, False),
        ("village", 10, 15, True),
        ("village", 15, 20, True),
        ("village", 20, 22, True),
        ("village", 22, 30, False),
    ]


def test_a_pause_without_an_end_stands_until_the_holder_gives_the_case_on() -> None:
    spans = custody([held("village", 0, 30, (10, None))], begins=at(0), ends=at(50), otherwise="system")
    assert told(spans) == [("village", 0, 10, False), ("village", 10, 30, True), ("system", 30, 50, False)]


def test_overlapping_rows_count_no_moment_twice() -> None:
    spans = custody([held("village", 0, 30), held("regency", 20, 40)], begins=at(0), ends=at(40), otherwise="system")
    assert told(spans) == [("village", 0, 30, False), ("regency", 30, 40, False)]


_MOMENTS = st.integers(-20, 120)


@st.composite
def _holding(draw: st.DrawFn) -> Holding[str]:
    begins = draw(_MOMENTS)
    length = draw(st.none() | st.integers(0, 60))
    starts = draw(st.lists(_MOMENTS, max_size=3))
    pauses = [(start, start + draw(st.integers(0, 40))) for start in starts]
    holder = draw(st.sampled_from(["village", "regency", "ministry"]))
    return held(holder, begins, None if length is None else begins + length, *pauses)


@given(st.lists(_holding(), max_size=6), st.integers(0, 100))
def test_the_lengths_add_up_to_the_age_exactly(holdings: list[Holding[str]], age: int) -> None:
    spans = custody(holdings, begins=at(0), ends=at(age), otherwise="system")
    assert sum((span.length for span in spans), timedelta()) == timedelta(minutes=age)
    assert all(span.length > timedelta() for span in spans)
    assert all(earlier.ends == later.begins for earlier, later in pairwise(spans))
