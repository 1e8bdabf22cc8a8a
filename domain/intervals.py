"""How sure a measured number is: 95 per cent intervals of shares, of quantiles and of means, without a library.

Shares have Wilson's interval; it holds for few cases, and for none or all of them. A quantile has the values at two
ranks of the ordered list, between which it lies whatever the values are spread like; where there are too few values for
such ranks, it has no interval. A mean has that of the normal distribution, which takes some dozens of values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Final, NamedTuple

CONFIDENCE: Final = 0.95
_TAIL: Final = (1 - CONFIDENCE) / 2
_Z: Final = NormalDist().inv_cdf(1 - _TAIL)
_EXACT_UP_TO: Final = 1_000
"""From here on the binomial distribution is as good as normal, and its terms cost more than they tell."""


class Interval(NamedTuple):
    """From where to where a number lies with 95 per cent confidence."""

    low: float
    high: float


class Ranks(NamedTuple):
    """Places in an ordered list, counted from 1: of a quantile, and of both ends of its interval where it has one."""

    quantile: int
    low: int | None
    high: int | None


def wilson(hits: int, of: int) -> Interval | None:
    """The interval of a share (E. B. Wilson 1927); None of nothing."""
    if not of:
        return None
    share, spread = hits / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def of_mean(mean: float, *, deviation: float | None, of: int) -> Interval | None:
    """The interval of a mean by the standard deviation of the values; None of fewer than two."""
    if deviation is None or of < 2:  # noqa: PLR2004  one value has no spread
        return None
    half = _Z * deviation / math.sqrt(of)
    return Interval(mean - half, mean + half)


def quantile_ranks(quantile: float, *, of: int) -> Ranks:
    """The ranks of a quantile in `of` values, and of its interval (order statistics; H. A. David, Order Statistics).

    How many of the values lie below the quantile is binomial. Raises ValueError where there are no values.
    """
    if of < 1:
        raise ValueError("no values have no quantile")
    middle = max(1, math.ceil(quantile * of - 1e-9))
    low, high = _exact(quantile, of) if of <= _EXACT_UP_TO else _normal(quantile, of)
    return Ranks(middle, low if low >= 1 else None, high if high <= of else None)


def _exact(quantile: float, of: int) -> tuple[int, int]:
    """The greatest rank below which the quantile lies in 2.5 per cent at most, and the least above which it does."""
    low, high = 0, of + 1
    for below, at_most in enumerate(_cumulated(quantile, of)):
        if at_most <= _TAIL:
            low = below + 1
        if at_most >= 1 - _TAIL:
            high = below + 1
            break
    return low, high


def _cumulated(quantile: float, of: int) -> Iterator[float]:
    """How likely it is that at most 0, 1, 2... of the values lie below the quantile."""
    total = 0.0
    for below in range(of + 1):
        logarithm = math.lgamma(of + 1) - math.lgamma(below + 1) - math.lgamma(of - below + 1)
        total += math.exp(logarithm + below * math.log(quantile) + (of - below) * math.log1p(-quantile))
        yield total


def _normal(quantile: float, of: int) -> tuple[int, int]:
    half = _Z * math.sqrt(of * quantile * (1 - quantile))
    return math.floor(of * quantile - half), math.ceil(of * quantile + half) + 1
