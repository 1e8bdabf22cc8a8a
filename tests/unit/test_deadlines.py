"""Deadlines worked out by hand on the real closed days of 2026 and 2027, and what the rules promise in words."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.calendar import Window
from domain.deadlines import ClockInterval, Credit, Deadline, PauseCause, compute_deadline, rung_at
from domain.durations import CalendarDays, Duration, Elapsed, Share, WindowClose, WorkingDays
from tests.unit.office_calendars import WIB, WIT, WITA, local, regency

MUSDES = WindowClose(window_close="musdes", at_least=WorkingDays(working_days=3))


def days(n: int) -> WorkingDays:
    return WorkingDays(working_days=n)


def elapsed(**time: float) -> Elapsed:
    return Elapsed(elapsed=timedelta(**time))


def pause(begins: str, ends: str | None, cause: PauseCause = PauseCause.RETURNED) -> ClockInterval:
    return ClockInterval(from_=local(begins), to=local(ends) if ends else None, cause=cause)


def due(start: str, duration: Duration, *pauses: ClockInterval, plus: int = 0, now: str | None = None) -> Deadline:
    return compute_deadline(
        local(start),
        duration=duration,
        calendar=regency(),
        pauses=pauses,
        credits=[Credit(working_days=plus, cause="remote_area")] if plus else [],
        now=local(now) if now else None,
    )


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        ("2026-08-03 10:00", 5, "2026-08-10 16:00"),  # Mon: Tue Wed Thu Fri | Mon
        ("2026-03-16 10:00", 5, "2026-03-30 16:00"),  # Lebaran 2026: 17 | 25 26 27 | 30 March
        ("2027-03-05 09:00", 5, "2027-03-22 16:00"),  # Lebaran 2027: 16 17 18 19 | 22 March
        ("2026-12-23 10:00", 5, "2027-01-04 16:00"),  # year's end: 28 29 30 31 December | 4 January
        ("2028-02-25 10:00", 1, "2028-02-29 16:00"),  # the leap day, after 28 February closed
        ("2026-08-07 16:01", 1, "2026-08-11 16:00"),  # Friday evening counts as Monday
        ("2026-08-08 09:00", 1, "2026-08-11 16:00"),  # so does Saturday
        ("2026-08-10 06:00", 1, "2026-08-11 16:00"),  # and Monday before opening
    ],
)
def test_working_days_end_at_closing_time_of_the_last_one(start: str, n: int, expected: str) -> None:
    assert due(start, days(n)).due_at == local(expected)


def test_every_day_of_lebaran_2026_is_skipped_with_its_reason() -> None:
    deadline = due("2026-03-16 10:00", days(5))
    assert [(skipped.day.day, skipped.category) for skipped in deadline.skipped] == [
        (18, "collective_leave"),
        (19, "public_holiday"),
        (20, "collective_leave"),
        (21, "public_holiday"),
        (22, "public_holiday"),
        (23, "collective_leave"),
        (24, "collective_leave"),
        (28, "weekend"),
        (29, "weekend"),
    ]


@pytest.mark.parametrize(("zone", "utc_hour"), [(WIB, 9), (WITA, 8), (WIT, 7)])
def test_the_same_day_ends_earlier_in_the_east(zone: str, utc_hour: int) -> None:
    deadline = compute_deadline(local("2026-08-03 10:00", zone), duration=days(1), calendar=regency(zone))
    assert deadline.due_at == datetime(2026, 8, 4, utc_hour, tzinfo=UTC)


def test_a_start_late_in_the_utc_day_is_dated_by_the_clock_of_the_area() -> None:
    started = datetime(2026, 8, 3, 23, 30, tzinfo=UTC)  # Tuesday 08:30 in Jayapura
    assert compute_deadline(started, duration=days(1), calendar=regency(WIT)).due_at == local("2026-08-05 16:00", WIT)


def test_calendar_days_run_through_holidays_and_leap_days() -> None:
    assert due("2026-03-16 10:00", CalendarDays(calendar_days=5)).due_at == local("2026-03-21 16:00")
    assert due("2028-02-25 10:00", CalendarDays(calendar_days=5)).due_at == local("2028-03-01 16:00")


def test_elapsed_time_knows_no_office_hours() -> None:
    assert due("2026-03-20 23:59:50", elapsed(seconds=20)).due_at == local("2026-03-21 00:00:10")


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2026-08-03 11:00", "2026-08-03 15:00", "2026-08-06 16:00"),  # the start day is not counted
        ("2026-08-04 10:00", "2026-08-04 11:00", "2026-08-07 16:00"),  # an hour gives the day back
        ("2026-08-04 10:00", "2026-08-05 10:00", "2026-08-07 16:00"),  # exactly one office day
        ("2026-08-04 10:00", "2026-08-05 10:01", "2026-08-10 16:00"),  # a minute more
        ("2026-08-04 16:00", "2026-08-05 07:30", "2026-08-06 16:00"),  # a night
        ("2026-08-06 16:00", "2026-08-20 10:00", "2026-08-06 16:00"),  # too late: it was due
        ("2026-08-06 15:00", "2026-08-20 10:00", "2026-08-20 16:00"),  # 11 office days less an hour
    ],
)
def test_working_days_move_by_the_office_time_that_a_pause_took(begins: str, ends: str, expected: str) -> None:
    deadline = due("2026-08-03 10:00", days(3), pause(begins, ends))
    assert deadline.due_at == local(expected)


def test_a_pause_over_a_weekend_takes_nothing() -> None:
    assert due("2026-08-06 10:00", days(2), pause("2026-08-07 17:00", "2026-08-10 07:00")).paused_days == 0


def test_many_short_pauses_are_rounded_up_once() -> None:
    outages = [pause(f"2026-08-0{day} 10:00", f"2026-08-0{day} 10:10") for day in (4, 5, 6)]
    assert due("2026-08-03 10:00", days(3), *outages).due_at == local("2026-08-07 16:00")


def test_overlapping_pauses_give_back_no_moment_twice() -> None:
    overlapping = (
        pause("2026-08-03 12:00", "2026-08-03 14:00"),
        pause("2026-08-03 13:00", "2026-08-03 15:00", PauseCause.AREA_SUSPENDED),
    )
    deadline = due("2026-08-03 10:00", elapsed(hours=4), *overlapping)
    assert deadline.due_at == local("2026-08-03 17:00")
    assert deadline.paused == timedelta(hours=3)


def test_a_pause_within_another_does_not_end_it() -> None:
    outer = pause("2026-08-03 12:00", "2026-08-03 16:00")
    inner = pause("2026-08-03 13:00", "2026-08-03 14:00", PauseCause.CIVIL_REGISTRY_UNAVAILABLE)
    assert due("2026-08-03 10:00", elapsed(hours=4), outer, inner).due_at == local("2026-08-03 18:00")


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2026-03-16 11:00", "2026-03-16 15:00", "2026-03-21 16:00"),  # the start day is not counted
        ("2026-03-16 22:00", "2026-03-17 02:00", "2026-03-21 18:00"),
        ("2026-03-18 10:00", "2026-03-19 11:00", "2026-03-22 17:00"),
    ],
)
def test_calendar_days_move_by_exactly_the_time_the_clock_stood_after_the_start_day(
    begins: str, ends: str, expected: str
) -> None:
    five = CalendarDays(calendar_days=5)
    assert due("2026-03-16 10:00", five, pause(begins, ends)).due_at == local(expected)


def test_a_pause_after_the_first_one_moved_the_deadline_counts_too() -> None:
    moved_into = (
        pause("2026-08-03 13:00", "2026-08-03 15:00"),
        pause("2026-08-03 15:30", "2026-08-03 16:30"),
    )
    assert due("2026-08-03 10:00", elapsed(hours=4), *moved_into).due_at == local("2026-08-03 17:00")


def test_a_standing_pause_counts_as_if_it_ended_now() -> None:
    standing = pause("2026-08-04 10:00", None)
    early = due("2026-08-03 10:00", days(3), standing, now="2026-08-04 12:00")
    late = due("2026-08-03 10:00", days(3), standing, now="2026-08-12 12:00")
    unknown = due("2026-08-03 10:00", days(3), standing)
    assert (early.standing, late.standing, unknown.standing) == (True, True, True)
    assert early.due_at == local("2026-08-07 16:00")
    assert late.due_at == local("2026-08-18 16:00")  # 2 h left on the third day; 17 is a holiday
    assert unknown.due_at == local("2026-08-06 16:00")


def test_a_pause_that_has_ended_or_began_too_late_does_not_hold_the_clock() -> None:
    ended = pause("2026-08-04 10:00", "2026-08-04 11:00")
    assert not due("2026-08-03 10:00", days(3), ended, now="2026-08-05 10:00").standing
    too_late = pause("2026-08-10 10:00", None)
    assert not due("2026-08-03 10:00", days(3), too_late, now="2026-08-11 10:00").standing


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (days(3), "2026-08-10 16:00"),
        (elapsed(hours=2), "2026-08-05 16:00"),
        (CalendarDays(calendar_days=5), "2026-08-11 16:00"),  # due on Saturday 8, then Monday and Tuesday
        (MUSDES, "2026-09-16 16:00"),  # the window closes on Monday 14
    ],
)
def test_credits_add_working_days_to_every_duration(duration: Duration, expected: str) -> None:
    assert due("2026-08-03 10:00", duration, plus=2).due_at == local(expected)


@pytest.mark.parametrize(
    ("start", "pauses", "expected"),
    [
        ("2026-02-24 10:00", [], "2026-03-14 16:00"),  # ready on 27 February; a Saturday may close
        ("2026-02-25 10:00", [], "2026-04-14 16:00"),  # ready on 2 March, the window is open already
        ("2026-02-24 10:00", [("2026-02-26 10:00", "2026-02-26 11:00")], "2026-04-14 16:00"),
        ("2026-02-25 10:00", [("2026-04-13 10:00", "2026-04-14 10:00")], "2026-04-15 16:00"),
        ("2026-02-24 10:00", [("2026-03-14 08:00", "2026-03-16 12:00")], "2026-03-17 16:00"),
        ("2026-02-24 10:00", [("2026-03-14 08:00", "2026-03-15 12:00")], "2026-03-16 16:00"),
    ],
)
def test_a_deliberation_ends_with_the_window_that_leaves_time_to_prepare(
    start: str, pauses: list[tuple[str, str]], expected: str
) -> None:
    assert due(start, MUSDES, *(pause(*span) for span in pauses)).due_at == local(expected)


def test_of_two_windows_lost_to_one_pause_the_shorter_is_made_up_for_first() -> None:
    long_one = Window(opens=date(2026, 2, 2), closes=date(2026, 2, 13))
    short_one = Window(opens=date(2026, 3, 2), closes=date(2026, 3, 3))
    deadline = compute_deadline(
        local("2026-01-20 10:00"),
        duration=MUSDES,
        calendar=regency(windows=(long_one, short_one)),
        pauses=[pause("2026-02-01 00:00", "2026-04-13 00:00", PauseCause.AREA_SUSPENDED)],
    )
    assert (deadline.window, deadline.due_at) == (short_one, local("2026-04-14 16:00"))


def test_a_deadline_past_the_last_decree_on_collective_leave_is_provisional() -> None:
    assert not due("2027-12-23 10:00", days(5)).provisional  # due on 31 December
    assert due("2027-12-27 10:00", days(5)).provisional
    assert not due("2028-03-01 10:00", elapsed(hours=1)).provisional
    assert not due("2028-03-01 10:00", CalendarDays(calendar_days=5)).provisional
    assert due("2028-03-01 10:00", CalendarDays(calendar_days=5), plus=1).provisional
    assert due("2028-03-01 10:00", MUSDES).provisional
    undecreed = regency().model_copy(update={"collective_leave_known_through": None})
    assert compute_deadline(local("2026-08-03 10:00"), duration=days(1), calendar=undecreed).provisional


def test_a_deadline_on_an_assumed_window_is_provisional() -> None:
    calendar = regency(windows=(Window(opens=date(2026, 8, 10), closes=date(2026, 8, 14)),))
    fixed = compute_deadline(local("2026-08-03 10:00"), duration=MUSDES, calendar=calendar)
    assumed = compute_deadline(local("2026-08-10 10:00"), duration=MUSDES, calendar=calendar)
    assert (fixed.due_at, fixed.provisional) == (local("2026-08-14 16:00"), False)
    assert (assumed.due_at, assumed.provisional) == (local("2026-09-14 16:00"), True)


def test_half_way_of_a_deadline_leaves_pauses_out() -> None:
    paused = pause("2026-08-03 11:00", "2026-08-03 13:00")
    deadline = due("2026-08-03 10:00", elapsed(hours=4), paused)
    assert rung_at(deadline, Share(share=0.25), calendar=regency()) == local("2026-08-03 11:00")
    assert rung_at(deadline, Share(share=0.5), calendar=regency()) == local("2026-08-03 14:00")
    assert rung_at(deadline, Share(share=1.0), calendar=regency()) == deadline.due_at


def test_rungs_past_the_deadline_are_counted_from_it_and_wait_while_the_clock_stands() -> None:
    deadline = due("2026-08-03 10:00", days(3))
    assert rung_at(deadline, days(2), calendar=regency()) == local("2026-08-10 16:00")
    assert rung_at(deadline, elapsed(seconds=5), calendar=regency()) == local("2026-08-06 16:00:05")
    suspended = due(
        "2026-08-03 10:00",
        days(3),
        pause("2026-08-07 10:00", "2026-08-11 10:00", PauseCause.AREA_SUSPENDED),
    )
    assert suspended.due_at == deadline.due_at
    assert rung_at(suspended, days(2), calendar=regency()) == local("2026-08-12 16:00")


def test_the_sentence_tells_the_whole_way_in_english() -> None:
    deadline = compute_deadline(
        local("2026-03-13 17:00"),
        duration=days(5),
        calendar=regency(),
        pauses=[pause("2026-03-26 09:00", "2026-03-26 10:30")],
        credits=[Credit(working_days=2, cause="remote_area")],
    )
    assert deadline.sentence("en") == (
        "Started Friday 13 March 2026 at 17:00 WIB, counted as received on Monday 16 March 2026; "
        "5 working days allowed; not counted: 4 weekend days, Cuti Bersama Hari Suci Nyepi (18 March), "
        "Hari Suci Nyepi (19 March), Cuti Bersama Hari Raya Idul Fitri (20, 23 and 24 March), "
        "Hari Raya Idul Fitri (21 March) and Hari kedua dari Hari Raya Idul Fitri (22 March); "
        "2 working days added (remote area); the clock stood for 1 hour 30 minutes (returned for repair), "
        "which gives back 1 working day; due Thursday 2 April 2026 at 16:00 WIB."
    )


def test_the_sentence_tells_the_whole_way_in_indonesian() -> None:
    deadline = compute_deadline(
        local("2026-12-23 10:00", WITA),
        duration=days(5),
        calendar=regency(WITA),
        pauses=[ClockInterval(from_=local("2026-12-28 10:00", WITA), cause=PauseCause.AREA_SUSPENDED)],
        now=local("2026-12-28 12:00", WITA),
    )
    assert deadline.sentence("id") == (
        "Dimulai Rabu 23 Desember 2026 pukul 10.00 WITA; waktu yang diberikan 5 hari kerja; "
        "tidak dihitung: 4 hari akhir pekan, Cuti Bersama Hari Raya Natal (24 Desember), "
        "Hari Raya Natal (25 Desember), Tahun Baru Masehi (1 Januari 2027) "
        "dan Isra Mikraj Nabi Muhammad (5 Januari 2027); "
        "waktu berhenti selama 2 jam (wilayah ditangguhkan) dan diganti 1 hari kerja; "
        "batas waktu Rabu 6 Januari 2027 pukul 16.00 WITA, dan masih bergeser karena waktu sedang berhenti."
    )


def test_the_sentence_of_a_deliberation_names_its_window_and_that_it_is_provisional() -> None:
    sentence = due("2028-03-01 10:00", MUSDES).sentence("en")
    assert "musdes window Saturday 1 April 2028 to Friday 14 April 2028" in sentence
    assert sentence.endswith("provisional because the calendar up to that day is not yet complete.")


def test_seconds_are_told_where_a_policy_counts_in_seconds() -> None:
    assert due("2026-08-03 10:00:05", elapsed(seconds=20)).sentence("id") == (
        "Dimulai Senin 3 Agustus 2026 pukul 10.00.05 WIB; waktu yang diberikan 20 detik; "
        "batas waktu Senin 3 Agustus 2026 pukul 10.00.25 WIB."
    )


def test_a_deadline_survives_json_whole() -> None:
    deadline = due("2026-02-24 10:00", MUSDES, pause("2026-02-26 10:00", "2026-02-26 11:00"), plus=2)
    written = deadline.model_dump_json()
    assert '"from":' in written
    assert Deadline.model_validate_json(written) == deadline


def test_moments_without_a_zone_are_refused() -> None:
    naive = local("2026-08-03 10:00").replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        compute_deadline(naive, duration=days(1), calendar=regency())
    with pytest.raises(ValueError, match="time zone"):
        compute_deadline(local("2026-08-03 10:00"), duration=days(1), calendar=regency(), now=naive)
    with pytest.raises(ValidationError):
        ClockInterval(from_=naive, cause=PauseCause.RETURNED)


def test_a_clock_cannot_start_again_before_it_stopped() -> None:
    with pytest.raises(ValidationError):
        pause("2026-08-04 10:00", "2026-08-04 09:00")
