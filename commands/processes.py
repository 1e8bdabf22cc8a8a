"""`kawal api` and `kawal worker`: one process of the system by hand, as `kawal up` and production run them."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import typer

from runtime.settings import TREE, get_settings

api = typer.Typer(add_completion=False)
worker = typer.Typer(add_completion=False)

UVICORN: Final = (
    *("-m", "uvicorn", "--factory", "api.app:create_app"),
    *("--loop", "uvloop", "--http", "api.connections:BoundedHttp", "--lifespan", "on", "--no-proxy-headers"),
)
"""The API as a module for Python to run; where it listens comes after it."""


@api.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="The address to listen on; KAWAL_API_HOST without it.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; KAWAL_API_PORT without it.")] = None,
) -> None:
    """Run the API until it is stopped."""
    settings = get_settings()
    address = ("--host", host or settings.api_host, "--port", str(port or settings.api_port))
    _become(*UVICORN, *address, "--no-access-log", "--timeout-graceful-shutdown", "10")


@worker.command()
def work() -> None:
    """Run a worker until it is stopped; what is under way is finished first. Any number may run."""
    get_settings()
    _become("worker.py")


def _become(*arguments: str) -> None:
    """Go on as this program: it gets the signals, and its exit code is ours."""
    os.chdir(TREE)
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - our own interpreter, no shell
