"""What orders do to a deadline, for orders of every kind: no moment twice, and exactly what was left when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.clock_orders import ClockOrder, OrderKind, SystemPart, credits_of, pauses_of
from domain.deadlines import compute_deadline
from domain.durations import Elapsed
from domain.pauses import PauseCause, merged
from domain.reckoning import stood_between
from domain.vocabulary import Stage
from tests.unit.office_calendars import regency

OPENED = datetime(2026, 11, 2, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALENDAR = regency()
HOURS = st.integers(min_value=-100, max_value=400)


def _suspension(number: int, begins: int, length: int | None, *, version: int = 1) -> ClockOrder:
    return ClockOrder(
        id=UUID(int=number),
        version=version,
        kind=OrderKind.SUSPENSION,
        area_code="32.06",
        number=f"360/{number}",
        from_=OPENED + begins * HOUR,
        until=None if length is None else OPENED + (begins + length) * HOUR,
    )


def _outage(
    number: int, begins: int, length: int, credit: int | None, *, part: SystemPart = SystemPart.NETWORK
) -> ClockOrder:
    return _suspension(number, begins, length).model_copy(
        update={"kind": OrderKind.OUTAGE, "credit_days": credit, "part": part}
    )


SUSPENSIONS = st.lists(st.tuples(HOURS, st.integers(min_value=1, max_value=300)), max_size=6).map(
    lambda spans: [_suspension(place + 1, begins, length) for place, (begins, length) in enumerate(spans)]
)
OUTAGES = st.lists(
    st.tuples(HOURS, st.integers(min_value=1, max_value=50), st.integers(min_value=1, max_value=5)), max_size=6
).map(lambda rows: [_outage(place + 100, *row) for place, row in enumerate(rows)])


@given(orders=SUSPENSIONS, hours=st.integers(min_value=1, max_value=200))
def test_elapsed_time_is_moved_by_every_moment_of_the_orders_once(orders: list[ClockOrder], hours: int) -> None:
    deadline = compute_deadline(
        OPENED,
        duration=Elapsed(elapsed=hours * HOUR),
        calendar=CALENDAR,
        pauses=pauses_of(orders, stage=Stage.VERIFICATION, opened_at=OPENED),
    )
    stood = {hour for hour in range(hours + 800) if any(order.holds_at(OPENED + hour * HOUR) for order in orders)}
    running = [hour for hour in range(hours + 800) if hour not in stood][:hours]
    assert deadline.due_at == OPENED + (running[-1] + 1) * HOUR


@given(begins=st.integers(min_value=0, max_value=50), planned=st.integers(min_value=2, max_value=300), data=st.data())
def test_lifting_returns_exactly_what_was_left(begins: int, planned: int, data: st.DataObject) -> None:
    lifted = data.draw(st.integers(min_value=1, max_value=planned - 1))

    def due(order: ClockOrder) -> datetime:
        paused = pauses_of([order], stage=Stage.APPROVAL, opened_at=OPENED)
        return compute_deadline(OPENED, duration=Elapsed(elapsed=60 * HOUR), calendar=CALENDAR, pauses=paused).due_at

    left = 60 * HOUR - begins * HOUR
    assert due(_suspension(1, begins, planned)) == OPENED + (60 + planned) * HOUR
    assert due(_suspension(1, begins, lifted, version=2)) == OPENED + (begins + lifted) * HOUR + left


@given(orders=SUSPENSIONS)
def test_a_task_stands_from_its_opening_at_the_earliest(orders: list[ClockOrder]) -> None:
    for pause in pauses_of(orders, stage=Stage.APPROVAL, opened_at=OPENED):
        assert pause.from_ >= OPENED
        assert pause.cause is PauseCause.AREA_SUSPENDED
        assert pause.note is not None


def _covers(suspension: ClockOrder, outage: ClockOrder) -> bool:
    """Whether the outage lies within the suspension."""
    ends = suspension.until is None or (outage.until is not None and suspension.until >= outage.until)
    return suspension.from_ <= outage.from_ and ends


@given(outages=OUTAGES, suspensions=SUSPENSIONS)
def test_no_moment_of_an_outage_is_made_up_for_twice(outages: list[ClockOrder], suspensions: list[ClockOrder]) -> None:
    orders = [*outages, *suspensions]
    credits_given = credits_of(orders, stage=Stage.APPROVAL, opened_at=OPENED, now=OPENED + 1000 * HOUR)
    days = {credit.order: credit.working_days for credit in credits_given}
    giving = [order for order in outages if order.id in days]
    for order in giving:
        assert 1 <= days[order.id] <= (order.credit_days or 0)
        assert not any(order.overlaps(other.from_, other.until) for other in giving if other.id != order.id)
        covering = [other for other in suspensions if _covers(other, order) and other.overlaps(OPENED, None)]
        assert not covering, "all of it is given back already"


@pytest.mark.parametrize(
    ("suspended", "days"),
    [([], 4), ([(0, 100)], 0), ([(0, 50)], 2), ([(25, 50)], 2), ([(0, 10), (5, 26), (99, 200)], 3), ([(100, 120)], 4)],
)
def test_so_much_of_an_outage_is_given_as_no_suspension_covers(suspended: list[tuple[int, int]], days: int) -> None:
    orders = [_outage(1, 0, 100, 4), *(_suspension(2 + n, *span) for n, span in enumerate(suspended))]
    given_days = credits_of(orders, stage=Stage.APPROVAL, opened_at=OPENED, now=OPENED + 1000 * HOUR)
    assert sum(credit.working_days for credit in given_days) == days


def test_an_outage_that_a_suspension_covers_does_not_stand_in_the_way_of_another() -> None:
    orders = [_outage(1, 0, 10, 5), _outage(2, 5, 30, 2), _suspension(3, 0, 10)]
    given_days = credits_of(orders, stage=Stage.APPROVAL, opened_at=OPENED, now=OPENED + 1000 * HOUR)
    assert [(credit.order, credit.working_days) for credit in given_days] == [(orders[1].id, 2)]


def test_an_outage_of_a_partner_holds_up_its_own_stage_alone() -> None:
    down = _outage(1, 0, 5, None, part=SystemPart.CIVIL_REGISTRY)
    assert pauses_of([down], stage=Stage.IDENTITY_CHECK, opened_at=OPENED)
    assert not pauses_of([down], stage=Stage.APPROVAL, opened_at=OPENED)


def test_nested_orders_are_one_stop() -> None:
    pauses = pauses_of([_suspension(1, 0, 10), _suspension(2, 2, 3)], stage=Stage.APPROVAL, opened_at=OPENED)
    stops = merged(pauses, as_of=None)
    assert len(stops) == 1
    assert stood_between(OPENED, OPENED + 100 * HOUR, stops) == 10 * HOUR


def test_an_order_that_ends_before_it_begins_is_none() -> None:
    with pytest.raises(ValidationError):
        _suspension(1, 5, -1)
