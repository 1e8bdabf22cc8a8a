"""Whether a case will miss its cut-off: the last due time that is in time is exact, whatever is left of the route."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.lifecycle import Position
from domain.policy.default import default_policy
from domain.round_forecast import Going, approved_by, last_due, stages_left, will_miss
from domain.vocabulary import Kind, Stage, Status
from tests.unit.office_calendars import local, regency

POLICY = default_policy()
ROUTE = POLICY.route_of(Kind.CIRCUMSTANCES).stages
GOING = Going(policy=POLICY, calendar=regency(), remoteness=0)
SECOND = timedelta(seconds=1)

moments = st.integers(0, 120 * 24 * 60).map(lambda minutes: local("2026-11-15 00:00") + timedelta(minutes=minutes))
ways = st.integers(0, 4).map(
    lambda place: [Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT][place:]
)


def _position(stage: Stage | None, **what: object) -> Position:
    settled = frozenset(ROUTE[: ROUTE.index(stage)]) if stage in ROUTE else frozenset[Stage]()
    values = {"route": ROUTE, "status": Status.IN_APPROVAL, "stage": stage, "settled": settled, **what}
    return Position.model_validate(values)


def test_what_is_left_of_a_route_ends_before_delivery_and_leaves_out_the_present_stage() -> None:
    assert stages_left(_position(Stage.VERIFICATION)) == (Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT)
    assert stages_left(_position(Stage.ENDORSEMENT)) == ()
    assert stages_left(_position(Stage.DELIVERY)) == ()
    settled = frozenset({Stage.IDENTITY_CHECK, Stage.DELIBERATION})
    returned = _position(Stage.REPAIR, status=Status.RETURNED, settled=settled)
    assert stages_left(returned) == (Stage.VERIFICATION, Stage.APPROVAL, Stage.ENDORSEMENT)
    heard = _position(Stage.APPROVAL).model_copy(update={"stage": Stage.OPINION, "contested": Stage.APPROVAL})
    assert stages_left(heard) == (Stage.CONFLICT, Stage.ENDORSEMENT)
    assert stages_left(heard.model_copy(update={"stage": Stage.CONFLICT})) == (Stage.ENDORSEMENT,)
    waived = _position(Stage.APPROVAL, identity_waived=True)
    assert stages_left(waived) == (Stage.ENDORSEMENT, Stage.IDENTITY_CHECK)


@given(moments, ways)
def test_the_last_due_time_is_in_time_and_a_second_later_is_not(cutoff_at: datetime, left: list[Stage]) -> None:
    last = last_due(cutoff_at, left, GOING)
    assert approved_by(last, left, GOING) <= cutoff_at
    assert approved_by(last + 2 * SECOND, left, GOING) > cutoff_at


@given(moments, moments, moments, ways)
def test_who_will_miss_is_who_would_be_approved_too_late(
    due_at: datetime, cutoff_at: datetime, now: datetime, left: list[Stage]
) -> None:
    last = last_due(cutoff_at, left, GOING)
    foreseen = approved_by(max(due_at, now), left, GOING) > cutoff_at
    if abs(max(due_at, now) - last) > 2 * SECOND:
        assert will_miss(due_at, last, now=now) == foreseen


def test_remote_villages_take_longer_and_so_miss_sooner() -> None:
    remote = max(credit.remoteness for credit in POLICY.remoteness_credits)
    left = [Stage.APPROVAL, Stage.ENDORSEMENT]
    cutoff_at = local("2026-12-21 16:00")
    far = Going(policy=POLICY, calendar=regency(), remoteness=remote)
    assert last_due(cutoff_at, left, far) < last_due(cutoff_at, left, GOING)
