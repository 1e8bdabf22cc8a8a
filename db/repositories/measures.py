"""Summing up what was observed: shares, quantiles and means, of all, by part, by area and by group, with intervals.

PostgreSQL counts and sorts; what comes back is a row a number. Sums are of `numeric`, which has no order of adding up:
the same observations give the same numbers to the last digit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.evaluations import ToMeasure
from domain.indicators import DEFINITIONS, SUMMED, Indicator, Measure, by_measure
from domain.intervals import Ranks, of_mean, quantile_ranks, wilson

_LENGTHS: Final = (5, 8, 13)
"""How long the code of a regency, a district and a village is."""
_ALL: Final = "(o.part = '' OR o.indicator = ANY(:summed))"
_OBSERVED: Final = """
    SELECT o.indicator, {part} AS part, {area} AS area_code, o.hit, o.value, o.paused
    FROM evaluation_observations o {joined}
    WHERE o.evaluation_id = :evaluation AND o.indicator = ANY(:names) AND {of}"""
_SHARES: Final = """
    SELECT indicator, part, area_code, count(*) AS n, count(*) FILTER (WHERE hit) AS hits
    FROM ({observed}) observed GROUP BY indicator, part, area_code"""
_MEANS: Final = """
    SELECT indicator, part, area_code, count(*) AS n, sum(value::numeric)::float8 AS total,
           avg(value::numeric)::float8 AS mean, stddev_samp(value::numeric)::float8 AS deviation
    FROM ({observed}) observed GROUP BY indicator, part, area_code"""
_COUNTS: Final = """
    SELECT indicator, part, area_code, count(*) AS n
    FROM ({observed}) observed GROUP BY indicator, part, area_code ORDER BY indicator, part, area_code"""
_QUANTILES: Final = """
    SELECT o.indicator, o.part, o.area_code, w.n, sum(o.paused::numeric)::float8 AS paused, percentile_disc(
               ARRAY[w.median, w.median_low, w.median_high, w.p90, w.p90_low, w.p90_high])
               WITHIN GROUP (ORDER BY o.value) AS found
    FROM ({observed}) o
    JOIN unnest(CAST(:indicators AS text[]), CAST(:parts AS text[]), CAST(:areas AS text[]), CAST(:counts AS int[]),
                CAST(:f0 AS float8[]), CAST(:f1 AS float8[]), CAST(:f2 AS float8[]), CAST(:f3 AS float8[]),
                CAST(:f4 AS float8[]), CAST(:f5 AS float8[]))
         AS w(indicator, part, area_code, n, median, median_low, median_high, p90, p90_low, p90_high)
      ON (w.indicator, w.part, w.area_code) = (o.indicator, o.part, o.area_code)
    GROUP BY o.indicator, o.part, o.area_code, w.n, w.median, w.median_low, w.median_high, w.p90, w.p90_low, w.p90_high
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """One way to group what was observed: what part and area each belongs to, and which of it is meant."""

    part: str
    area: str
    of: str
    joined: str = ""
    names: frozenset[Indicator] = frozenset(Indicator)

    def observed(self) -> str:
        return _OBSERVED.format(part=self.part, area=self.area, of=self.of, joined=self.joined)


def _slices(area_code: str) -> Iterator[_Slice]:
    whole = "CAST(:area AS text)"
    yield _Slice(part="o.part", area=whole, of="true")
    yield _Slice(part="''", area=whole, of="true", names=SUMMED)
    by_area = frozenset(name for name, what in DEFINITIONS.items() if what.by_area)
    for length in _LENGTHS:
        if length > len(area_code):
            yield _Slice(part="''", area=f"left(o.area_code, {length})", of=_ALL, names=by_area)
    yield _Slice(
        part="'household:' || g.name",
        area=whole,
        of=_ALL,
        joined="JOIN (VALUES (1, 'female_headed'), (2, 'disabled'), (4, 'elderly')) g(bit, name) "
        "ON o.groups & g.bit <> 0",
    )
    yield _Slice(part="'household:none'", area=whole, of=f"{_ALL} AND o.groups = 0")
    yield _Slice(
        part="'remoteness:' || a.remoteness", area=whole, of=_ALL, joined="JOIN areas a ON a.code = o.area_code"
    )


