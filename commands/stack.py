"""`kawal up` and `kawal status`: the embedded stack on this machine."""

from __future__ import annotations

from dataclasses import asdict

import typer

from commands.terminal import AsJson, say, show_json, show_table
from devstack import up as stack

up = typer.Typer(add_completion=False)
status = typer.Typer(add_completion=False)


@up.command()
def start() -> None:
    """Start everything on this machine and keep it running: PostgreSQL, Temporal, partners, API, worker.

    Ctrl-C stops it in order. Data stay in `.kawal/`, and the next start goes on where this one stood.
    """
    raise typer.Exit(stack.up())


@status.command()
def show(*, json: AsJson = False) -> None:
    """Show what runs of the embedded stack, and the memory each part takes. Exit code 1 when nothing runs."""
    rows = stack.status()
    if json:
        show_json([asdict(row) for row in rows])
    elif rows:
        show_table(
            ("part", "pid", "processes", "memory MiB", "CPU s", "up s"),
            [
                (row.name, row.pid, row.processes, row.memory_mib, row.cpu_seconds, round(row.age_seconds))
                for row in rows
            ],
        )
    else:
        say("Nothing runs. `kawal up` starts it.")
    raise typer.Exit(0 if rows else 1)
