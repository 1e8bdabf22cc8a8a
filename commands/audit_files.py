"""Files of the audit trail: exports and checkpoints, plain or compressed, and pinned keys."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO, cast

from commands.terminal import CommandFailed
from domain.audit_export import CHECKPOINT_FORMAT, Covered, DamagedExportError, Header, Record, read
from domain.audit_proof import Kept
from domain.checkpoints import Checkpoint, EndorsedKey
from domain.signing import PublicKey

STANDARD_OUTPUT: Final = "-"


@contextmanager
def written(file: Path) -> Generator[TextIO]:
    """A file to write that is yours alone to read, compressed if its name ends in `.gz`; whole or not there at all.

    `-` is the standard output.
    """
    if str(file) == STANDARD_OUTPUT:
        yield sys.stdout
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            if file.suffix == ".gz":
                with gzip.open(raw, "wt", encoding="utf-8", newline="\n") as text:
                    yield cast("TextIO", text)
            else:
                with open(raw.fileno(), "w", encoding="utf-8", newline="\n", closefd=False) as text:
                    yield text
        part.replace(file)
    except OSError as fault:
        raise CommandFailed(f"{file} cannot be written: {fault.strerror or fault}") from fault
    finally:
        part.unlink(missing_ok=True)


def records_of(file: Path) -> Iterator[Record]:
    """What a file holds, record by record. Raises CommandFailed where it cannot be read as what it should be."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as text:
            yield from read(text)
    except DamagedExportError as fault:
        raise CommandFailed(f"{file} is damaged: {fault}.") from fault
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise CommandFailed(f"{file} cannot be read: {fault}") from fault


def kept_checkpoint(file: Path) -> Kept:
    """The checkpoint that a file holds; the ends of streams behind it are read as they are asked for."""
    records = records_of(file)
    header = next(records, None)
    if not isinstance(header, Header) or header.format != CHECKPOINT_FORMAT:
        raise CommandFailed(f"{file} holds no checkpoint: `kawal audit checkpoint --out FILE` writes one.")
    keys: list[EndorsedKey] = []
    for record in records:
        if isinstance(record, EndorsedKey):
            keys.append(record)
        elif isinstance(record, Checkpoint):
            ends = _ends(records, file)
            first = next(ends, None)
            return Kept(checkpoint=record, keys=keys, ends=None if first is None else _after(first, ends))
    raise CommandFailed(f"{file} is damaged: it ends before its checkpoint.")


def pinned_keys(given: Iterable[str]) -> list[PublicKey]:
    """Keys as they were given: each `id:BASE64`, or the name of a file with one a line. Raises CommandFailed."""
    return [_key(line) for text in given for line in _lines(text)]


def _lines(text: str) -> list[str]:
    if not Path(text).is_file():
        return [text]
    return [line for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]


def _key(text: str) -> PublicKey:
    try:
        return PublicKey.parse(text)
    except ValueError as fault:
        raise CommandFailed(f"--key {text}: {fault}, or is the name of a file of such lines.") from fault


def _ends(records: Iterator[Record], file: Path) -> Iterator[Covered]:
    for record in records:
        if not isinstance(record, Covered):
            raise CommandFailed(f"{file} is damaged: only ends of streams come after the checkpoint.")
        yield record


def _after(first: Covered, rest: Iterator[Covered]) -> Iterator[Covered]:
    yield first
    yield from rest
