"""From what was measured to ratios: medians over rounds, percentiles, shares of CPU."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

MILLISECONDS = 1000


class Round(BaseModel):
    """One round of one load: cases a second, and CPU milliseconds a case by part."""

    model_config = ConfigDict(frozen=True)

    cases_per_second: float
    cpu_ms_per_case: dict[str, float]


class Latency(BaseModel):
    """How long a call took, in milliseconds."""

    model_config = ConfigDict(frozen=True)

    n: int
    p50: float
    p99: float


class Results(BaseModel):
    """Everything that one run measured; `ratios` is what may be compared with other runs."""

    model_config = ConfigDict(frozen=True)

    cores: int
    sandboxed: bool
    at_once: int
    cases_per_round: int
    rounds: dict[str, list[Round]]
    latency_ms: dict[str, Latency]
    memory_mib: dict[str, dict[str, float]]
    ratios: dict[str, float]


def round_of(cases_per_second: float, *, cases: int, before: Mapping[str, float], after: Mapping[str, float]) -> Round:
    """A round from CPU clocks read before and after it."""
    spent = {part: (after[part] - before.get(part, 0.0)) * MILLISECONDS / cases for part in after}
    return Round(
        cases_per_second=round(cases_per_second, 2),
        cpu_ms_per_case={part: round(cost, 1) for part, cost in sorted(spent.items())},
    )


def latency_of(seconds: Sequence[float]) -> Latency:
    """Median and 99th percentile."""
    cuts = statistics.quantiles(seconds, n=100)
    return Latency(
        n=len(seconds),
        p50=round(cuts[49] * MILLISECONDS, 1),
        p99=round(cuts[98] * MILLISECONDS, 1),
    )


def median_rate(rounds: Sequence[Round]) -> float:
    """The median of the cases per second."""
    return statistics.median(made.cases_per_second for made in rounds)


def median_cpu(rounds: Sequence[Round]) -> float:
    """The median of the CPU of all parts a case."""
    return statistics.median(sum(made.cpu_ms_per_case.values()) for made in rounds)


def ratios_of(rounds: Mapping[str, Sequence[Round]], latency: Mapping[str, Latency]) -> dict[str, float]:
    """Kawal beside the bare workflow; above 1 is better for throughput and worse for everything else."""
    bare, kawal, whole = rounds["bare"], rounds["four stages"], rounds["whole route"]
    found = {
        "throughput of four stages": median_rate(kawal) / median_rate(bare),
        "throughput of the whole route": median_rate(whole) / median_rate(bare),
        "CPU a case of four stages": median_cpu(kawal) / median_cpu(bare),
        "p50 of a submission beside a bare start": latency["submit"].p50 / latency["bare start"].p50,
        "p99 of a submission beside a bare start": latency["submit"].p99 / latency["bare start"].p99,
        "p50 of a decision beside a bare Update": latency["decision"].p50 / latency["bare Update"].p50,
        "p99 of a decision beside a bare Update": latency["decision"].p99 / latency["bare Update"].p99,
    }
    return {name: round(value, 2) for name, value in found.items()}
