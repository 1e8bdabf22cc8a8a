"""`kawal keys`: secrets for the settings."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.terminal import CommandFailed, note, say
from domain import keyring

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys that seal columns, payloads and indexes.")


@app.callback()
def keys() -> None:
    """Keep `new` a command of its own, though it is the only one."""


@app.command("new")
def new(
    *,
    key_id: Annotated[
        str, typer.Option("--id", help="Its name in the ring: lower-case letters, digits, - and _.")
    ] = "k1",
) -> None:
    """Print a fresh random entry of a key ring: KAWAL_FIELD_KEYS, _INDEX_KEYS, _CODEC_KEYS or _CHECKPOINT_KEYS.

    Put it in front of the ring's other entries, separated by a comma: the first one seals, the others still open.
    """
    entry = keyring.generate(key_id=key_id)
    try:
        keyring.KeyRing.parse(entry, setting="--id")
    except keyring.KeyRingError as fault:
        raise CommandFailed(f"{key_id!r} is not an id: lower-case letters, digits, - and _.") from fault
    note("Keep it as secret as what it seals. Lost, everything under it is lost.")
    say(entry)
