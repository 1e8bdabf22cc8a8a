"""`kawal`: everything an operator or a newcomer does from a shell. Each group of commands is a module of `commands`."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer._click import Command, Context
from typer.core import TyperGroup

from commands.terminal import EXPECTED, explain
from runtime.logging import configure_logging
from runtime.settings import LogFormat, LogLevel

COMMANDS: Final = {
    "up": "commands.stack:up",
    "status": "commands.stack:status",
    "demo": "commands.demo:app",
    "api": "commands.processes:api",
    "worker": "commands.processes:worker",
    "db": "commands.database:app",
    "areas": "commands.areas:app",
    "calendar": "commands.calendars:app",
    "users": "commands.identities:users",
    "memberships": "commands.people:memberships",
    "delegations": "commands.people:delegations",
    "policies": "commands.policies:app",
    "simulate": "commands.simulation:app",
    "case": "commands.cases:app",
    "audit": "commands.audit:app",
    "evidence": "commands.evidence:app",
    "retention": "commands.retention:app",
    "person": "commands.person:app",
    "doctor": "commands.doctor:app",
    "keys": "commands.keys:app",
    "api-keys": "commands.api_keys:app",
}
"""Where each command stands. Loaded when it is called: the database and the engine take a second to import."""


class Commands(TyperGroup):
    """The commands above, and the one place where a refusal becomes a message and an exit code instead of a trace."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of that name, loaded now."""
        del ctx
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(":")
        command = typer.main.get_command(getattr(import_module(module), attribute))
        command.name = cmd_name
        return command

    def invoke(self, ctx: Context) -> Any:
        """Run the command; what can be expected to go wrong ends with exit code 1 and says what to do."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            explain(error)
            raise typer.Exit(1) from error


app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def kawal(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens meanwhile, on standard error.")] = False,
) -> None:
    """Kawal escorts every update of a household from the village to the registry.

    `kawal up` starts all of it on this machine; `kawal demo` drives a dozen cases through it.
    Settings are read from `KAWAL_*` variables and from `.kawal/env`, which `kawal up` writes.
    """
    configure_logging("kawal", level=LogLevel.INFO if verbose else LogLevel.WARNING, fmt=LogFormat.CONSOLE)


if __name__ == "__main__":
    app(prog_name="kawal")
