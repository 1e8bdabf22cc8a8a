"""Weighted draws, prepared once: the standard library adds the weights up at every draw."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Chances(Generic[T]):
    """Values that are drawn as often as they weigh."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._values = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def draw(self, rng: Random) -> T:
        """One value."""
        return self._values[bisect(self._sums, rng.random() * self._sums[-1], hi=len(self._values) - 1)]
