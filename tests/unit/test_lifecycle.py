"""Every transition over every status, and the ways back that a case may take."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from domain.errors import CaseClosed, NotPossibleNow
from domain.lifecycle import (
    DECIDES_ON,
    STATUS_OF_STAGE,
    TRANSITIONS,
    Happening,
    Position,
    Transition,
    awaiting,
    move,
    resubmit,
    send_back,
)
from domain.vocabulary import CLOSED_STATUSES, HUMAN_STAGES, Stage, Status

STANDARD = (Stage.IDENTITY_CHECK, *HUMAN_STAGES, Stage.DELIVERY)
EXPRESS = (Stage.IDENTITY_CHECK, Stage.VERIFICATION, Stage.APPROVAL, Stage.DELIVERY)
ROUTES = {
    "standard": STANDARD,
    "express": EXPRESS,
    "without delivery": (Stage.IDENTITY_CHECK, Stage.VERIFICATION, Stage.APPROVAL),
    "without identity check": (Stage.VERIFICATION, Stage.APPROVAL, Stage.DELIVERY),
}
_STAGE_OF_STATUS = {status: stage for stage, status in STATUS_OF_STAGE.items()} | {
    Status.APPROVED_LOCAL: Stage.DELIVERY,
    Status.WAITING_DOCUMENT: Stage.REPAIR,
}


def standing(status: Status, *, route: tuple[Stage, ...] = STANDARD, ministry: bool = True) -> Position:
    """A case in `status` with everything before it settled."""
    stage = _STAGE_OF_STATUS.get(status)
    reached = route.index(stage) if stage in route else 0
    returned = status in {Status.RETURNED, Status.WAITING_DOCUMENT}
    return Position(
        route=route,
        status=status,
        stage=stage,
        settled=frozenset(route[: 3 if returned else reached]),
        returned_from=route[3] if returned and len(route) > 3 else None,
        ministry=ministry,
    )


def ready_for(happening: Happening, status: Status, **where: Any) -> Position:
    """The case before `happening`: a conflict shows when everything is settled and the change is to be applied."""
    position = standing(status, **where)
    settled = frozenset(position.route) if happening is Happening.DATA_CONFLICT else position.settled
    return position.model_copy(update={"settled": settled})


def through(*happenings: Happening, route: tuple[Stage, ...] = STANDARD, ministry: bool = True) -> Position:
    """A new case after all of this has happened to it."""
    position = Position(route=route, status=Status.RECEIVED, ministry=ministry)
    for happening in happenings:
        position = move(position, happening)
    return position


def in_approval(route: tuple[Stage, ...] = STANDARD) -> Position:
    forwards = route.index(Stage.APPROVAL) - 1
    return through(Happening.STARTED, Happening.IDENTITY_EXPECTED, *[Happening.FORWARDED] * forwards, route=route)


def named(transition: Transition) -> str:
    return transition.happening.value


@pytest.mark.parametrize("transition", TRANSITIONS, ids=named)
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("ministry", [True, False], ids=["ministry", "no_ministry"])
def test_happening_is_allowed_from_its_sources_into_its_targets_and_refused_from_everywhere_else(
    transition: Transition,
    status: Status,
    ministry: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    position = ready_for(transition.happening, status, ministry=ministry)
    if status in transition.source:
        assert move(position, transition.happening).status in transition.target
    elif status in CLOSED_STATUSES:
        with pytest.raises(CaseClosed, match=status.value):
            move(position, transition.happening)
    else:
        with pytest.raises(NotPossibleNow, match=transition.happening.value):
            move(position, transition.happening)


@pytest.mark.parametrize(("transition", "route"), list(product(TRANSITIONS, ROUTES.values())))
def test_every_position_reached_stands_in_the_status_of_its_stage(
    transition: Transition,
    route: tuple[Stage, ...],
) -> None:
    for status in sorted(transition.source):
        stage = _STAGE_OF_STATUS.get(status)
        if stage not in {*route, None, Stage.REPAIR}:
            continue
        reached = move(ready_for(transition.happening, status, route=route), transition.happening)
        if reached.stage is None:
            assert reached.closed
        else:
            stands_for = reached.stage if reached.stage is not Stage.GROUND_CHECK else awaiting(reached)
            assert stands_for is not None
            assert _STAGE_OF_STATUS[reached.status] is _STAGE_OF_STATUS[STATUS_OF_STAGE[stands_for]]


@pytest.mark.parametrize("stage", [*HUMAN_STAGES, Stage.IDENTITY_CHECK])
def test_a_case_is_sent_back_to_where_it_has_been_and_all_that_followed_is_asked_again(stage: Stage) -> None:
    position = in_approval()
    if STANDARD.index(stage) > STANDARD.index(Stage.APPROVAL):
        with pytest.raises(NotPossibleNow, match=stage.value):
            send_back(position, to=stage)
        return
    back = send_back(position, to=stage)
    assert (back.stage, back.settled) == (stage, frozenset(STANDARD[: STANDARD.index(stage)]))


def test_a_returned_case_is_sent_back_from_where_it_was_returned() -> None:
    returned = move(in_approval(), Happening.RETURNED)
    assert send_back(returned, to=Stage.APPROVAL).stage is Stage.APPROVAL
    with pytest.raises(NotPossibleNow):
        send_back(returned, to=Stage.ENDORSEMENT)


@pytest.mark.parametrize("status", [Status.IN_DELIVERY, Status.APPROVED_LOCAL, Status.APPLIED, Status.REJECTED])
def test_what_the_ministry_has_or_is_closed_is_not_sent_back(status: Status) -> None:
    with pytest.raises((NotPossibleNow, CaseClosed)):
        send_back(standing(status), to=Stage.VERIFICATION)


def test_each_happening_has_one_transition_with_a_sentence_of_its_own() -> None:
    assert {transition.happening for transition in TRANSITIONS} == set(Happening)
    assert len({transition.sentence for transition in TRANSITIONS}) == len(TRANSITIONS)


def test_every_target_can_be_reached() -> None:
    reached = {(t.happening, move(standing(s), t.happening).status) for t in TRANSITIONS for s in t.source}
    assert {Status.APPLIED, Status.REJECTED, Status.WITHDRAWN} <= {status for _, status in reached}


def test_standard_case_passes_its_stages_in_order_and_is_applied_by_the_ministry() -> None:
    position = through(Happening.STARTED)
    seen = [position.stage]
    for happening in (Happening.IDENTITY_EXPECTED, *[Happening.FORWARDED] * 4, Happening.PUSHED):
        position = move(position, happening)
        seen.append(position.stage)
    assert seen == [*STANDARD, Stage.DELIVERY]
    assert position.status is Status.APPROVED_LOCAL
    assert move(position, Happening.MINISTRY_ACCEPTED).status is Status.APPLIED


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_route_without_ministry_applies_after_its_last_human_stage(route: tuple[Stage, ...]) -> None:
    position = through(Happening.STARTED, route=route, ministry=False)
    if position.stage is Stage.IDENTITY_CHECK:
        position = move(position, Happening.IDENTITY_EXPECTED)
    while not position.closed:
        position = move(position, Happening.FORWARDED)
    assert position.status is Status.APPLIED


@pytest.mark.parametrize("stage", HUMAN_STAGES)
def test_return_re_enters_the_stage_that_returned_the_case(stage: Stage) -> None:
    before = standing(STATUS_OF_STAGE[stage])
    returned = move(before, Happening.RETURNED)
    assert (returned.stage, returned.returned_from) == (Stage.REPAIR, stage)
    again = resubmit(returned, changed=frozenset())
    assert (again.stage, again.settled, again.returned_from) == (stage, before.settled, None)


@pytest.mark.parametrize("group", sorted({group for groups in DECIDES_ON.values() for group in groups}))
def test_repair_repeats_the_first_stage_that_judged_the_field_that_changed(group: str) -> None:
    returned = move(standing(Status.IN_ENDORSEMENT), Happening.RETURNED)
    again = resubmit(returned, changed=frozenset({group}))
    assert again.stage == next(stage for stage in STANDARD if group in DECIDES_ON[stage])


def test_repair_of_circumstances_asks_the_village_again_and_the_civil_registry_not() -> None:
    position = resubmit(move(in_approval(), Happening.RETURNED), changed=frozenset({"circumstances"}))
    stages: list[Stage | None] = []
    while position.stage is not Stage.DELIVERY:
        stages.append(position.stage)
        position = move(position, Happening.FORWARDED)
    assert stages == list(HUMAN_STAGES)


def test_repair_of_an_event_leaves_the_deliberation_as_it_stands() -> None:
    position = resubmit(move(in_approval(), Happening.RETURNED), changed=frozenset({"event"}))
    assert position.stage is Stage.VERIFICATION
    assert move(position, Happening.FORWARDED).stage is Stage.APPROVAL


def test_case_returned_by_the_identity_check_is_checked_again_whatever_was_repaired() -> None:
    returned = through(Happening.STARTED, Happening.IDENTITY_UNEXPECTED)
    assert resubmit(returned, changed=frozenset({"address"})).stage is Stage.IDENTITY_CHECK


@pytest.mark.parametrize("route", [STANDARD, EXPRESS, ROUTES["without delivery"]])
@pytest.mark.parametrize("ministry", [True, False])
def test_waived_identity_is_made_up_for_before_anything_leaves_the_regency(
    route: tuple[Stage, ...],
    ministry: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    position = through(Happening.STARTED, Happening.IDENTITY_WAIVED, route=route, ministry=ministry)
    while position.stage in HUMAN_STAGES:
        position = move(position, Happening.FORWARDED)
    assert position.stage is Stage.IDENTITY_CHECK
    after = move(position, Happening.IDENTITY_EXPECTED)
    assert not after.identity_waived
    expected = Status.IN_DELIVERY if ministry and Stage.DELIVERY in route else Status.APPLIED
    assert after.status is expected


def test_unexpected_answer_when_the_check_is_made_up_for_returns_the_case_and_asks_the_registry_again() -> None:
    position = through(Happening.STARTED, Happening.IDENTITY_WAIVED, *[Happening.FORWARDED] * 4)
    returned = move(position, Happening.IDENTITY_UNEXPECTED)
    assert returned.returned_from is Stage.IDENTITY_CHECK
    assert resubmit(returned, changed=frozenset()).stage is Stage.IDENTITY_CHECK
    repaired = resubmit(returned, changed=frozenset({"identity"}))
    assert repaired.stage is Stage.IDENTITY_CHECK
    assert move(repaired, Happening.IDENTITY_EXPECTED).stage is Stage.VERIFICATION


def test_repair_of_an_identity_that_was_waived_is_checked_at_once() -> None:
    waived = through(Happening.STARTED, Happening.IDENTITY_WAIVED, Happening.RETURNED)
    assert resubmit(waived, changed=frozenset({"identity"})).stage is Stage.IDENTITY_CHECK
    assert resubmit(waived, changed=frozenset()).stage is Stage.VERIFICATION


@pytest.mark.parametrize("status", [Status.IN_DELIVERY, Status.APPROVED_LOCAL])
def test_ministry_return_asks_for_approval_and_all_that_follows_it(status: Status) -> None:
    position = move(standing(status), Happening.MINISTRY_RETURNED)
    assert position.stage is Stage.APPROVAL
    endorsing = move(position, Happening.FORWARDED)
    assert endorsing.stage is Stage.ENDORSEMENT
    assert move(endorsing, Happening.FORWARDED).stage is Stage.DELIVERY


def test_ministry_return_on_a_route_without_approval_asks_its_last_human_stage() -> None:
    route = (Stage.IDENTITY_CHECK, Stage.VERIFICATION, Stage.DELIBERATION, Stage.DELIVERY)
    assert move(standing(Status.APPROVED_LOCAL, route=route), Happening.MINISTRY_RETURNED).stage is Stage.DELIBERATION


def test_data_conflict_asks_whether_it_is_still_true_and_not_whether_the_village_agrees() -> None:
    position = move(ready_for(Happening.DATA_CONFLICT, Status.APPROVED_LOCAL), Happening.DATA_CONFLICT)
    assert position.stage is Stage.VERIFICATION
    assert move(position, Happening.FORWARDED).stage is Stage.APPROVAL


def test_data_conflict_where_only_the_village_decides_asks_the_village_again() -> None:
    route = (Stage.IDENTITY_CHECK, Stage.DELIBERATION, Stage.DELIVERY)
    position = ready_for(Happening.DATA_CONFLICT, Status.APPROVED_LOCAL, route=route)
    assert move(position, Happening.DATA_CONFLICT).stage is Stage.DELIBERATION


@pytest.mark.parametrize("status", [Status.IN_DELIVERY, Status.APPROVED_LOCAL])
def test_what_is_being_delivered_cannot_be_withdrawn(status: Status) -> None:
    with pytest.raises(NotPossibleNow):
        move(standing(status), Happening.WITHDRAWN)
