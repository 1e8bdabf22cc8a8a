"""How a serving process uses Python's collector of garbage."""

from __future__ import annotations

import gc
from typing import Final

_ALLOCATIONS: Final = 20_000


def settle_heap() -> None:
    """Call once when everything is loaded: what is there stays, and the collector looks at what comes after it.

    A request or a step makes little garbage with cycles, and the default of 700 allocations looks for it many times
    in each, through all that the libraries have loaded.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
