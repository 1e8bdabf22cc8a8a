"""`kawal audit`: whether the trail is whole, and what proves it outside the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer
from pydantic import JsonValue

from commands.audit_files import STANDARD_OUTPUT, kept_checkpoint, pinned_keys, records_of, written
from commands.operation import owner_database, run
from commands.terminal import AsJson, CommandFailed, note, progress, say, show_json, show_table
from domain.audit_export import Counts
from domain.audit_proof import Kept, Proof, Verdict
from domain.authority import NATION
from domain.checkpoints import Checkpoint, EndorsedKey, TrailAlteredError
from domain.signing import PublicKey, SigningRing
from runtime.settings import SettingsError, get_settings
from services.administration.audit import StreamReport, verify_one
from services.administration.origins import Erased, erase_traces
from services.administration.proof import (
    note_export,
    prove,
    public_keys,
    sign_now,
    write_checkpoint,
    write_export,
)
from services.administration.replay import CaseReport, count_cases, replay_cases

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The audit trail: append-only, hash-chained by case, account and policy, signed at intervals.",
)


@app.command("verify")
def verify(
    *,
    stream: Annotated[str | None, typer.Option(help="One stream alone, such as update:ID; all without it.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that was kept outside.")] = None,
    export: Annotated[Path | None, typer.Option(help="Read an export, and no database at all.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A public key you trust: id:BASE64 or a file of them. Without it, those of the settings."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Read the audit trail back and name every row that was changed, removed, moved or added.

    With a checkpoint from outside, what somebody with every right wrote anew, cut or removed since then shows too.
    Events after the last checkpoint are counted as unproven. Exit code 1 when there is a flaw.
    """
    if stream is not None:
        if checkpoint or export or key:
            raise CommandFailed("--stream looks at one stream in the database; leave the other options out.")
        report = run(_verify_one(stream))
        _answer(Verdict(streams=1, events=report.events, flaws=report.flaws), as_json=json)
    pinned = pinned_keys(key) if key else _own_public_keys()
    if pinned is None:
        if export is not None:
            raise CommandFailed("Name the public key that you trust with --key: an export cannot vouch for itself.")
        note("No key is pinned: signatures are held against the keys that the database lists itself.")
    kept = None if checkpoint is None else kept_checkpoint(checkpoint)
    if export is None:
        _answer(run(_prove(pinned, kept)), as_json=json)
    proof = Proof(pinned=pinned, kept=kept)
    for record in records_of(export):
        proof.take(record)
    _answer(proof.verdict(), as_json=json)


