"""The checksum of one transfer, which its sender announces and which what arrives must have."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

ALGORITHMS: Final = ("sha1", "sha256")
"""SHA-1 is what every client of the protocol knows; it guards against accidents of the line and nothing else."""


class Checksum:
    """Counts along while bytes arrive."""

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._hash = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = expected

    def update(self, piece: bytes) -> None:
        """Take a piece in."""
        self._hash.update(piece)

    def matches(self) -> bool:
        """Whether what came in is what was announced."""
        return hmac.compare_digest(self._hash.digest(), self._expected)
