"""Chance by name: each draw is a keyed hash of what it is for, so that policies are compared on the same luck.

A generator that is drawn from in turn gives every later draw another value as soon as one policy asks once more. Here
the officer of a case in a stage has the same speed and the same answer whatever else happens, in every process.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from math import exp
from statistics import NormalDist
from typing import Final, TypeVar
from uuid import UUID

T = TypeVar("T")

_NORMAL: Final = NormalDist()
_BITS: Final = 53
_SCALE: Final = 2.0**-_BITS


class Chance:
    """The luck of one replication."""

    def __init__(self, seed: int, replication: int) -> None:
        self._key = blake2b(f"kawal.simulation.v1/{seed}/{replication}".encode(), digest_size=32).digest()

    def uniform(self, *what: object) -> float:
        """A number from 0 to 1, both excluded: the same for the same words."""
        drawn = int.from_bytes(self._digest(what)[:8]) >> (64 - _BITS)
        return (drawn + 0.5) * _SCALE

    def happens(self, share: float, *what: object) -> bool:
        """Whether something that happens in this share of all cases does."""
        return self.uniform(*what) < share

    def identity(self, *what: object) -> UUID:
        """An id, in the form of a random one."""
        return UUID(bytes=self._digest(what)[:16], version=4)

    def one_of(self, weights: Mapping[T, float], *what: object) -> T:
        """A value, as likely as it weighs; the last one where rounding leaves nothing else."""
        left = self.uniform(*what) * sum(weights.values())
        for value, weight in weights.items():
            left -= weight
            if left < 0:
                return value
        return next(reversed(list(weights)))

    def lognormal(self, median: float, spread: float, *what: object) -> float:
        """A length around `median`: two in three lie within a factor of e to the `spread` of it."""
        return median * exp(spread * _NORMAL.inv_cdf(self.uniform(*what)))

    def count(self, mean: float, *what: object) -> int:
        """How often something happens that happens `mean` times on average (Poisson)."""
        left, probability, drawn = self.uniform(*what), exp(-mean), 0
        while left >= probability and drawn < 50 + 10 * mean:
            left -= probability
            drawn += 1
            probability *= mean / drawn
        return drawn

    def _digest(self, what: tuple[object, ...]) -> bytes:
        return blake2b("/".join(map(str, what)).encode(), key=self._key, digest_size=16).digest()
