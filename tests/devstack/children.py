"""Small real programs that stand in for the stack's processes."""

import os
import sys
from pathlib import Path

from devstack.ports import accepts
from devstack.processes import ChildService, Command

LISTEN = """
import socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    time.sleep(1)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
print(child.pid, flush=True)
time.sleep(600)
"""
FAIL = """
import sys
print("the reason", flush=True)
sys.exit(3)
"""
SLEEP = "import time; time.sleep(600)"


def command(folder: Path, program: str, *arguments: str, name: str = "child", grace: float = 5) -> Command:
    """A Python program as a child with its log in `folder`."""
    argv = (sys.executable, "-c", program, *arguments)
    return Command(name=name, argv=argv, env=dict(os.environ), log=folder / f"{name}.log", grace=grace)


def listener(folder: Path, port: int, *, name: str = "listener") -> ChildService:
    """A service that listens on `port`."""

    async def ready() -> bool:
        return await accepts(port)

    return ChildService(command(folder, LISTEN, str(port), name=name), ready=ready, run_dir=folder / "run")
