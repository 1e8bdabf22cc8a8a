"""A workflow that drags a module into its sandbox by carelessness, to be loaded anew for every case."""

from __future__ import annotations

import standardwebhooks
from temporalio import workflow


@workflow.defn
class Careless:
    """Names the module, so that the import counts."""

    @workflow.run
    async def run(self) -> str:
        """Answer with the name of what should not be here."""
        return standardwebhooks.__name__
