"""What the embedded stack consists of: its servers, its preparations and its processes, each with its condition."""

from __future__ import annotations

import sys
from typing import Final

import httpx2

from devstack.cluster import cluster_home
from devstack.environment import StackSettings
from devstack.ports import LOOPBACK, accepts
from devstack.postgres import PostgresServer
from devstack.processes import ChildService, Command, Condition
from devstack.service_user import service_user
from devstack.temporal import TemporalServer

WORKER_GRACE: Final = 35.0
"""Seconds: the worker gives its running activities thirty."""
_PYTHON: Final = sys.executable
_KAWAL: Final = (_PYTHON, "-c", "from cli import app; app(prog_name='kawal')")
PREPARATIONS: Final = (
    ("Migrate the database", ("db", "migrate")),
    ("Load the areas of Kabupaten Tasikmalaya", ("areas", "load")),
    ("Invent demo accounts and households", ("demo", "seed")),
)
STEPS: Final = 5 + len(PREPARATIONS)
"""PostgreSQL, the preparations, Temporal, and three processes."""


def postgres(settings: StackSettings) -> PostgresServer:
    """The database server, its cluster under the data folder."""
    user = service_user()
    home = cluster_home(settings.data_dir, user)
    return PostgresServer(home, port=settings.pg_port, log=settings.log_dir / "postgres.log", user=user)


def temporal(settings: StackSettings) -> TemporalServer:
    """The workflow engine, its state in a file of the data folder."""
    return TemporalServer(
        log=settings.log_dir / "temporal.log",
        database=settings.data_dir / "temporal.db",
        port=settings.temporal_port,
        ui_port=settings.temporal_ui_port,
        codec_endpoint=f"http://{LOOPBACK}:{settings.api_port}/codec",
        run_dir=settings.run_dir,
    )


def preparations(settings: StackSettings, environment: dict[str, str]) -> list[tuple[str, Command]]:
    """What runs to its end, in this order, before anything serves; each can be repeated."""
    return [
        (title, _command(settings, "prepare", (*_KAWAL, *arguments), environment)) for title, arguments in PREPARATIONS
    ]


def services(settings: StackSettings, environment: dict[str, str]) -> list[tuple[str, ChildService]]:
    """Kawal's own processes and the partners, in the order of their start."""
    api = f"http://{LOOPBACK}:{settings.api_port}"
    address = ("--host", LOOPBACK, "--port", str(settings.api_port))
    serve = (*address, "--loop", "uvloop", "--http", "api.connections:BoundedHttp")
    quiet = ("--no-access-log", "--no-proxy-headers", "--timeout-graceful-shutdown", "10")

    def child(name: str, argv: tuple[str, ...], ready: Condition, *, grace: float = 12) -> ChildService:
        command = _command(settings, name, argv, environment, grace=grace)
        return ChildService(command, ready=ready, run_dir=settings.run_dir)

    return [
        (
            "Start the partners: civil registry and Ministry",
            child("partners", (_PYTHON, "-m", "devstack.partners"), _listens(settings.ministry_port)),
        ),
        (
            "Start the API",
            child(
                "api",
                (
                    _PYTHON,
                    "-m",
                    "uvicorn",
                    "--factory",
                    "api.app:create_app",
                    "--lifespan",
                    "on",
                    *serve,
                    *quiet,
                ),
                _answers(f"{api}/readyz"),
            ),
        ),
        (
            "Start the worker",
            child("worker", (_PYTHON, "worker.py"), _listens(settings.worker_metrics_port), grace=WORKER_GRACE),
        ),
    ]


def _command(
    settings: StackSettings, name: str, argv: tuple[str, ...], environment: dict[str, str], *, grace: float = 10
) -> Command:
    return Command(name=name, argv=argv, env=environment, log=settings.log_dir / f"{name}.log", grace=grace)


def _listens(port: int) -> Condition:
    async def condition() -> bool:
        return await accepts(port)

    return condition


def _answers(url: str) -> Condition:
    async def condition() -> bool:
        try:
            # Loopback needs no certificates, and loading them takes 25 ms each time.
            async with httpx2.AsyncClient(timeout=5, trust_env=False, verify=False) as client:
                return (await client.get(url)).is_success
        except httpx2.HTTPError:
            return False

    return condition
