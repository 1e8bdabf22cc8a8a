"""What holds for every deadline, whatever the calendar, the pauses and the credits."""

from datetime import date, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import ONE_DAY, Window, WorkingCalendar
from domain.deadlines import ClockInterval, Credit, CreditCause, Deadline, PauseCause, compute_deadline, rung_at
from domain.durations import After, CalendarDays, Duration, Elapsed, Share, WindowClose, WorkingDays
from domain.pauses import Stop, merged
from tests.unit.office_calendars import WIB, WIT, WITA, local, regency

# Everything happens within four months around Lebaran or a year's end, so that pauses, closed days and windows meet.
BEGINNINGS = (local("2026-02-01 00:00"), local("2026-11-15 00:00"), local("2027-02-01 00:00"))
MINUTES = 120 * 24 * 60

# Half of the moments lie on the hour: the edges of office hours are where mistakes are made.
minutes = st.integers(0, MINUTES) | st.integers(0, MINUTES // 60).map(lambda hour: hour * 60)


def _moment(begins: datetime, minutes: int) -> datetime:
    return begins + timedelta(minutes=minutes)


def _pause(begins: datetime, minutes: int, cause: PauseCause) -> ClockInterval:
    return ClockInterval(from_=begins, to=_moment(begins, minutes), cause=cause)


moments = st.builds(_moment, st.sampled_from(BEGINNINGS), minutes)


def _windows(gaps: list[tuple[int, int]]) -> tuple[Window, ...]:
    opens = accumulate((gap + length for gap, length in gaps), initial=date(2026, 2, 1).toordinal())
    return tuple(
        Window(
            opens=date.fromordinal(start) + gap * ONE_DAY,
            closes=date.fromordinal(start) + (gap + length - 1) * ONE_DAY,
        )
        for start, (gap, length) in zip(opens, gaps, strict=False)
    )


windows = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 14)), max_size=6).map(_windows)
calendars = st.builds(regency, st.sampled_from([WIB, WITA, WIT]), st.just(()) | windows)
pauses = st.builds(_pause, moments, st.integers(0, 40 * 24 * 60) | st.integers(0, 180), st.sampled_from(PauseCause))
several_pauses = st.lists(pauses, max_size=5)
causes: st.SearchStrategy[CreditCause] = st.sampled_from(("remote_area", "recorded_outage", "extension"))
several_credits = st.lists(st.builds(Credit, working_days=st.integers(1, 5), cause=causes), max_size=2)

working_days = st.builds(WorkingDays, working_days=st.integers(1, 30))
calendar_days = st.builds(CalendarDays, calendar_days=st.integers(1, 40))
elapsed = st.builds(Elapsed, elapsed=st.integers(1, 40 * 24 * 3600).map(lambda s: timedelta(seconds=s)))
window_closes = st.builds(WindowClose, window_close=st.just("musdes"), at_least=working_days)
durations: st.SearchStrategy[Duration] = working_days | calendar_days | elapsed | window_closes


def longer(duration: Duration) -> Duration:
    match duration:
        case WorkingDays(working_days=n):
            return WorkingDays(working_days=n + 1)
        case CalendarDays(calendar_days=n):
            return CalendarDays(calendar_days=n + 1)
        case Elapsed(elapsed=time):
            return Elapsed(elapsed=time + timedelta(minutes=37))
        case WindowClose(at_least=at_least):
            more = WorkingDays(working_days=at_least.working_days + 1)
            return WindowClose(window_close="musdes", at_least=more)


def compute(
    started: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    pauses: list[ClockInterval],
    credits: list[Credit],  # noqa: A002 - the word of the field
) -> Deadline:
    return compute_deadline(started, duration=duration, calendar=calendar, pauses=pauses, credits=credits)


def stops_before(deadline: Deadline) -> list[Stop]:
    return [stop for stop in merged(deadline.pauses, as_of=None) if stop.begins < deadline.due_at]


