"""Replications under one or several policies, and what can be said of them: means, differences, intervals."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date
from math import sqrt
from multiprocessing import get_context
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.policy import Policy
from simulation.chance import Chance
from simulation.measures import Figures, measure
from simulation.play import Play, Setting
from simulation.scenario import Scenario

_T_975: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""The 97.5 % point of Student's t by degrees of freedom, from one on; beyond thirty the last is a little too wide."""


class Estimate(BaseModel):
    """A figure over the replications: its mean, and the 95 % interval of the mean (Student's t)."""

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float


class Compared(BaseModel):
    """What one policy came to; `differences` are from the first one, on the same luck, by replication."""

    model_config = ConfigDict(frozen=True)

    policy: str
    figures: dict[str, Estimate]
    differences: dict[str, Estimate] | None = None


class Study(BaseModel):
    """The result of a simulation, with everything that is needed to repeat it."""

    model_config = ConfigDict(frozen=True)

    regency: str
    villages: int
    families: int
    measured_from: date
    measured_until: date
    seed: int
    replications: int
    scenario: Scenario
    policies: tuple[Compared, ...]


class Run(NamedTuple):
    """One replication under one policy."""

    policy: int
    replication: int


def study(
    setting: Setting,
    policies: Sequence[tuple[str, Policy]],
    *,
    seed: int,
    replications: int,
    jobs: int | None = None,
    done: Callable[[], None] | None = None,
) -> Study:
    """Run every policy with the same luck, `replications` times (at least two), in as many processes as `jobs`."""
    runs = [Run(place, number) for number in range(replications) for place in range(len(policies))]
    found: dict[Run, Figures] = {}
    for run, figures in _carry_out(setting, policies, runs, seed=seed, jobs=jobs or os.cpu_count() or 1):
        found[run] = figures
        if done is not None:
            done()
    first = [found[Run(0, number)] for number in range(replications)]
    outcomes: list[Compared] = []
    for place, (name, _) in enumerate(policies):
        own = [found[Run(place, number)] for number in range(replications)]
        outcomes.append(Compared(policy=name, figures=_over(own), differences=_between(first, own) if place else None))
    return Study(
        regency=setting.calendar.area_code,
        villages=len(setting.villages),
        families=sum(setting.villages.values()),
        measured_from=setting.measured_from,
        measured_until=setting.ends,
        seed=seed,
        replications=replications,
        scenario=setting.scenario,
        policies=tuple(outcomes),
    )


def replicate(setting: Setting, policy: Policy, *, seed: int, replication: int) -> Figures:
    """The figures of one replication."""
    play = Play(setting, policy, Chance(seed, replication))
    play.run()
    return measure(play)


def _carry_out(
    setting: Setting, policies: Sequence[tuple[str, Policy]], runs: Sequence[Run], *, seed: int, jobs: int
) -> Iterator[tuple[Run, Figures]]:
    if jobs == 1 or len(runs) == 1:
        for run in runs:
            yield run, replicate(setting, policies[run.policy][1], seed=seed, replication=run.replication)
        return
    with ProcessPoolExecutor(min(jobs, len(runs)), mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(replicate, setting, policies[run.policy][1], seed=seed, replication=run.replication): run
            for run in runs
        }
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _over(found: Sequence[Figures]) -> dict[str, Estimate]:
    return {name: estimate([figures.get(name, 0.0) for figures in found]) for name in _names(found)}


def _between(first: Sequence[Figures], other: Sequence[Figures]) -> dict[str, Estimate]:
    names = _names([*first, *other])
    pairs = list(zip(first, other, strict=True))
    return {name: estimate([b.get(name, 0.0) - a.get(name, 0.0) for a, b in pairs]) for name in names}


def _names(found: Sequence[Figures]) -> list[str]:
    """Every figure that any replication has, in the order in which it is measured."""
    return list(dict.fromkeys(name for figures in found for name in figures))


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least two values with its 95 % interval."""
    mean = statistics.fmean(values)
    t = _T_975[min(len(values) - 1, len(_T_975)) - 1]
    reach = t * statistics.stdev(values) / sqrt(len(values))
    return Estimate(mean=round(mean, 4), low=round(mean - reach, 4), high=round(mean + reach, 4))
