"""What every command shows: results on standard output, everything else on standard error, plain where nobody looks."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Annotated, Final, Protocol

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from domain.errors import DomainError, InvalidInput, Violation
from runtime.settings import SettingsError

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

out: Final = Console(soft_wrap=True, highlight=False)
err: Final = Console(stderr=True, soft_wrap=True, highlight=False)


class CommandFailed(Exception):
    """A command cannot do what it was asked to; the text says why and what would help."""


EXPECTED: Final = (CommandFailed, DomainError, SettingsError)
"""What ends a command with a message instead of a traceback."""


def say(text: str) -> None:
    """A line of result."""
    out.print(escape(text))


def note(text: str) -> None:
    """A line about what is being done, for whoever watches."""
    err.print(escape(text))


def show_json(value: JsonValue) -> None:
    """The result for a machine: one JSON document on standard output."""
    out.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """A table for people; in a pipe, tab-separated lines under a line of names."""
    _print_table(out, columns, rows, title=title)


def explain(error: Exception) -> None:
    """Say on standard error what was wrong; an input with several faults as a table of them."""
    err.print(f"[red]{escape(str(error))}[/]")
    if isinstance(error, InvalidInput):
        show_violations(error.violations)
    elif isinstance(error, DomainError) and error.remedy:
        note(error.remedy)


def show_violations(violations: Iterable[Violation]) -> None:
    """Every fault with its place and its remedy, on standard error."""
    rows = [(fault.pointer or "/", fault.code, fault.detail, fault.remedy) for fault in violations]
    _print_table(err, ("where", "code", "what is wrong", "remedy"), rows)


class Advance(Protocol):
    """Tells a progress bar how many more are done."""

    def __call__(self, count: int = 1, /) -> None:
        """`count` more of them."""
        ...


@contextmanager
def progress(title: str, *, total: int) -> Generator[Advance]:
    """A bar on standard error while a long thing is done; in a pipe, a line before it."""
    if not err.is_terminal:
        note(f"{title} ({total})")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    task = bar.add_task(escape(title), total=total)

    def advance(count: int = 1, /) -> None:
        bar.advance(task, count)

    with bar:
        yield advance


def _print_table(
    console: Console,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
) -> None:
    if not console.is_terminal:
        for line in (columns, *rows):
            console.file.write("\t".join(_cell(value) for value in line) + "\n")
        return
    table = Table(*columns, title=title, title_justify="left", header_style="bold", expand=False)
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row))
    console.print(table, soft_wrap=False)


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())
