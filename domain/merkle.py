"""The root of a Merkle tree over leaves that come one by one, as RFC 6962 (section 2.1) hashes them.

Leaves and inner nodes are hashed apart (a 0 or a 1 before them), so that no inner node can pass for a leaf. Memory is
one hash for each level, whatever the number of leaves.
"""

from __future__ import annotations

import hashlib
from typing import Final

_LEAF: Final = b"\0"
_NODE: Final = b"\1"


class MerkleTree:
    """Takes leaves in their order and gives the root over those taken so far."""

    __slots__ = ("_peaks", "leaves")

    def __init__(self) -> None:
        self.leaves = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Take the next leaf: any bytes, which are hashed here."""
        node = hashlib.sha256(_LEAF + leaf).digest()
        ended = self.leaves
        while ended & 1:  # the number of trees that this leaf completes is that of trailing ones before it
            node = _join(self._peaks.pop(), node)
            ended >>= 1
        self._peaks.append(node)
        self.leaves += 1

    def root(self) -> bytes:
        """The 32 bytes over all leaves taken; that of no leaf is the hash of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = _join(peak, node)
        return node


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