async def sum_up(connection: AsyncConnection, of: ToMeasure) -> list[dict[str, Any]]:
    """Every number of an evaluation, as rows of `evaluation_measures` without its id."""
    return [measure async for measure in _measures(connection, of)]


async def _measures(connection: AsyncConnection, of: ToMeasure) -> AsyncIterator[dict[str, Any]]:
    for each in _slices(of.area_code):
        for measure, ask in ((Measure.SHARE, _shares), (Measure.MEAN, _means), (Measure.QUANTILES, _quantiles)):
            names = [name.value for name in by_measure(measure) if name in each.names]
            told: dict[str, Any] = {
                "evaluation": of.id,
                "area": of.area_code,
                "names": names,
                "summed": [name.value for name in SUMMED],
            }
            if names:
                for row in await ask(connection, each.observed(), told):
                    yield row


async def _ask(connection: AsyncConnection, sql: str, told: dict[str, Any]) -> Sequence[Any]:
    statement = text(sql)
    return (await connection.execute(statement, {name: told[name] for name in statement.compile().params})).all()


async def _shares(connection: AsyncConnection, observed: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _row(row, numerator=float(row.hits), denominator=float(row.n), value=row.hits / row.n)
        | _between(wilson(row.hits, row.n))
        for row in await _ask(connection, _SHARES.format(observed=observed), told)
    ]


async def _means(connection: AsyncConnection, observed: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _row(row, numerator=row.total, denominator=float(row.n), value=row.mean)
        | _between(of_mean(row.mean, deviation=row.deviation, of=row.n))
        for row in await _ask(connection, _MEANS.format(observed=observed), told)
    ]


async def _quantiles(connection: AsyncConnection, observed: str, told: dict[str, Any]) -> list[dict[str, Any]]:
    counted = await _ask(connection, _COUNTS.format(observed=observed), told)
    if not counted:
        return []
    ranked = [(quantile_ranks(0.5, of=row.n), quantile_ranks(0.9, of=row.n)) for row in counted]
    fractions = [[_fraction(rank, of=row.n) for rank in (*a, *b)] for row, (a, b) in zip(counted, ranked, strict=True)]
    wanted = {
        **told,
        "indicators": [row.indicator for row in counted],
        "parts": [row.part for row in counted],
        "areas": [row.area_code for row in counted],
        "counts": [row.n for row in counted],
        **{f"f{place}": [each[place] for each in fractions] for place in range(6)},
    }
    by_cell = {(row.indicator, row.part, row.area_code): both for row, both in zip(counted, ranked, strict=True)}
    return [
        _of_quantiles(row, *by_cell[row.indicator, row.part, row.area_code])
        for row in await _ask(connection, _QUANTILES.format(observed=observed), wanted)
    ]


def _fraction(rank: int | None, *, of: int) -> float:
    """What `percentile_disc` takes for a rank: in the middle of its step, so that no rounding moves it."""
    return 0.5 if rank is None else (rank - 0.5) / of


def _of_quantiles(row: Any, median: Ranks, p90: Ranks) -> dict[str, Any]:
    value, low, high, top, top_low, top_high = row.found
    return _row(
        row,
        value=value,
        low=None if median.low is None else low,
        high=None if median.high is None else high,
        p90=top,
        p90_low=None if p90.low is None else top_low,
        p90_high=None if p90.high is None else top_high,
        paused=row.paused,
    )


_NUMBERS: Final = ("numerator", "denominator", "value", "low", "high", "p90", "p90_low", "p90_high", "paused")


def _row(row: Any, **numbers: float | None) -> dict[str, Any]:
    at = {"indicator": row.indicator, "part": row.part, "area_code": row.area_code, "n": row.n}
    return at | {name: numbers.get(name) for name in _NUMBERS}


def _between(interval: tuple[float, float] | None) -> dict[str, float]:
    return {} if interval is None else {"low": interval[0], "high": interval[1]}
