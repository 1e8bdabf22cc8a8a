"""The whole of `up` with small stand-ins for the API, the worker and the commands, and everything else real."""

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import psutil
import pytest
from dotenv import dotenv_values

from devstack.ports import any_free_port
from devstack.status import status
from runtime.settings import ENV_PREFIX, TREE
from tests.devstack.conftest import remove
from tests.devstack.waiting import runs, until

pytestmark = pytest.mark.embedded

CLI = """
import os, sys, time
from db import migrate

def app(prog_name):
    print(prog_name, *sys.argv[1:], flush=True)
    if sys.argv[1:] == ["db", "migrate"]:
        migrate.upgrade(os.environ["KAWAL_DATABASE_MIGRATOR_URL"])
    if os.path.exists("slow") and sys.argv[1:] == ["demo", "seed"]:
        time.sleep(600)
    if os.path.exists("broken") and sys.argv[1:] == ["areas", "load"]:
        sys.exit("the areas are not right")
"""
API = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

def create_app():
    return Starlette(routes=[Route("/readyz", lambda request: PlainTextResponse("ready"))])
"""
WORKER = """
import os, signal, sys, time
from prometheus_client import start_http_server
from runtime.settings import get_settings

signal.signal(signal.SIGTERM, signal.SIG_IGN if os.path.exists("deaf") else lambda *_: sys.exit(0))
start_http_server(get_settings().worker_metrics_port, "127.0.0.1")
while True:
    time.sleep(1)
"""
PARTS = {"postgres", "temporal", "partners", "api", "worker"}


class Stack:
    """One tree with its data folder, and the `up` that runs in it."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.data = tree / ".kawal"
        self._process: asyncio.subprocess.Process | None = None
        self._said = tree / "said"

    async def up(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        ports = {f"KAWAL_{name}_PORT": str(any_free_port()) for name in ("PG", "TEMPORAL", "TEMPORAL_UI")}
        first = {} if (self.data / "env").exists() else ports
        with self._said.open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "devstack.up"), cwd=self.tree, env={**kept, **first}, stdout=said, stderr=said
            )

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    def said(self) -> str:
        return self._said.read_text()

    async def until_said(self, text: str, *, times: int = 1) -> None:
        await until(lambda: self.said().count(text) >= times or self.process.returncode is not None, within=120)
        assert self.said().count(text) >= times, self.said()

    async def ends(self) -> int:
        return await asyncio.wait_for(self.process.wait(), timeout=60)

    def pids(self) -> dict[str, int]:
        return {row.name: row.pid for row in status(self.data)}

    def api(self) -> str:
        return str(dotenv_values(self.data / "env")["KAWAL_API_URL"])


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[Stack]:
    tree = tmp_path / "tree"
    for package in ("devstack", "runtime", "domain", "db"):
        shutil.copytree(TREE / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "api").mkdir()
    shutil.copy(TREE / "api" / "connections.py", tree / "api")
    for name, text in {"cli.py": CLI, "worker.py": WORKER, "api/__init__.py": "", "api/app.py": API}.items():
        (tree / name).write_text(text)
    stack = Stack(tree)
    yield stack
    for pid in stack.pids().values():
        psutil.Process(pid).kill()
    remove(stack.data)


async def test_everything_comes_up_and_ctrl_c_takes_it_down_in_order(stack: Stack) -> None:
    await stack.up()
    await stack.until_said("Kawal is up")
    pids = stack.pids()
    assert pids.keys() == PARTS | {"up"}
    done = re.findall(r"done +(\w+ \S+)", stack.said())
    assert done == [
        *("Start PostgreSQL", "Migrate the", "Load the", "Invent demo"),
        *("Start Temporal", "Start the", "Start the", "Start the"),
    ]
    asked = (stack.data / "log" / "prepare.log").read_text().splitlines()
    assert [line for line in asked if line.startswith("kawal")] == [
        "kawal db migrate",
        "kawal areas load",
        "kawal demo seed",
    ]
    stack.process.send_signal(signal.SIGINT)
    assert await stack.ends() == 0
    assert re.findall(r"(\w+) stopped \(", stack.said()) == ["worker", "api", "partners", "temporal", "postgres"]
    assert not any(runs(pid) for pid in pids.values())
    assert stack.pids() == {}


async def test_what_crashes_comes_back_under_the_same_address(stack: Stack) -> None:
    await stack.up()
    await stack.until_said("Kawal is up")
    address, pids = stack.api(), stack.pids()
    for part in ("api", "worker", "postgres", "temporal", "partners"):
        os.kill(pids[part], signal.SIGKILL)
        await stack.until_said(f"{part} is back")
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{address}/readyz")).is_success
    again = stack.pids()
    assert again["up"] == pids["up"]
    assert not {again[part] for part in PARTS} & {pids[part] for part in PARTS}
    stack.process.terminate()
    assert await stack.ends() == 0


async def test_a_start_after_kill_nine_takes_over_what_was_left(stack: Stack) -> None:
    await stack.up()
    await stack.until_said("Kawal is up")
    before, address = stack.pids(), stack.api()
    stack.process.kill()
    await stack.process.wait()
    assert runs(before["worker"])
    await stack.up()
    await stack.until_said("Kawal is up", times=2)
    assert "worker was left over from an earlier run" in stack.said()
    after = stack.pids()
    assert after["postgres"] == before["postgres"]
    assert not any(runs(before[part]) for part in ("worker", "api", "partners", "temporal"))
    assert stack.api() == address
    stack.process.terminate()
    assert await stack.ends() == 0
    assert stack.pids() == {}


async def test_a_second_up_in_the_same_folder_is_refused_and_disturbs_nothing(stack: Stack) -> None:
    await stack.up()
    await stack.until_said("Start Temporal")
    first = stack.process
    await stack.up()
    assert await stack.ends() == 1
    assert "Kawal is up already" in stack.said()
    assert first.returncode is None
    first.terminate()
    assert await asyncio.wait_for(first.wait(), timeout=60) == 0
    assert stack.pids() == {}


async def test_a_second_ctrl_c_does_not_wait_for_a_deaf_worker(stack: Stack) -> None:
    (stack.tree / "deaf").touch()
    await stack.up()
    await stack.until_said("Kawal is up")
    stack.process.send_signal(signal.SIGINT)
    await stack.until_said("once more to end it at once")
    stack.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(stack.ends(), timeout=20) == 0
    assert stack.pids() == {}


async def test_a_stop_in_the_middle_of_a_preparation_ends_that_too(stack: Stack) -> None:
    (stack.tree / "slow").touch()
    await stack.up()
    await stack.until_said("Invent demo")
    stack.process.terminate()
    assert await stack.ends() == 0
    assert "stopped before everything was up" in stack.said()
    assert stack.pids() == {}


async def test_a_preparation_that_fails_shows_why_and_leaves_nothing_running(stack: Stack) -> None:
    (stack.tree / "broken").touch()
    await stack.up()
    assert await stack.ends() == 1
    assert "the areas are not right" in stack.said()
    assert stack.pids() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_folder_of_another_user_is_left_alone(stack: Stack) -> None:
    stack.data.mkdir()
    os.chown(stack.data, 65534, 65534)
    await stack.up()
    assert await stack.ends() == 1
    assert "belongs to another user" in stack.said()
    assert list(stack.data.iterdir()) == []
