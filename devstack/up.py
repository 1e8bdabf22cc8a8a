"""`kawal up`: the whole of Kawal on this machine, started in order, kept running, and stopped in reverse.

Also `python -m devstack.up`. State lies in `.kawal/`, so a second start goes on where the first one stood.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from devstack.binaries import MissingProgramError
from devstack.cluster import PostgresError
from devstack.demo_people import PASSWORD
from devstack.display import StepDisplay
from devstack.environment import StackSettings, stack_environment, stack_settings, with_free_ports, write_environment
from devstack.plan import STEPS, postgres, preparations, services, temporal
from devstack.ports import LOOPBACK, NoFreePortError
from devstack.postgres import PostgresServer
from devstack.processes import ServiceError, run_to_end, sweep, write_record
from devstack.status import SUPERVISOR_RECORD, StatusRow, status
from devstack.supervisor import Supervisor
from runtime.settings import SettingsError, data_dir

__all__ = ["StatusRow", "main", "status", "up"]

OPERATOR: Final = "operator.taraju"
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunningError(Exception):
    """Another `kawal up` owns this data folder."""


class ForeignFolderError(Exception):
    """The data folder belongs to somebody else."""


def up(settings: StackSettings | None = None, *, console: Console | None = None) -> int:
    """Run the stack until it is told to stop; the exit code.

    Ctrl-C, SIGTERM or a closed terminal stop it in order; a second one ends it at once. `settings` come from the
    environment and `.kawal/env` when None.
    """
    out = console or Console()
    try:
        refuse_foreign(data_dir() if settings is None else settings.data_dir)
        chosen = settings or stack_settings()
        with alone(chosen):
            return asyncio.run(_run(chosen, out))
    except (SettingsError, AlreadyRunningError, ForeignFolderError) as error:
        out.print(str(error), style="red", markup=False)
        return 1


def main() -> int:
    """The entry point of `python -m devstack.up`."""
    return up()


async def _run(settings: StackSettings, console: Console) -> int:
    display = StepDisplay(console, total=STEPS)
    supervisor = Supervisor(say=display.say)
    stop = _on_signals(supervisor, display)
    starting = asyncio.create_task(_start(settings, supervisor, display))
    stopping = asyncio.create_task(stop.wait())
    code = 0
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
        await starting
        await stopping
    except asyncio.CancelledError:
        display.say("stopped before everything was up")
    except (ServiceError, PostgresError, MissingProgramError, NoFreePortError) as error:
        display.say(f"{error}\nKawal could not start.")
        code = 1
    finally:
        await supervisor.stop()
    return code


def _on_signals(supervisor: Supervisor, display: StepDisplay) -> asyncio.Event:
    """An event that the first signal sets; the second one kills."""
    stop = asyncio.Event()

    def told() -> None:
        if stop.is_set():
            display.say("ending everything at once")
            supervisor.kill()
        else:
            display.say("stopping; once more to end it at once")
            stop.set()

    for name in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(name, told)
    return stop


async def _start(settings: StackSettings, supervisor: Supervisor, display: StepDisplay) -> None:
    for name in await sweep(settings.run_dir):
        display.say(f"{name} was left over from an earlier run and has been stopped")
    write_record(settings.run_dir / f"{SUPERVISOR_RECORD}.json", os.getpid())
    settings = with_free_ports(settings)
    with display.shown():
        with display.step("Start PostgreSQL"):
            database = postgres(settings)
            await supervisor.start(database)
        settings = settings.model_copy(update={"pg_port": database.port})
        for title, command in preparations(settings, _publish(settings, database)):
            with display.step(title):
                await run_to_end(command)
        with display.step("Start Temporal"):
            engine = temporal(settings)
            await supervisor.start(engine)
        settings = settings.model_copy(update={"temporal_port": engine.port, "temporal_ui_port": engine.ui_port})
        for title, service in services(settings, _publish(settings, database)):
            with display.step(title):
                await supervisor.start(service)
    display.say(_welcome(settings))


def _publish(settings: StackSettings, database: PostgresServer) -> dict[str, str]:
    """Write what is known by now for other shells, and give it back as a child's whole environment."""
    environment = stack_environment(settings, database.urls())
    write_environment(settings.env_file, environment)
    return {**os.environ, **environment}


def refuse_foreign(folder: Path) -> None:
    """Root would leave files that an ordinary user cannot read again, and the other way round.

    Raises ForeignFolderError.
    """
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        raise ForeignFolderError(f"{folder} belongs to another user; KAWAL_DATA_DIR can name a folder of your own.")


@contextmanager
def alone(settings: StackSettings) -> Generator[None]:
    """Hold the data folder; the system lets go of the lock with the process, however that ends."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(f"Kawal is up already in {settings.data_dir}; `kawal status` shows it.") from None
        try:
            yield
        finally:
            (settings.run_dir / f"{SUPERVISOR_RECORD}.json").unlink(missing_ok=True)


def _welcome(settings: StackSettings) -> str:
    api = f"http://{LOOPBACK}:{settings.api_port}"
    return f"""
Kawal is up. Ctrl-C stops it; `make up` goes on where it stood.
  API          {api}/docs
  Temporal UI  http://{LOOPBACK}:{settings.temporal_ui_port}
  PostgreSQL   {LOOPBACK}:{settings.pg_port}, database kawal
  partners     civil registry {LOOPBACK}:{settings.civil_registry_port}, Ministry {LOOPBACK}:{settings.ministry_port}
  logs         {settings.log_dir}
  settings     {settings.env_file}
Every demo account has the password {PASSWORD}; this asks for the operator's token:
  curl -s {api}/v1/auth/token -d grant_type=password -d username={OPERATOR} -d password={PASSWORD}"""


if __name__ == "__main__":
    sys.exit(main())
