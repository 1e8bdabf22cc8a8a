"""The system under measurement: what `make up` runs, in a folder of its own, and what its processes spend."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from dotenv import dotenv_values

from devstack.status import SUPERVISOR_RECORD, status
from runtime.settings import TREE, Settings, load_settings

_START_PATIENCE = 180.0
_STOP_PATIENCE = 45.0


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its folder, its environment, its settings."""

    folder: Path
    environment: Mapping[str, str]
    settings: Settings

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time spent so far by each part; the supervisor's own is none of the load's."""
        parts = [row for row in status(self.folder) if row.name != SUPERVISOR_RECORD]
        return {row.name: sum(_cpu(process) for process in _family(row.pid)) for row in parts}

    def memory_mib(self) -> dict[str, float]:
        """Memory of each part now, shared pages shared out."""
        return {row.name: row.memory_mib for row in status(self.folder)}


@asynccontextmanager
async def running_stack() -> AsyncGenerator[Stack]:
    """`make up` in a temporary folder; stopped in order at the end."""
    with tempfile.TemporaryDirectory(prefix="kawal-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # noqa: ASYNC240  nothing else runs in this loop yet
        environment = {**os.environ, "KAWAL_DATA_DIR": str(folder), "KAWAL_LOG_LEVEL": "warning"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "devstack.up"),
            cwd=TREE,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            await _until_ready(process)
            values = {key: value for key, value in dotenv_values(folder / "env").items() if value is not None}
            yield Stack(folder, {**environment, **values}, load_settings(folder / "env"))
        finally:
            await _stop(process)


@asynccontextmanager
async def bare_worker(stack: Stack) -> AsyncGenerator[psutil.Process]:
    """The worker of the bare workflow, on the stack's engine."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.bare"),
        cwd=TREE,
        env=dict(stack.environment),
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        await _stop(process)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and its children."""
    return sum(_cpu(member) for member in [process, *process.children(recursive=True)])


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    """Wait for the line that the stack prints once everything answers, and keep reading what follows."""
    lines: list[str] = []
    ready = asyncio.Event()
    if process.stdout is None:
        raise RuntimeError("the stack was started without a pipe")

    async def read(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            lines.append(line.decode(errors="replace").rstrip())
            if "Ctrl-C" in lines[-1]:
                ready.set()
        ready.set()

    reader = asyncio.create_task(read(process.stdout))
    async with asyncio.timeout(_START_PATIENCE):
        await ready.wait()
    if reader.done() or process.returncode is not None:
        raise RuntimeError("the stack did not come up:\n" + "\n".join(lines[-30:]))


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _family(pid: int) -> list[psutil.Process]:
    try:
        leader = psutil.Process(pid)
        return [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return spent.user + spent.system
