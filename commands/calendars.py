"""`kawal calendar`: the working calendar that deadlines are counted on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.operation import owner_database, run
from commands.terminal import CommandFailed, say
from services.administration.calendars import LoadedCalendar, load_national_calendar

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The working calendar: holidays and collective leave (cuti bersama).",
)


@app.callback()
def calendar() -> None:
    """Keep `load` a command of its own, though it is the only one."""


@app.command("load")
def load(
    *,
    years: Annotated[
        str | None,
        typer.Option(help="Years as 2026 or 2025-2028; from last year to the year after next without it."),
    ] = None,
) -> None:
    """Bring Indonesia's holidays and collective leave into the national calendar; a new version only if it differs."""
    now = datetime.now(UTC)
    wanted = range(now.year - 1, now.year + 3) if years is None else _span(years)
    loaded, written = run(_load(wanted, at=now))
    through = loaded.collective_leave_known_through
    say(
        f"National calendar, version {loaded.version} ({'new' if written else 'unchanged'}): "
        f"{len(loaded.closed)} closed days, collective leave known through {through or 'no year'}.",
    )


async def _load(years: range, *, at: datetime) -> LoadedCalendar:
    async with owner_database().transaction() as connection:
        return await load_national_calendar(connection, years=years, at=at)


def _span(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        span = range(int(first), int(last or first) + 1)
    except ValueError:
        span = range(0)
    if not span or span[0] < 2000 or span[-1] > 2100:  # noqa: PLR2004 - the years that the library can know of
        raise CommandFailed(f"{text!r} is no span of years: write 2026, or 2025-2028.")
    return span
