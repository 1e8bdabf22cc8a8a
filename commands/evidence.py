"""`kawal evidence`: whether every file is there as it was kept, and what nobody needs removed."""

from __future__ import annotations

from datetime import UTC, datetime

import typer
from pydantic import JsonValue

from commands.operation import owner_database, run
from commands.terminal import AsJson, progress, say, show_json, show_table
from duties.evidence_sweep import EvidenceSweep, Swept
from runtime.evidence.room import open_archive
from runtime.settings import get_settings
from services.administration.evidence import StoreFlaw, count_files, find_orphans, verify_files

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Files of evidence: read them all back, and remove what nobody needs.",
)


@app.command("verify")
def verify(*, json: AsJson = False) -> None:
    """Read every file back from the store, open and hash it, and name what is missing, changed, or belongs to none.

    Exit code 1 when there is a flaw. `kawal evidence sweep` removes what belongs to none.
    """
    files, size, flaws = run(_verify())
    if json:
        show_json({"files": files, "bytes": size, "flaws": [_as_json(flaw) for flaw in flaws]})
    else:
        if flaws:
            rows = [(flaw.kind.value, flaw.name, _id(flaw), flaw.detail) for flaw in flaws]
            show_table(("flaw", "name", "evidence", "what is wrong"), rows)
        verdict = f"{len(flaws)} flaw(s)" if flaws else "no flaw"
        say(f"{files:,} files with {size:,} bytes: {verdict}.")
    raise typer.Exit(1 if flaws else 0)


@app.command("sweep")
def sweep() -> None:
    """Remove uploads that expired, files that no update named in time, and whatever in the store belongs to none.

    Workers do the first two by themselves, every hour.
    """
    swept = run(_sweep())
    say(
        f"{swept.uploads:,} expired uploads, {swept.files:,} files that no update named, "
        f"{swept.contents:,} contents and {swept.leftovers:,} left-over pieces are gone.",
    )


async def _verify() -> tuple[int, int, list[StoreFlaw]]:
    """How many files there are, with how many bytes, and what is wrong."""
    database, archive = owner_database(), open_archive(get_settings())
    files, size, flaws = 0, 0, list[StoreFlaw]()
    with progress("Reading the files back", total=await count_files(database)) as advance:
        async for file in verify_files(database, archive):
            files, size = files + 1, size + file.size
            flaws += file.flaws
            advance()
    flaws += await find_orphans(database, archive, at=datetime.now(UTC))
    await archive.close()
    return files, size, flaws


async def _sweep() -> Swept:
    settings, database = get_settings(), owner_database()
    archive = open_archive(settings)
    sweep = EvidenceSweep(begin=database.transaction, archive=archive, orphan_ttl=settings.evidence_orphan_ttl)
    swept = await sweep.sweep(datetime.now(UTC), thorough=True)
    await archive.close()
    return swept


def _as_json(flaw: StoreFlaw) -> dict[str, JsonValue]:
    return {"kind": flaw.kind.value, "name": flaw.name, "evidence": _id(flaw), "detail": flaw.detail}


def _id(flaw: StoreFlaw) -> str:
    return "" if flaw.evidence_id is None else str(flaw.evidence_id)
