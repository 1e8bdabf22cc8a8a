"""`kawal keys`: secrets for the settings, and their rotation: what is under which key, sealing anew, retiring."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import typer
from temporalio.client import Client
from temporalio.service import RPCError

from commands.operation import owner_database, run
from commands.terminal import AsJson, CommandFailed, note, progress, say, show_json, show_table
from db.vault import Vault
from domain import keyring
from domain.keyring import SealError
from runtime.codec_usage import keys_of_histories
from runtime.evidence.room import open_archive
from runtime.settings import ENV_PREFIX, get_settings
from services.administration.keys import CHUNK, IN_THE_CLEAR, INDEXES, Usage, read_usage, record_retired, reseal, stale

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Keys that seal columns, payloads and indexes, and their rotation.",
)


class Ring(StrEnum):
    """Which ring of keys."""

    FIELD = "field"
    INDEX = "index"
    CODEC = "codec"


FILES: Final = "files of evidence"
"""What the store of files is called among the sealed columns."""
SETTINGS: Final = {ring: f"{ENV_PREFIX}{ring.value.upper()}_KEYS" for ring in Ring}
"""Where each ring stands."""


@app.command("new")
def new(
    *,
    key_id: Annotated[
        str, typer.Option("--id", help="Its name in the ring: lower-case letters, digits, - and _.")
    ] = "k1",
) -> None:
    """Print a fresh random entry of a key ring: KAWAL_FIELD_KEYS, _INDEX_KEYS, _CODEC_KEYS or _CHECKPOINT_KEYS.

    Put it behind the ring's other entries first, separated by a comma, and in front once every process has it: the
    first one seals, the others still open.
    """
    entry = keyring.generate(key_id=key_id)
    try:
        keyring.KeyRing.parse(entry, setting="--id")
    except keyring.KeyRingError as fault:
        raise CommandFailed(f"{key_id!r} is not an id: lower-case letters, digits, - and _.") from fault
    note("Keep it as secret as what it seals. Lost, everything under it is lost.")
    say(entry)


@app.command("status")
def status(*, json: AsJson = False) -> None:
    """Show what is under which key of the field and index rings.

    Exit code 1 when something is under a key that its ring does not hold: it cannot be read.
    """
    usage = run(_usage())
    lost = [one for one in usage if one.key_id not in (IN_THE_CLEAR, *_ring_of(one))]
    if json:
        show_json([{**one._asdict(), "standing": _standing(one)} for one in usage])
    else:
        show_table(
            ("column", "key", "values", "standing"),
            [(one.column, one.key_id, f"{one.values:,}", _standing(one)) for one in usage],
        )
    raise typer.Exit(1 if lost else 0)


@app.command("reseal")
def reseal_all(
    *,
    chunk: Annotated[int, typer.Option(min=1, max=10_000, help="Rows of one transaction.")] = CHUNK,
) -> None:
    """Put all under the first key of its ring: columns, blind indexes, files. API and worker may run meanwhile.

    Cut off at any point, it goes on where it stood when it is called again. Exit code 1 when something is left.
    """
    left, unmatched = run(_reseal(chunk))
    if unmatched:
        note(f"{unmatched} digests are of no number that their household or case has; `kawal keys status` shows them.")
    if left:
        raise CommandFailed(f"{left:,} values are not under the first key of their ring yet: run it again.")
    say("Everything is under the first key of its ring.")


@app.command("retire")
def retire(
    key_id: Annotated[str, typer.Argument(help="The key to be taken away.")],
    *,
    ring: Annotated[Ring, typer.Option(help="The ring that it is in.")],
) -> None:
    """Make sure that nothing needs a key any more, and say how to take it away. Refused while something does.

    For the codec's ring every history that the engine still keeps is looked at.
    """
    held = _ring(ring)
    if key_id not in held:
        raise CommandFailed(f"{SETTINGS[ring]} holds no key {key_id}: it has {', '.join(held)}.")
    if key_id == held[0]:
        raise CommandFailed(f"{key_id} is the first key of {SETTINGS[ring]}: put another in front of it before.")
    if ring is Ring.CODEC:
        used = run(_histories_under(key_id))
        where = f"{used:,} histories of the engine" if used else ""
    else:
        under = [
            one for one in run(_usage()) if one.key_id == key_id and (one.column in INDEXES) == (ring is Ring.INDEX)
        ]
        where = ", ".join(f"{one.column} ({one.values:,})" for one in under)
    if where:
        remedy = "wait until the engine has forgotten them" if ring is Ring.CODEC else "run `kawal keys reseal` first"
        raise CommandFailed(f"{key_id} is still needed by {where}: {remedy}.")
    run(_record(ring, key_id))
    say(f"Nothing is under {key_id}. Take it out of {SETTINGS[ring]} and start every process anew.")


def _ring(ring: Ring) -> tuple[str, ...]:
    settings = get_settings()
    rings = {
        Ring.FIELD: settings.field_keys.key_ids,
        Ring.INDEX: settings.index_keys.key_ids,
        Ring.CODEC: settings.codec_keys.key_ids,
    }
    return rings[ring]


def _ring_of(one: Usage) -> tuple[str, ...]:
    return _ring(Ring.INDEX if one.column in INDEXES else Ring.FIELD)


def _standing(one: Usage) -> str:
    held = _ring_of(one)
    if one.key_id == IN_THE_CLEAR:
        return "to be sealed"
    if one.key_id not in held:
        return "not in the ring"
    return "active" if one.key_id == held[0] else "to be sealed anew"


def _vault() -> Vault:
    settings = get_settings()
    return Vault(settings.field_keys, settings.index_keys)


async def _usage() -> list[Usage]:
    async with owner_database().transaction(snapshot=True) as connection:
        usage = await read_usage(connection)
    archive = open_archive(get_settings())
    files = [Usage(FILES, key_id, count) for key_id, count in sorted((await archive.keys_in_use()).items())]
    await archive.close()
    return usage + files


async def _reseal(chunk: int) -> tuple[int, int]:
    """How many values are left under other keys, and how many digests matched no number."""
    vault, unmatched = _vault(), 0
    waiting = stale(await _usage(), vault)
    try:
        with progress("Sealing anew", total=waiting) as advance:
            async for done in reseal(owner_database(), vault, at=datetime.now(UTC), chunk=chunk):
                advance(done.values)
                unmatched += done.unmatched
            archive = open_archive(get_settings())
            async for _ in archive.reseal():
                advance()
            await archive.close()
    except SealError as fault:
        raise CommandFailed(f"An envelope does not open: {fault}. What was done before it stays done.") from fault
    return stale(await _usage(), vault), unmatched


async def _histories_under(key_id: str) -> int:
    settings = get_settings()
    seen: Counter[bool] = Counter()
    try:
        client = await Client.connect(settings.temporal_address, namespace=settings.temporal_namespace)
        count = (await client.count_workflows()).count
        with progress("Looking at the histories", total=count) as advance:
            async for key_ids in keys_of_histories(client):
                seen[key_id in key_ids] += 1
                advance()
    except (RPCError, RuntimeError) as fault:
        raise CommandFailed(f"The engine at {settings.temporal_address} does not answer: nothing is known.") from fault
    return seen[True]


async def _record(ring: Ring, key_id: str) -> None:
    async with owner_database().transaction() as connection:
        await record_retired(connection, ring.value, key_id, at=datetime.now(UTC))
