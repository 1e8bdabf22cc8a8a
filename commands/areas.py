"""`kawal areas`: the tree of areas."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.operation import owner_database, run
from commands.terminal import CommandFailed, progress, say
from devstack.areas import AreaNode, load_areas, nation, regency
from devstack.demo_people import REGENCY
from domain.vocabulary import AreaLevel
from services.administration.areas import note_areas_loaded

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The tree of areas (wilayah), as the Ministry of Home Affairs codes it.",
)

_WORDS = {
    AreaLevel.PROVINCE: "provinces",
    AreaLevel.REGENCY: "regencies",
    AreaLevel.DISTRICT: "districts",
    AreaLevel.VILLAGE: "villages",
}


@app.callback()
def areas() -> None:
    """Keep `load` a command of its own, though it is the only one."""


@app.command("load")
def load(
    *,
    regency_codes: Annotated[
        list[str] | None,
        typer.Option(
            "--regency",
            help=f"Code of a regency or city; may be repeated. {REGENCY} (Kabupaten Tasikmalaya) without it.",
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="The whole country: 83,762 villages.")] = False,
) -> None:
    """Write areas into the database: those of regencies, or of the whole country. Safe to repeat."""
    if whole and regency_codes:
        raise CommandFailed("Give either --all or --regency.")
    nodes = list(nation()) if whole else _of_regencies(regency_codes or [REGENCY])
    changed = run(_load(nodes))
    counts = Counter(area.level for area in nodes)
    say(f"{', '.join(f'{counts[level]:,} {word}' for level, word in _WORDS.items())}; {changed:,} new or changed.")


async def _load(nodes: list[AreaNode]) -> int:
    with progress("Loading areas", total=len(nodes)) as advance:
        async with owner_database().transaction() as connection:
            changed = await load_areas(connection, nodes, progress=advance)
            if changed:
                await note_areas_loaded(connection, changed, at=datetime.now(UTC))
            return changed


def _of_regencies(codes: list[str]) -> list[AreaNode]:
    """A province that two of the regencies share stands there once."""
    return list({area.code: area for code in codes for area in regency(code)}.values())
