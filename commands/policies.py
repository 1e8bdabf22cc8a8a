"""`kawal policies`: the rules of routes, deadlines, ladders and reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from commands.operation import owner_database, run
from commands.terminal import CommandFailed, note, say, show_json
from domain.authority import NATION
from domain.policy import Policy, parse_policy
from services.administration.policies import Published, policy_in_force, publish_policy

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Policies: routes, deadlines, escalation ladders, reasons; versioned.",
)


@app.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="A policy as JSON, `-` for standard input.", allow_dash=True)],
    *,
    area: Annotated[
        str | None, typer.Option(help="Publish it for this regency (32.06) or the nation (*) instead.")
    ] = None,
) -> None:
    """Check a policy and put it in force as the next version of its area. Cases that are open keep theirs.

    Every fault is listed with its place and its remedy, and then nothing is published.
    """
    policy = _read(file, area=area)
    published = run(_publish(policy))
    say(f"Version {published.number} of the policy for {published.area_code} is in force ({published.id}).")


@app.command("show")
def show(
    *,
    area: Annotated[str, typer.Option(help="An area: the policy that a case there begins with now.")] = NATION,
) -> None:
    """Print the policy in force as JSON; what it is goes to standard error."""
    found = run(_show(area))
    note(f"{found.policy.title.en}: version {found.number} for {found.area_code}, in force since {found.effective_at}.")
    show_json(found.policy.model_dump(mode="json"))


async def _publish(policy: Policy) -> Published:
    async with owner_database().transaction() as connection:
        return await publish_policy(connection, policy, at=datetime.now(UTC))


async def _show(area_code: str) -> Published:
    async with owner_database().transaction() as connection:
        return await policy_in_force(connection, area_code, at=datetime.now(UTC))


def _read(file: Path, *, area: str | None) -> Policy:
    """Raises CommandFailed for what is no JSON, InvalidInput for what is no policy."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
        document: object = json.loads(text)
    except (OSError, ValueError) as fault:
        raise CommandFailed(f"{file} cannot be read as JSON: {fault}") from fault
    if area is not None and isinstance(document, Mapping):
        document = {**cast("Mapping[str, object]", document), "area_code": area}
    return parse_policy(document)
