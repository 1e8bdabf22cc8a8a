"""The same seed gives the same bytes, in every process; policies meet the same luck."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean, median

from simulation.chance import Chance
from simulation.play import Play
from tests.simulation.small import POLICY, VILLAGES, setting, without_village_deliberation

TREE = Path(__file__).resolve().parents[2]
SCRIPT = """
from tests.simulation.small import POLICY, setting
from simulation.study import study
print(study(setting(), [("a", POLICY)], seed=11, replications=2, jobs=1).model_dump_json())
"""


def in_another_process(hash_seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(TREE)}
    return subprocess.run(  # noqa: S603 - this interpreter, with a text of ours
        [sys.executable, "-c", SCRIPT], env=environment, cwd=TREE, check=True, capture_output=True
    ).stdout


def test_same_seed_gives_the_same_bytes_whatever_the_hash_seed_of_the_process() -> None:
    first, second = in_another_process("1"), in_another_process("4242")
    assert first == second
    assert b'"seed":11' in first


def test_other_seed_and_other_replication_are_other_luck() -> None:
    drawn = {Chance(seed, number).uniform("x") for seed in range(4) for number in range(4)}
    assert len(drawn) == 16


def test_policies_meet_the_same_cases_at_the_same_moments() -> None:
    plays = [Play(setting(), policy, Chance(3, 0)) for policy in (POLICY, without_village_deliberation())]
    came = [[(case.id, case.kind, case.submitted_at) for case in play.run()] for play in plays]
    assert came[0] == came[1]
    assert len(came[0]) > 10


def test_draws_are_spread_as_they_should_be() -> None:
    chance = Chance(1, 0)
    assert abs(fmean(chance.uniform("u", place) for place in range(4000)) - 0.5) < 0.02
    assert abs(fmean(chance.count(3.0, "n", place) for place in range(4000)) - 3.0) < 0.12
    assert abs(median(chance.lognormal(5.0, 0.6, "l", place) for place in range(4000)) - 5.0) < 0.2
    heads = sum(chance.one_of({"a": 1.0, "b": 3.0}, "o", place) == "b" for place in range(4000))
    assert abs(heads / 4000 - 0.75) < 0.03


def test_as_many_cases_come_as_are_assumed() -> None:
    counts = [len(Play(setting(months=1), POLICY, Chance(5, number)).run()) for number in range(12)]
    assert abs(fmean(counts) - 0.01 * sum(VILLAGES.values())) < 4
