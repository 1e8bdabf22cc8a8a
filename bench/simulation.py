"""A month of a whole regency in the simulator, and of a tenth of it: time, memory, and how both grow.

`python -m bench.simulation` prints the table and writes `bench/simulation.json`. Each part runs in a process of its
own, so that memory is its own, and is measured in CPU seconds: other work on the machine changes them little.
"""

from __future__ import annotations

import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from commands.simulation import setting_of
from commands.terminal import show_table
from domain.policy import default_policy
from simulation.chance import Chance
from simulation.measures import measure
from simulation.play import Play
from simulation.scenario import Scenario

RESULTS: Final = Path(__file__).parent / "simulation.json"
REGENCY: Final = "32.06"
WHOLE: Final = 351
TENTH: Final = 35
_KIB: Final = 1024


class Measured(BaseModel):
    """What one run of so many villages took."""

    model_config = ConfigDict(frozen=True)

    villages: int
    cases: int
    tasks: int
    cpu_seconds: float
    memory_mib: float


class Growth(BaseModel):
    """Both runs, and by how much time and memory grow while the villages grow tenfold."""

    model_config = ConfigDict(frozen=True)

    cores: int
    months: int
    runs: tuple[Measured, Measured]
    time_grows: float
    memory_grows: float


def main() -> None:
    """Measure both and tell."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        tenth, whole = pool.map(measured, (TENTH, WHOLE))
    growth = Growth(
        cores=os.cpu_count() or 1,
        months=1,
        runs=(tenth, whole),
        time_grows=round(whole.cpu_seconds / tenth.cpu_seconds, 2),
        memory_grows=round(whole.memory_mib / tenth.memory_mib, 2),
    )
    RESULTS.write_text(growth.model_dump_json(indent=2) + "\n")
    show_table(
        ("villages", "cases", "tasks", "CPU seconds", "MiB"),
        [tuple(run.model_dump().values()) for run in growth.runs],
        title="A month of a regency",
    )
    show_table(
        ("grows by", "villages", "time", "memory"),
        [("", round(WHOLE / TENTH, 2), growth.time_grows, growth.memory_grows)],
    )


def measured(villages: int) -> Measured:
    """Run one replication of a month without a warm-up, and measure it."""
    setting = setting_of(REGENCY, Scenario(warm_up=0), months=1, villages=villages)
    began = time.process_time()
    play = Play(setting, default_policy(area_code=REGENCY), Chance(7, 0))
    cases = play.run()
    measure(play)
    return Measured(
        villages=villages,
        cases=len(cases),
        tasks=sum(len(case.works) for case in cases),
        cpu_seconds=round(time.process_time() - began, 2),
        memory_mib=round(_memory(), 1),
    )


def _memory() -> float:
    """The most that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB


if __name__ == "__main__":
    main()
