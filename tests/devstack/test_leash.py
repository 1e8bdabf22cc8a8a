"""Test sessions get killed; what they started must not stay."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from runtime.settings import TREE
from tests.devstack.waiting import runs, until

pytestmark = pytest.mark.embedded

HOLD = """
import asyncio
from devstack.scratch import scratch_postgres, scratch_temporal

async def hold():
    async with scratch_postgres() as database, scratch_temporal() as engine:
        print(database.cluster.home, database.cluster.postmaster().pid, engine.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(hold())
"""


async def test_scratch_servers_go_when_their_process_is_killed() -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, cwd=TREE, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    home, postmaster, engine = (await asyncio.wait_for(holder.stdout.readline(), timeout=60)).decode().split()
    os.kill(holder.pid, signal.SIGKILL)
    await holder.wait()
    await until(lambda: not (runs(int(postmaster)) or runs(int(engine)) or Path(home).exists()))