@app.command("checkpoint")
def checkpoint(
    *,
    out: Annotated[
        Path | None, typer.Option(help="Write it there too, to be kept outside; .gz compresses, - is the output.")
    ] = None,
    ends: Annotated[
        bool,
        typer.Option(help="With the ends of all streams, so that what is changed later can be named; 150 bytes each."),
    ] = True,
    despite: Annotated[
        str | None,
        typer.Option(help="Why to go on although the trail is not what the last checkpoint signed; it is recorded."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Sign the ends of all streams as they are now, with the first key of KAWAL_CHECKPOINT_KEYS."""
    ring = get_settings().checkpoint_keys
    if ring is None:
        raise CommandFailed("KAWAL_CHECKPOINT_KEYS is not set: `kawal keys new` makes an entry.")
    if out is None:
        made = run(_sign(ring, despite))
    else:
        with written(out) as to:
            made = run(_sign(ring, despite, to=to, ends=ends))
    if json:
        show_json(_checkpoint_as_json(made, ring.active))
        return
    tell = say if out is None else _beside(out)
    tell(f"Checkpoint {made.number} covers {made.streams:,} streams with {made.events:,} events.")
    tell(f"Root {made.root.hex()}, signed by {ring.active}")


@app.command("export")
def export(file: Annotated[Path, typer.Argument(help="Where to; .gz compresses, - is the output.")]) -> None:
    """Write all events, ends, checkpoints and public keys into one file that can be verified without the database.

    It holds ids of people, offices and cases and what they decided, and no name and no number of a household.
    """
    with written(file) as to:
        counts = run(_export(to))
    _beside(file)(f"{counts.streams:,} streams with {counts.events:,} events are in {file}.")


@app.command("forget")
def forget(
    *,
    before: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Traces of before this day (UTC).")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase the addresses, clients, accounts and machines from which acts came; the trail stays whole.

    Events keep by which means and under which request they came about, and a commitment out of which nothing can be
    learned any more. What was erased is recorded. Backups and exports with traces hold them until they go.
    """
    if not yes:
        typer.confirm(f"Erase the traces of before {before:%Y-%m-%d} for good?", abort=True)
    erased = run(_forget(before.replace(tzinfo=UTC)))
    say(f"Erased: {erased.events:,} of events, {erased.acts:,} of acts.")


def _beside(file: Path) -> Callable[[str], None]:
    """How to say something beside what is written to `file`, which may be the standard output."""
    return note if str(file) == STANDARD_OUTPUT else say


@app.command("replay")
def replay(
    *,
    area: Annotated[str, typer.Option(help="Only cases of this area and below it, such as 32.06.")] = NATION,
    json: AsJson = False,
) -> None:
    """Tell every case again from its events alone, and list where the table says otherwise.

    Compared are kind, policy, status, stage, level and its cause, revision and end. Exit code 1 when one differs.
    """
    cases, differing = run(_replay(area))
    if json:
        found: list[JsonValue] = [
            {"stream": report.stream, "differences": [item._asdict() for item in report.differences]}
            for report in differing
        ]
        show_json({"cases": cases, "differing": found})
    else:
        rows = [(report.stream, *item) for report in differing for item in report.differences]
        if rows:
            show_table(("case", "what", "the table says", "the events say"), rows)
        say(f"{cases:,} cases told again: {len(differing):,} differ from the table.")
    raise typer.Exit(1 if differing else 0)


@app.command("keys")
def keys(*, json: AsJson = False) -> None:
    """List the public keys that have signed, to be kept where whoever owns the database cannot change them."""
    listed = run(_listed())
    if json:
        show_json([_key_as_json(item) for item in listed])
        return
    rows = [(item.key, f"{item.first_used_at:%Y-%m-%d %H:%M}", item.endorsed_by) for item in listed]
    show_table(("key", "first used (UTC)", "vouched for by"), rows)


async def _verify_one(stream: str) -> StreamReport:
    async with owner_database().transaction(snapshot=True) as connection:
        return await verify_one(connection, stream)


async def _prove(pinned: Iterable[PublicKey] | None, kept: Kept | None) -> Verdict:
    async with owner_database().transaction(snapshot=True) as connection:
        return await prove(connection, pinned=pinned, kept=kept)


async def _sign(
    ring: SigningRing,
    despite: str | None,
    *,
    to: TextIO | None = None,
    ends: bool = True,
) -> Checkpoint:
    try:
        async with owner_database().transaction() as connection:
            made = await sign_now(connection, ring, at=datetime.now(UTC), despite=despite)
            if to is not None:
                await write_checkpoint(connection, made, to, ends=ends)
    except TrailAlteredError as alarm:
        raise CommandFailed(f"Not signed: {alarm}. `kawal audit verify` says more.") from alarm
    return made


async def _export(to: TextIO) -> Counts:
    at = datetime.now(UTC)
    async with owner_database().transaction() as connection:
        await note_export(connection, at=at)
    async with owner_database().transaction(snapshot=True) as connection:
        return await write_export(connection, to, at=at)


async def _forget(before: datetime) -> Erased:
    async with owner_database().transaction() as connection:
        return await erase_traces(connection, before=before, at=datetime.now(UTC))


async def _replay(area: str) -> tuple[int, list[CaseReport]]:
    """How many cases were told again, and those that differ."""
    async with owner_database().transaction(snapshot=True) as connection:
        cases, differing = await count_cases(connection, area_code=area), list[CaseReport]()
        with progress("Telling cases again", total=cases) as advance:
            async for report in replay_cases(connection, area_code=area):
                if report.differences:
                    differing.append(report)
                advance()
        return cases, differing


async def _listed() -> list[EndorsedKey]:
    async with owner_database().transaction() as connection:
        return await public_keys(connection)


def _own_public_keys() -> tuple[PublicKey, ...] | None:
    """Those of the settings, which lie outside the database; None without settings or keys in them."""
    try:
        ring = get_settings().checkpoint_keys
    except SettingsError:
        return None
    return None if ring is None else ring.public_keys


def _answer(verdict: Verdict, *, as_json: bool) -> NoReturn:
    if as_json:
        flaws: list[JsonValue] = [{**asdict(flaw), "kind": flaw.kind.value} for flaw in verdict.flaws]
        unproven: list[JsonValue] = [item._asdict() for item in verdict.unproven_in]
        show_json({**asdict(verdict), "flaws": flaws, "unproven_in": unproven})
    else:
        _tell(verdict)
    raise typer.Exit(1 if verdict.flaws else 0)


def _tell(verdict: Verdict) -> None:
    if verdict.flaws:
        rows = [(flaw.stream, flaw.seq, flaw.kind.value, flaw.detail) for flaw in verdict.flaws]
        show_table(("stream", "event", "flaw", "what is wrong"), rows)
    found = f"{len(verdict.flaws)} flaw(s)" if verdict.flaws else "no flaw"
    say(f"{verdict.streams:,} streams with {verdict.events:,} events: {found}.")
    if verdict.proven_by is not None:
        proven = verdict.events - verdict.unproven
        say(f"{proven:,} events are covered by checkpoint {verdict.proven_by} or one before it.")
    if verdict.unproven:
        say(f"{verdict.unproven:,} events came after the last checkpoint and are unproven; --json names them.")


def _checkpoint_as_json(made: Checkpoint, key: PublicKey) -> dict[str, JsonValue]:
    return {
        "number": made.number,
        "at": made.at.isoformat(),
        "streams": made.streams,
        "events": made.events,
        "root": made.root.hex(),
        "previous": made.previous.hex(),
        "signature": made.signature.hex(),
        "key": str(key),
    }


def _key_as_json(listed: EndorsedKey) -> dict[str, JsonValue]:
    return {
        "key": str(listed.key),
        "first_used_at": listed.first_used_at.isoformat(),
        "endorsed_by": listed.endorsed_by,
    }
