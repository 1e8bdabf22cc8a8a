"""What a simulated regency must never do, and what a policy changes in it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.authority import Person, involved_elsewhere
from domain.custody import Holding, custody
from domain.vocabulary import Stage
from simulation.cases import Work
from simulation.chance import Chance
from simulation.play import Play
from simulation.study import estimate, study
from tests.simulation.small import OFTEN_AWAY, POLICY, patient, setting, without_village_deliberation


@pytest.fixture(scope="module")
def play() -> Play:
    played = Play(setting(months=4, staff=OFTEN_AWAY), POLICY, Chance(7, 0))
    played.run()
    return played


def test_every_case_is_closed_or_has_one_open_task(play: Play) -> None:
    for case in play.cases:
        still_open = [work for work in case.works if work.closed_at is None]
        assert len(still_open) == (0 if case.position.closed else 1)
        assert (case.closed_at is not None) == case.position.closed


def test_tasks_of_a_case_follow_each_other_and_custody_adds_up_to_its_age(play: Play) -> None:
    for case in play.cases:
        if case.closed_at is None:
            continue
        holdings = [Holding(holder=work.stage, begins=work.opened_at, ends=work.closed_at) for work in case.works]
        spans = custody(holdings, begins=case.submitted_at, ends=case.closed_at, otherwise=Stage.REPAIR)
        assert sum((span.length for span in spans), timedelta(0)) == case.closed_at - case.submitted_at
        for before, after in zip(case.works, case.works[1:], strict=False):
            assert before.closed_at == after.opened_at


def test_each_rung_fires_once_and_none_before_it_is_due(play: Play) -> None:
    for work in (work for case in play.cases for work in case.works):
        rungs = [fired.rung for fired in work.fired]
        assert len(rungs) == len(set(rungs))
        assert all(fired.at >= fired.due_at for fired in work.fired)


def test_nobody_decides_what_separation_of_duties_keeps_from_them(play: Play) -> None:
    decided = 0
    for case in play.cases:
        before = case.involvements[:1]
        for part in case.involvements[1:]:
            if part.stage is not None and part.stage not in {Stage.OPINION, Stage.GROUND_CHECK}:
                decided += 1
                bar = involved_elsewhere(Person(user_id=part.user_id), stage=part.stage, involvements=before)
                assert bar is None
            before.append(part)
    assert decided > 100


def test_overdue_tasks_climb_and_the_others_do_not(play: Play) -> None:
    late = [work for case in play.cases for work in case.works if work.stage is Stage.VERIFICATION and _late(work)]
    assert late
    assert all(work.level >= 1 for work in late)


def _late(work: Work) -> bool:
    return work.closed_at is not None and work.closed_at > work.deadline.due_at + timedelta(minutes=2)


def test_route_without_the_village_is_quicker_by_an_interval_that_leaves_nothing_out() -> None:
    policies = [("with", POLICY), ("without", without_village_deliberation())]
    found = study(setting(months=4), policies, seed=1, replications=6, jobs=1)
    differences = found.policies[1].differences
    assert differences is not None
    assert differences["way/days from submission to registry, median"].high < 0
    assert found.policies[0].differences is None


def test_policy_beside_itself_differs_in_nothing() -> None:
    found = study(setting(months=1), [("a", POLICY), ("b", POLICY)], seed=1, replications=2, jobs=1)
    assert all(each.mean == each.low == each.high == 0 for each in (found.policies[1].differences or {}).values())


def test_longer_deadline_lets_fewer_verifications_be_late() -> None:
    away = setting(months=2, staff=OFTEN_AWAY)
    found = study(away, [("a", POLICY), ("b", patient())], seed=2, replications=3, jobs=1)
    late = "stage/verification/late, %"
    assert found.policies[1].figures[late].mean < found.policies[0].figures[late].mean


def test_interval_of_a_mean_is_that_of_student() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert (found.mean, found.low, found.high) == (2.0, -0.4843, 4.4843)