@given(st.tuples(moments, moments).map(sorted), durations, calendars, several_pauses, several_credits)
def test_a_later_start_is_never_due_earlier(
    starts: list[datetime],
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    early, late = (compute(start, duration, calendar, stood, extra) for start in starts)
    assert early.due_at <= late.due_at


@given(moments, durations, calendars, several_pauses, several_credits)
def test_a_longer_duration_is_never_due_earlier(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    shorter = compute(start, duration, calendar, stood, extra)
    assert shorter.due_at <= compute(start, longer(duration), calendar, stood, extra).due_at


@given(moments, durations, calendars, several_pauses, several_credits, pauses)
def test_one_more_pause_is_never_due_earlier(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
    one_more: ClockInterval,
) -> None:
    fewer = compute(start, duration, calendar, stood, extra)
    assert fewer.due_at <= compute(start, duration, calendar, [*stood, one_more], extra).due_at


@given(moments, durations, calendars, several_pauses, several_credits)
def test_one_more_credit_is_never_due_earlier(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    more = [*extra, Credit(working_days=1, cause="extension")]
    fewer = compute(start, duration, calendar, stood, extra)
    assert fewer.due_at <= compute(start, duration, calendar, stood, more).due_at


@given(moments, durations, calendars, several_pauses, several_credits)
def test_a_deadline_lies_after_its_start_and_never_in_a_pause_that_began_before_it(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    deadline = compute(start, duration, calendar, stood, extra)
    assert deadline.due_at > start
    assert all(stop.ends <= deadline.due_at for stop in stops_before(deadline))


@given(moments, working_days, calendars, several_pauses, several_credits)
def test_working_days_add_up_and_end_at_closing_time_of_a_working_day(
    start: datetime,
    duration: WorkingDays,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    deadline = compute(start, duration, calendar, stood, extra)
    last = calendar.local_day(deadline.due_at)
    assert calendar.is_working_day(last)
    assert deadline.due_at == calendar.closes_at(last)
    credited = sum(credit.working_days for credit in extra)
    assert deadline.counted_days == duration.working_days + credited + deadline.paused_days
    between = (last - calendar.local_day(start)).days
    assert between == deadline.counted_days + len(deadline.skipped)


@given(moments, working_days, calendars, several_pauses)
def test_an_officer_has_the_whole_working_days_and_not_one_more(
    start: datetime, duration: WorkingDays, calendar: WorkingCalendar, stood: list[ClockInterval]
) -> None:
    deadline = compute(start, duration, calendar, stood, [])
    begins = calendar.closes_at(calendar.received_on(start))
    lost = sum(
        (calendar.office_time(max(stop.begins, begins), max(stop.ends, begins)) for stop in stops_before(deadline)),
        timedelta(0),
    )
    had = calendar.office_time(begins, deadline.due_at) - lost
    n = duration.working_days
    assert n * calendar.office_day <= had < (n + 1) * calendar.office_day


@given(moments, elapsed, calendars, several_pauses)
def test_elapsed_time_is_exactly_the_time_the_clock_ran(
    start: datetime, duration: Elapsed, calendar: WorkingCalendar, stood: list[ClockInterval]
) -> None:
    deadline = compute(start, duration, calendar, stood, [])
    assert deadline.due_at - start - deadline.paused == duration.elapsed


@given(moments, window_closes, calendars)
def test_a_window_leaves_the_working_days_it_promises_before_it_opens(
    start: datetime, duration: WindowClose, calendar: WorkingCalendar
) -> None:
    deadline = compute(start, duration, calendar, [], [])
    assert deadline.window is not None
    assert deadline.due_at == calendar.closes_at(deadline.window.closes)
    needed = duration.at_least.working_days
    assert calendar.add_working_days(calendar.received_on(start), needed) <= deadline.window.opens
    assert calendar.next_window(calendar.received_on(start), needed) == deadline.window


@given(moments, durations, calendars, several_pauses, several_credits, st.tuples(*[st.floats(0.01, 1)] * 2).map(sorted))
def test_shares_of_a_deadline_come_in_order_between_start_and_deadline_and_never_in_a_pause(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
    shares: list[float],
) -> None:
    deadline = compute(start, duration, calendar, stood, extra)
    first, second = (rung_at(deadline, Share(share=share), calendar=calendar) for share in shares)
    assert start <= first <= second <= deadline.due_at
    assert not any(stop.begins < second < stop.ends for stop in merged(stood, as_of=None))


@given(moments, durations, calendars, several_pauses, st.sampled_from([WorkingDays, Elapsed]))
def test_rungs_past_a_deadline_come_after_it_and_in_order(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    form: type[WorkingDays] | type[Elapsed],
) -> None:
    deadline = compute(start, duration, calendar, stood, [])
    after: list[After] = (
        [WorkingDays(working_days=n) for n in (1, 2)]
        if form is WorkingDays
        else [Elapsed(elapsed=timedelta(seconds=n)) for n in (5, 10)]
    )
    first, second = (rung_at(deadline, rung, calendar=calendar) for rung in after)
    assert deadline.due_at < first < second


@given(moments, durations, calendars, several_pauses, several_credits)
def test_every_deadline_has_its_sentence_in_both_languages_and_survives_json(
    start: datetime,
    duration: Duration,
    calendar: WorkingCalendar,
    stood: list[ClockInterval],
    extra: list[Credit],
) -> None:
    deadline = compute(start, duration, calendar, stood, extra)
    assert "; batas waktu " in deadline.sentence("id")
    assert "; due " in deadline.sentence("en")
    assert deadline.sentence("en").index(".") == len(deadline.sentence("en")) - 1
    assert Deadline.model_validate_json(deadline.model_dump_json()) == deadline
