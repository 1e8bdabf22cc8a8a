"""Child processes: each in a group of its own, with a log, a record that survives us, and a stop that is final."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import psutil

from runtime.settings import TREE

POLL_SECONDS: Final = 0.1
LOG_LIMIT: Final = 20 * 1024 * 1024
"""A log beyond this many bytes is set aside as `.1` when its process starts; one older log is kept."""

Condition = Callable[[], Awaitable[bool]]


class ServiceError(Exception):
    """A service could not be started; the text ends with the last lines of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run. The environment is all that a child is told; `grace` is its time to stop, in seconds."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path
    cwd: Path = TREE
    grace: float = 10


class ChildService:
    """One long-running child that counts as started once `ready` says so."""

    def __init__(
        self, command: Command, *, ready: Condition, ready_within: float = 60, run_dir: Path | None = None
    ) -> None:
        self.name = command.name
        self._command = command
        self._ready = ready
        self._ready_within = ready_within
        self._record = None if run_dir is None else run_dir / f"{command.name}.json"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the child and wait until it is ready. Raises ServiceError when it ends first or takes too long."""
        with open_log(self._command.log) as log:
            self._process = await spawn(self._command, log)
        if self._record is not None:
            write_record(self._record, self._process.pid)
        end = time.monotonic() + self._ready_within
        while not await self._ready():
            if self._process.returncode is not None:
                raise self._failed(f"ended with {how_it_ended(self._process.returncode)} before it was ready")
            if time.monotonic() > end:
                await self.stop()
                raise self._failed(f"was not ready within {self._ready_within:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def ended(self) -> str:
        """Return when the child has ended, and say how."""
        return "never started" if self._process is None else how_it_ended(await self._process.wait())

    async def stop(self) -> None:
        """Ask the child to stop, wait for its grace, then end it and whatever is left of its group."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), self._command.grace)
        self.kill()
        await self._process.wait()
        if self._record is not None:
            self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the child's whole group at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    def _failed(self, what: str) -> ServiceError:
        return ServiceError(f"{self.name} {what}; the end of {self._command.log}:\n{tail(self._command.log)}")


async def run_to_end(command: Command) -> None:
    """Run a command that ends by itself. Raises ServiceError when it ends with anything but 0."""
    with open_log(command.log) as log:
        process = await spawn(command, log)
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if code != 0:
        said = tail(command.log)
        raise ServiceError(f"{command.name} ended with {how_it_ended(code)}; the end of {command.log}:\n{said}")


async def spawn(command: Command, log: BinaryIO) -> asyncio.subprocess.Process:
    """Start it in a session of its own: Ctrl-C in our terminal reaches us alone, and we stop it in order."""
    return await asyncio.create_subprocess_exec(
        *command.argv,
        env=dict(command.env),
        cwd=command.cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


def open_log(path: Path) -> BinaryIO:
    """The log, opened for appending by its owner alone; a large one is set aside first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def tail(log: Path, *, lines: int = 15) -> str:
    """The last lines of a log, or nothing if there is none yet."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 64 * 1024))
            return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def how_it_ended(code: int) -> str:
    """`exit code 3` or `signal SIGKILL`."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def write_record(record: Path, pid: int) -> None:
    """Write down which process runs, with its start time: a pid alone may belong to a stranger tomorrow."""
    with contextlib.suppress(psutil.NoSuchProcess):
        created = psutil.Process(pid).create_time()
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        record.write_text(json.dumps({"pid": pid, "created": created}))


def recorded_process(record: Path) -> psutil.Process | None:
    """The process of a record if it still runs, and is the very one that was written down."""
    try:
        wanted = json.loads(record.read_text())
        process = psutil.Process(int(wanted["pid"]))
        same = process.create_time() == wanted["created"] and _alive(process)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process if same else None


def _records(run_dir: Path) -> list[Path]:
    return sorted(run_dir.glob("*.json"))


async def sweep(run_dir: Path, *, grace: float = 10) -> list[str]:
    """Stop what an earlier run left behind, and say the names. Only processes that its records prove to be ours."""
    names: list[str] = []
    for record in _records(run_dir):
        process = recorded_process(record)
        if process is not None:
            await _end_group(process, grace=grace)
            names.append(record.stem)
        record.unlink()
    return names


async def _end_group(leader: psutil.Process, *, grace: float) -> None:
    """Children are leaders of their groups, so the group's id is the pid; it cannot be reused while one lives."""
    end = time.monotonic() + grace
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
        leader.terminate()
        while _alive(leader) and time.monotonic() < end:  # noqa: ASYNC110 - no child of ours, so nobody tells us
            await asyncio.sleep(POLL_SECONDS)
        os.killpg(leader.pid, signal.SIGKILL)


def _alive(process: psutil.Process) -> bool:
    """A zombie is dead; where nobody collects orphans, as in many containers, it stays visible for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
