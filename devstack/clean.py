"""`python -m devstack.clean`: take away everything that `kawal up` has made on this machine."""

from __future__ import annotations

import asyncio
import shutil
import sys

from devstack.environment import StackSettings, stack_settings
from devstack.plan import postgres
from devstack.processes import sweep
from devstack.up import AlreadyRunningError, alone


async def clean(settings: StackSettings) -> None:
    """Stop what an unclean end left running, then remove the data folder and the cluster it links to.

    All data are gone after it. Call it only while holding the folder (`alone`).
    """
    await sweep(settings.run_dir)
    cluster = settings.data_dir / "postgres"
    if cluster.exists():
        server = postgres(settings)
        await server.stop()
        await asyncio.to_thread(shutil.rmtree, cluster.resolve())
    await asyncio.to_thread(shutil.rmtree, settings.data_dir)


def main() -> int:
    """Refuse while Kawal is up, clean otherwise; the exit code."""
    settings = stack_settings()
    if not settings.data_dir.exists():
        return 0
    try:
        with alone(settings):
            asyncio.run(clean(settings))
    except AlreadyRunningError as error:
        sys.stderr.write(f"{error} Stop it first.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
