"""Who may do what and where; nobody twice in one case, told apart by id and not by name."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.authority import (
    NATION,
    PERMISSIONS,
    Actor,
    Candidate,
    Grant,
    Involvement,
    Permission,
    Seat,
    covers,
    deciding_seat,
    eligible_deciders,
    granted,
    involved_elsewhere,
)
from domain.errors import Forbidden, NotFound, SeparationOfDuties
from domain.policy import Power, default_policy
from domain.vocabulary import HUMAN_STAGES, Role, Stage

VILLAGE, DISTRICT, REGENCY = "32.06.13.2001", "32.06.13", "32.06"
OFFICE = UUID(int=1)


def somebody(*seats: tuple[Role, str], name: str = "Siti") -> Actor:
    return Actor(
        user_id=uuid4(),
        display_name=name,
        seats=tuple(Seat(role=role, office_id=OFFICE, area_code=area) for role, area in seats),
    )


def decide(*roles: Role) -> list[Grant]:
    return [Grant(role=role, power=Power.DECIDE) for role in roles]


@pytest.mark.parametrize(
    ("outer", "inner", "contained"),
    [
        (NATION, VILLAGE, True),
        ("32", VILLAGE, True),
        (REGENCY, VILLAGE, True),
        (DISTRICT, VILLAGE, True),
        (VILLAGE, VILLAGE, True),
        ("32.06.1", DISTRICT, False),
        ("32.06.1", VILLAGE, False),
        ("3", VILLAGE, False),
        ("32.0", VILLAGE, False),
        ("32.06.13.200", VILLAGE, False),
        ("32.06.14", VILLAGE, False),
        (VILLAGE, DISTRICT, False),
        (DISTRICT, NATION, False),
    ],
)
def test_area_covers_what_lies_below_it_and_no_code_that_merely_begins_alike(
    outer: str,
    inner: str,
    contained: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert covers(outer, inner) is contained


@pytest.mark.parametrize(("role", "permission"), list(product(Role, Permission)))
def test_seat_gives_the_permissions_of_its_role_inside_its_area_and_nowhere_else(
    role: Role,
    permission: Permission,
) -> None:
    actor = somebody((role, DISTRICT))
    if permission in PERMISSIONS[role]:
        assert actor.seat_for(permission, area_code=VILLAGE).role is role
    else:
        with pytest.raises(Forbidden):
            actor.seat_for(permission, area_code=VILLAGE)
    with pytest.raises(NotFound):
        actor.seat_for(permission, area_code="32.06.14.2001")
    assert actor.may_anywhere(permission) is (permission in PERMISSIONS[role])


def test_only_the_village_operator_repairs_and_withdraws() -> None:
    for permission in (Permission.UPDATES_REPAIR, Permission.UPDATES_WITHDRAW):
        assert [role for role in Role if permission in PERMISSIONS[role]] == [Role.VILLAGE_OPERATOR]


def test_whoever_a_policy_makes_a_decider_may_work_on_tasks() -> None:
    policy = default_policy()
    deciders = {role for stage in HUMAN_STAGES for role in policy.stage(stage).deciders}
    receivers = {
        g.role for s in Stage for rung in policy.stage(s, contested=Stage.APPROVAL).ladder for g in granted(rung)
    }
    assert all(Permission.TASKS_WORK in PERMISSIONS[role] for role in deciders | receivers)


def test_person_with_two_seats_acts_in_the_one_that_allows_it() -> None:
    both = somebody((Role.EVALUATOR, REGENCY), (Role.VILLAGE_OPERATOR, VILLAGE))
    assert both.seat_for(Permission.UPDATES_SUBMIT, area_code=VILLAGE).role is Role.VILLAGE_OPERATOR
    with pytest.raises(Forbidden):
        both.seat_for(Permission.UPDATES_SUBMIT, area_code="32.06.13.2002")


def test_areas_of_an_actor_leave_out_what_lies_inside_another() -> None:
    roles = (Role.PLANNER, Role.EVALUATOR, Role.INSPECTORATE, Role.PLANNER)
    actor = somebody(*zip(roles, (DISTRICT, VILLAGE, "32.06.1", DISTRICT), strict=True))
    assert actor.areas == ("32.06.1", DISTRICT)
    assert somebody((Role.MINISTRY_OFFICER, NATION), (Role.PLANNER, VILLAGE)).areas == (NATION,)


def test_task_outside_the_area_does_not_exist() -> None:
    foreign = somebody((Role.PUSKESOS_OFFICER, "32.06.13.2002"))
    with pytest.raises(NotFound):
        deciding_seat(
            foreign,
            area_code=VILLAGE,
            stage=Stage.VERIFICATION,
            grants=decide(Role.PUSKESOS_OFFICER),
            involvements=[],
        )


def test_power_to_manage_is_no_power_to_decide() -> None:
    supervisor = somebody((Role.DISTRICT_SUPERVISOR, DISTRICT))
    managing = [Grant(role=Role.DISTRICT_SUPERVISOR, power=Power.MANAGE), *decide(Role.VILLAGE_HEAD)]
    with pytest.raises(Forbidden) as refused:
        deciding_seat(supervisor, area_code=VILLAGE, stage=Stage.DELIBERATION, grants=managing, involvements=[])
    assert refused.value.data == {"deciders": [Role.VILLAGE_HEAD]}


@pytest.mark.parametrize("stage", HUMAN_STAGES)
@pytest.mark.parametrize("earlier", [None, *HUMAN_STAGES, Stage.IDENTITY_CHECK])
def test_nobody_decides_in_two_stages_nor_on_what_they_submitted(stage: Stage, earlier: Stage | None) -> None:
    officer = somebody((Role.REGENCY_VERIFIER, REGENCY))
    part = [Involvement(user_id=officer.user_id, stage=earlier)]
    grants = decide(Role.REGENCY_VERIFIER)
    if earlier is stage:
        seat = deciding_seat(officer, area_code=VILLAGE, stage=stage, grants=grants, involvements=part)
        assert seat == officer.seats[0]
    else:
        with pytest.raises(SeparationOfDuties):
            deciding_seat(officer, area_code=VILLAGE, stage=stage, grants=grants, involvements=part)


def test_part_in_an_earlier_stage_bars_also_whoever_has_decided_in_this_one() -> None:
    officer = somebody((Role.REGENCY_VERIFIER, REGENCY))
    parts = [Involvement(user_id=officer.user_id, stage=stage) for stage in (Stage.APPROVAL, Stage.VERIFICATION)]
    bar = involved_elsewhere(officer.person, stage=Stage.APPROVAL, involvements=parts)
    assert bar is not None
    assert bar.stage is Stage.VERIFICATION


def test_two_people_of_one_name_are_two_people() -> None:
    submitter = somebody((Role.PUSKESOS_OFFICER, VILLAGE), name="Asep Sutisna")
    namesake = somebody((Role.PUSKESOS_OFFICER, VILLAGE), name="Asep Sutisna")
    question: dict[str, Any] = {
        "area_code": VILLAGE,
        "stage": Stage.VERIFICATION,
        "grants": decide(Role.PUSKESOS_OFFICER),
        "involvements": [Involvement(user_id=submitter.user_id, stage=None)],
    }
    assert deciding_seat(namesake, **question).role is Role.PUSKESOS_OFFICER
    with pytest.raises(SeparationOfDuties):
        deciding_seat(submitter, **question)


def test_one_person_in_two_offices_is_one_person() -> None:
    both = somebody((Role.VILLAGE_OPERATOR, VILLAGE), (Role.PUSKESOS_OFFICER, VILLAGE))
    with pytest.raises(SeparationOfDuties, match="submitted"):
        deciding_seat(
            both,
            area_code=VILLAGE,
            stage=Stage.VERIFICATION,
            grants=decide(Role.PUSKESOS_OFFICER),
            involvements=[Involvement(user_id=both.user_id, stage=None)],
        )


def test_eligible_are_those_of_the_role_without_another_part_in_the_case() -> None:
    submitter, verifier, free, supervisor = (uuid4() for _ in range(4))
    candidates = [
        Candidate(user_id=submitter, role=Role.PUSKESOS_OFFICER),
        Candidate(user_id=verifier, role=Role.PUSKESOS_OFFICER),
        Candidate(user_id=free, role=Role.PUSKESOS_OFFICER),
        Candidate(user_id=supervisor, role=Role.DISTRICT_SUPERVISOR),
    ]
    eligible = eligible_deciders(
        candidates,
        stage=Stage.VERIFICATION,
        grants=[*decide(Role.PUSKESOS_OFFICER), Grant(role=Role.DISTRICT_SUPERVISOR, power=Power.MANAGE)],
        involvements=[
            Involvement(user_id=submitter, stage=None),
            Involvement(user_id=verifier, stage=Stage.VERIFICATION),
        ],
    )
    assert eligible == {verifier, free}


@pytest.mark.parametrize("stage", HUMAN_STAGES)
def test_whoever_is_eligible_may_decide_and_nobody_else(stage: Stage) -> None:
    grants = decide(Role.REGENCY_VERIFIER, Role.REGENCY_HEAD)
    people = [somebody((role, REGENCY)) for role in Role] * 2
    parts = [Involvement(user_id=people[i].user_id, stage=s) for i, s in enumerate([None, *HUMAN_STAGES] * 4)]
    candidates = [Candidate(user_id=p.user_id, role=seat.role) for p in people for seat in p.seats]
    eligible = eligible_deciders(candidates, stage=stage, grants=grants, involvements=parts)
    for person in people:
        try:
            deciding_seat(person, area_code=VILLAGE, stage=stage, grants=grants, involvements=parts)
        except Forbidden:
            assert person.user_id not in eligible
        else:
            assert person.user_id in eligible
