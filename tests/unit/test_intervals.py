"""Intervals: against values from books, and against what was drawn from a known distribution."""

from __future__ import annotations

import random

import pytest

from domain.intervals import of_mean, quantile_ranks, wilson


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (7, 10, 0.3968, 0.8922), (81, 263, 0.2553, 0.3662)],
    ids=["none", "all", "some", "newcombe 1998"],
)
def test_wilson_is_as_published(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_and_of_one_value_there_is_no_interval() -> None:
    assert wilson(0, 0) is None
    assert of_mean(3.0, deviation=None, of=1) is None
    assert quantile_ranks(0.5, of=5)[1:] == (None, None), "five values hold the median in 94 per cent only"
    with pytest.raises(ValueError, match="no quantile"):
        quantile_ranks(0.5, of=0)


@pytest.mark.parametrize(("of", "ranks"), [(6, (3, 1, 6)), (10, (5, 2, 9)), (20, (10, 6, 15)), (100, (50, 40, 61))])
def test_ranks_of_a_median_are_those_of_the_tables(of: int, ranks: tuple[int, int, int]) -> None:
    assert quantile_ranks(0.5, of=of) == ranks


@pytest.mark.parametrize(("quantile", "of"), [(0.5, 30), (0.9, 80), (0.9, 1_001), (0.5, 2_000)])
def test_the_interval_of_a_quantile_covers_it_as_often_as_is_said(quantile: float, of: int) -> None:
    drawing, ranks = random.Random(7), quantile_ranks(quantile, of=of)  # noqa: S311  a test draws
    assert ranks.low is not None
    assert ranks.high is not None
    covered = 0
    for _ in range(400):
        drawn = sorted(drawing.random() for _ in range(of))
        covered += drawn[ranks.low - 1] <= quantile <= drawn[ranks.high - 1]
    assert covered >= 0.92 * 400
