"""`kawal retention`: what has had its time, and erasing it now instead of at the worker's next sweep."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import typer

from commands.operation import owner_database, run
from commands.terminal import AsJson, say, show_json, show_table
from db.repositories.retention import OF_CASES, OF_ROWS, Due, count_due
from domain.policy import RetentionSubject
from duties.retention import RetentionSweep
from runtime.evidence.room import open_archive
from runtime.settings import get_settings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Periods of retention: what has had its time, and erasing it.",
)


@app.command("plan")
def plan(*, json: AsJson = False) -> None:
    """Count what would be erased now, and what a legal hold keeps. Nothing is changed."""
    found = run(_plan())
    if json:
        show_json({subject.value: {"due": count.due, "held": count.held} for subject, count in found.items()})
        return
    show_table(("what", "due", "held"), [(subject.value, count.due, count.held) for subject, count in found.items()])
    say("`kawal retention run` erases what is due; workers do it by themselves every six hours.")


@app.command("run")
def run_now(*, json: AsJson = False) -> None:
    """Erase now what has had its time and is under no hold. Cut off, it goes on where it stood."""
    erased = run(_run())
    if json:
        show_json({subject.value: erased[subject] for subject in (*OF_CASES, *OF_ROWS)})
        return
    show_table(("what", "erased"), [(subject.value, erased[subject]) for subject in (*OF_CASES, *OF_ROWS)])


async def _plan() -> dict[RetentionSubject, Due]:
    async with owner_database().transaction(snapshot=True) as connection:
        return {subject: await count_due(connection, subject) for subject in (*OF_CASES, *OF_ROWS)}


async def _run() -> Counter[RetentionSubject]:
    database, archive = owner_database(), open_archive(get_settings())
    erased = await RetentionSweep(begin=database.transaction, archive=archive).sweep(datetime.now(UTC))
    await archive.close()
    return erased
