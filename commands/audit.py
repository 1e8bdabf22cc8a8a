"""`kawal audit`: whether the trail is whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from pydantic import JsonValue

from commands.operation import owner_database, run
from commands.terminal import AsJson, progress, say, show_json, show_table
from domain.audit_verification import Flaw
from services.administration.audit import StreamReport, count_streams, verify_all, verify_one

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The audit trail: append-only, hash-chained by case, account and policy.",
)


@app.callback()
def audit() -> None:
    """Keep `verify` a command of its own, though it is the only one."""


@app.command("verify")
def verify(
    *,
    stream: Annotated[str | None, typer.Option(help="One stream alone, such as update:ID; all without it.")] = None,
    json: AsJson = False,
) -> None:
    """Read the audit trail back and name every row that was changed, removed, moved or added.

    Exit code 1 when there is a flaw. What somebody with every right wrote anew from the first event of a stream on,
    recorded end included, does not show.
    """
    reports = run(_verify(stream))
    flaws = [flaw for report in reports for flaw in report.flaws]
    events = sum(report.events for report in reports)
    if json:
        show_json({"streams": len(reports), "events": events, "flaws": [_as_json(flaw) for flaw in flaws]})
    else:
        if flaws:
            rows = [(flaw.stream, flaw.seq, flaw.kind.value, flaw.detail) for flaw in flaws]
            show_table(("stream", "event", "flaw", "what is wrong"), rows)
        verdict = f"{len(flaws)} flaw(s)" if flaws else "no flaw"
        say(f"{len(reports):,} streams with {events:,} events: {verdict}.")
    raise typer.Exit(1 if flaws else 0)


async def _verify(stream: str | None) -> list[StreamReport]:
    async with owner_database().transaction(snapshot=True) as connection:
        if stream is not None:
            return [await verify_one(connection, stream)]
        reports: list[StreamReport] = []
        with progress("Reading the trail back", total=await count_streams(connection)) as advance:
            async for report in verify_all(connection):
                reports.append(report)
                advance()
        return reports


def _as_json(flaw: Flaw) -> dict[str, JsonValue]:
    return {**asdict(flaw), "kind": flaw.kind.value}
