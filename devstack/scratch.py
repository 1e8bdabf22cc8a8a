"""Servers for tests and checks: fast, forgetful, and gone with the process that asked for them, however it ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from devstack.binaries import shared_state
from devstack.ports import any_free_port
from devstack.postgres import PostgresServer
from devstack.service_user import service_user
from devstack.temporal import TIME_SKIPPING, TemporalServer

MEMORY = Path("/dev/shm")  # noqa: S108  a folder of unguessable name is made in it
ROOM = 1024**3
"""Bytes that have to be free there; a cluster takes a tenth of it."""

_CLEAN_UP = """
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
pid=$(cat "$1/temporal.pid" 2>/dev/null) && kill -KILL "$pid"
rm -rf "$1"
"""


@asynccontextmanager
async def scratch_postgres() -> AsyncGenerator[PostgresServer]:
    """A running PostgreSQL with roles and an empty `kawal` database, unsafe against a crash of the machine."""
    with scratch_folder() as home:
        async with _leash(home), PostgresServer(home, port=any_free_port(), durable=False) as server:
            yield server


@asynccontextmanager
async def scratch_temporal() -> AsyncGenerator[TemporalServer]:
    """A running Temporal server, in memory, whose workflows may skip time and whose timers fire at once."""
    with scratch_folder() as home:
        server = TemporalServer(log=home / "temporal.log", port=any_free_port(), dynamic_config=TIME_SKIPPING)
        async with _leash(home), server:
            (home / "temporal.pid").write_text(str(server.pid))
            yield server
            # Clients just closed may abort the interpreter at exit when they are given no time (sdk-python #300).
            await asyncio.sleep(0.3)


@contextmanager
def scratch_folder() -> Generator[Path]:
    """Where the account that PostgreSQL runs as can enter, also when our own temporary folder is private."""
    home = Path(tempfile.mkdtemp(prefix="kawal-scratch-", dir=_place()))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _place() -> Path | None:
    """Memory where there is a folder of it: a fresh database is 440 files, a third of the work there."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return None if service_user() is None else shared_state()


@asynccontextmanager
async def _leash(home: Path) -> AsyncGenerator[None]:
    """A shell that waits for the end of this process and then ends what it started and removes `home`.

    It hangs on a pipe that only we hold open, so it notices even `kill -9`. On an orderly end it is not needed
    and is sent away first.
    """
    shell = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _CLEAN_UP, "leash", str(home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        shell.kill()
        await shell.wait()
