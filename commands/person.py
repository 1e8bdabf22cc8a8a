"""`kawal person`: everything that is held on one NIK, for the operator who is asked by the data protection officer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.operation import owner_database, run
from commands.terminal import CommandFailed, say
from db.repositories import trail
from db.repositories.trail import Entry
from db.vault import Vault
from domain.audit import AuditType, stream_of_rights
from domain.ids import new_id
from domain.person_export import PersonExport
from domain.person_page import render_page
from duties.person_data import gather
from runtime.settings import get_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Rights of the person: all that is held on one NIK.")

_NIK = re.compile(r"[0-9]{16}")


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own."""


@app.command("export")
def export(
    out: Annotated[Path, typer.Option(help="The file to write: `.html` for a page to print, else JSON.")],
    area: Annotated[str, typer.Option(help="The area whose data are meant, with all below it; `*` for all.")] = "*",
) -> None:
    """Write everything held on a NIK, which is asked for and never an argument, to a file that is the owner's alone.

    The trail tells that it was done. Officers use `POST /v1/data-subject-requests`, where the deadline runs.
    """
    nik = re.sub(r"[\s.-]", "", typer.prompt("NIK", hide_input=True))
    if not _NIK.fullmatch(nik):
        raise CommandFailed("A NIK has sixteen digits.")
    if out.exists():
        raise CommandFailed(f"{out} is there already.")
    made = run(_export(nik, area))
    text = render_page(made) if out.suffix == ".html" else made.model_dump_json(indent=2)
    out.touch(mode=0o600)
    out.write_text(text, encoding="utf-8")
    if not made.held:
        say("Nothing is held on this NIK in this area.")
    counts = f"{len(made.households)} versions of households, {len(made.cases)} updates, {len(made.readings)} readings"
    say(f"{counts}: {out}")


async def _export(nik: str, area: str) -> PersonExport:
    settings, database, request_id, at = get_settings(), owner_database(), new_id(), datetime.now(UTC)
    vault = Vault(settings.field_keys, settings.index_keys)
    async with database.transaction() as connection:
        entry = Entry(type=AuditType.RIGHTS_EXPORT_READ, data={"by": "operator"})
        await trail.record(connection, stream_of_rights(request_id), [entry], at=at, area_code=None)
    return await gather(database.transaction, vault, request_id=request_id, nik=nik, area_code=area, at=at)
