"""`kawal case`: one case as its row and the engine have it, and what to do when the engine has lost it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import typer
from pydantic import JsonValue

from commands.operation import owner_database, run
from commands.terminal import AsJson, note, progress, say, show_json, show_table
from domain.errors import CaseClosed, NotFound, NotPossibleNow
from runtime.engine import Engine, EngineRun, connect
from runtime.settings import get_settings
from services.administration.cases import (
    CaseStanding,
    count_open,
    is_lost,
    open_cases,
    read_standing,
    restart,
)

_AT_ONCE: Final = 20

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Single cases: where their row and the engine have them; cases that the engine has lost.",
)


@app.command("inspect")
def inspect(
    case_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id of the case.")], *, json: AsJson = False
) -> None:
    """Show the row of a case, its open task, and what the engine says of it.

    A case is lost when it is open and the engine has no open run of it; exit code 1 then.
    """
    case, held = run(_inspect(case_id))
    lost = is_lost(case, held)
    if json:
        show_json(_as_json(case, held))
    else:
        show_table(("what", "is"), _facts(case, held))
        say(_verdict(case, held))
    raise typer.Exit(1 if lost else 0)


@app.command("list")
def list_cases(
    *,
    lost: Annotated[bool, typer.Option("--lost", help="Only those that the engine has lost.")] = False,
    json: AsJson = False,
) -> None:
    """List the open cases. With --lost the engine is asked about each of them, which takes a minute for 50,000.

    In a pipe each line begins with the id: `kawal case list --lost | tail -n +2 | cut -f 1`.
    """
    found = run(_list(lost=lost))
    if json:
        show_json([_row_as_json(case) for case in found])
        return
    columns = ("id", "area", "kind", "status", "submitted", "run")
    show_table(columns, [(c.id, c.area_code, c.kind, c.status, _moment(c.submitted_at), c.run_id) for c in found])
    note(f"{len(found):,} lost cases." if lost else f"{len(found):,} open cases.")


@app.command("restart")
def restart_cases(
    case_ids: Annotated[list[UUID], typer.Argument(metavar="ID...", help="The ids of lost cases.")],
    *,
    reason: Annotated[str, typer.Option(help="What happened, for the audit trail. No names, no numbers of people.")],
    by: Annotated[str, typer.Option(help="Your account: the trail says that you did it.")],
) -> None:
    """Give lost cases to new runs of the engine, which go on where their rows stand.

    The engine is asked first: a case of which it has an open run is refused, and so is one that is closed or waits
    to be started. The worker starts the new run, also where an ended one of the same case is still in the engine.
    What is refused is named; the others go on. Exit code 1 when any was.
    """
    refused = run(_restart(case_ids, by=by, reason=reason))
    for case_id, why in refused:
        note(f"{case_id}: {why}")
    say(f"{len(case_ids) - len(refused)} of {len(case_ids)} cases are given to a new run; the worker starts it.")
    raise typer.Exit(1 if refused else 0)


async def _inspect(case_id: UUID) -> tuple[CaseStanding, EngineRun | None]:
    async with owner_database().transaction() as connection:
        case = await read_standing(connection, case_id)
    async with _engine() as engine:
        return case, await engine.find_run(case_id)


async def _list(*, lost: bool) -> list[CaseStanding]:
    if not lost:
        return [case async for page in _pages() for case in page]
    async with owner_database().transaction() as connection:
        total = await count_open(connection)
    found: list[CaseStanding] = []
    async with _engine() as engine:
        with progress("Asking the engine about open cases", total=total) as advance:
            async for page in _pages():
                found += await _lost_of(engine, page)
                advance(len(page))
    return found


async def _pages() -> AsyncGenerator[list[CaseStanding]]:
    """The open cases, page by page."""
    after: UUID | None = None
    while True:
        async with owner_database().transaction() as connection:
            page = await open_cases(connection, after=after)
        if not page:
            return
        yield page
        after = page[-1].id


async def _lost_of(engine: Engine, page: Sequence[CaseStanding]) -> list[CaseStanding]:
    """Those of the page that are lost; one that ended while the engine was asked is not."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(case: CaseStanding) -> CaseStanding | None:
        async with gate:
            held = await engine.find_run(case.id)
        if not is_lost(case, held):
            return None
        async with gate, owner_database().transaction() as connection:
            now = await read_standing(connection, case.id)
        return now if is_lost(now, held) else None

    asked = await asyncio.gather(*(ask(case) for case in page))
    return [case for case in asked if case is not None]


async def _restart(case_ids: Sequence[UUID], *, by: str, reason: str) -> list[tuple[UUID, str]]:
    """Those that were refused, and why."""
    refused: list[tuple[UUID, str]] = []
    async with _engine() as engine:
        for case_id in dict.fromkeys(case_ids):
            try:
                async with owner_database().transaction() as connection:
                    case = await read_standing(connection, case_id)
                held = await engine.find_run(case_id)
                async with owner_database().transaction() as connection:
                    await restart(connection, case, run=held, by=by, reason=reason, at=datetime.now(UTC))
            except (NotFound, CaseClosed, NotPossibleNow) as refusal:
                refused.append((case_id, refusal.detail))
    return refused


@asynccontextmanager
async def _engine() -> AsyncGenerator[Engine]:
    """The engine that the settings name. Raises EngineUnavailable, and then nothing was done."""
    settings = get_settings()
    engine = Engine(await connect(settings, lazy=False), queue_prefix=settings.task_queue_prefix)
    try:
        yield engine
    finally:
        await engine.close()
        await asyncio.sleep(0.3)  # the SDK's core may abort the interpreter if it ends at once (sdk-python #300)


def _verdict(case: CaseStanding, held: EngineRun | None) -> str:
    if case.closed_at is not None:
        return "The case has ended."
    if is_lost(case, held):
        return (
            "LOST: the case is open and the engine has no open run of it. `kawal case restart` gives it to a new one."
        )
    if case.start_pending:
        return "The case waits in the outbox to be started; the dispatcher of a worker does it."
    return "The engine carries the case."


def _facts(case: CaseStanding, held: EngineRun | None) -> list[tuple[str, object]]:
    facts: list[tuple[str, object]] = [
        ("case", case.id),
        ("tracking code", case.tracking_code),
        ("area", case.area_code),
        ("kind", case.kind),
        ("status", case.status),
        ("level", case.level),
        ("submitted", _moment(case.submitted_at)),
        ("closed", _moment(case.closed_at)),
        ("claimed by run", case.run_id),
        ("start in the outbox", "waiting" if case.start_pending else "no"),
    ]
    if case.task is not None:
        facts += [
            ("open task", case.task.id),
            ("task's stage", case.task.stage),
            ("task opened", _moment(case.task.opened_at)),
            ("task due", _moment(case.task.due_at)),
            ("looked at next", _moment(case.task.next_milestone_at)),
            ("Ministry's receipt", case.task.receipt_no),
        ]
    if held is None:
        return [*facts, ("engine", "knows nothing of it")]
    return [
        *facts,
        ("engine", held.status),
        ("engine's run", held.run_id),
        ("engine's first run", held.first_run_id),
        ("engine's run started", _moment(held.started_at)),
        ("engine's run closed", _moment(held.closed_at)),
    ]


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _as_json(case: CaseStanding, held: EngineRun | None) -> dict[str, JsonValue]:
    return {**_row_as_json(case), "engine": None if held is None else _plain(asdict(held)), "lost": is_lost(case, held)}


def _row_as_json(case: CaseStanding) -> dict[str, JsonValue]:
    task = None if case.task is None else _plain(case.task._asdict())
    return {**_plain(case._asdict()), "task": task}


def _plain(values: Mapping[str, object]) -> dict[str, JsonValue]:
    return {name: value if isinstance(value, bool | int | None) else str(value) for name, value in values.items()}
