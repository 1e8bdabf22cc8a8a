"""No transaction of Kawal's own code changes what counts without an event: watched in every test.

And no event that one of Kawal's edges (an endpoint, a command, an activity, a duty) leads to is without its origin.

What a transaction has changed is asked of PostgreSQL before it commits, so that functions and triggers count too, and
an endpoint, a command or a table that is new is watched from its first test on. Only what stands in the two tables
below may be changed in silence, each for its reason.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models.base import Base
from db.owner import OwnerDatabase
from db.session import Database

SILENT_TABLES: Final = {
    "audit_checkpoints": "signed and chained in themselves",
    "audit_events": "the events",
    "audit_keys": "part of the checkpoints",
    "audit_marks": "part of the checkpoints",
    "audit_streams": "the ends of the events",
    "evidence_uploads": "how far a file has arrived; that it is kept, refused or erased is an event",
    "idempotency_keys": "what was asked and answered; what it led to is an event of its own",
    "sign_in_tallies": "counts of failed attempts; refusals and pauses are events, once a minute",
    "outbox": "messages to the engine, of what has its event already",
}
SILENT_PLACES: Final = {
    # A milestone was looked at: it moved, or a digest was told. Rungs that fire have their events.
    # The civil registry's answer on one person: the event comes when all are judged.
    ("activities/casework/work.py", "work_on"): {"identity_results", "notifications", "tasks"},
    # The answer as it came, append-only; the case's event is written when it is carried out.
    ("services/ministry.py", "take_answer"): {"ministry_answers"},
    # A session goes on under its next token; its beginning, its end and a token used twice are events.
    ("services/sessions.py", "refresh"): {"refresh_tokens", "sessions"},
    # The session of a browser goes on, once a minute; its beginning and its end are events.
    ("services/session_use.py", "_write"): {"sessions"},
    # When a key was last used, once a minute; the acts themselves are events and name it.
    ("services/key_use.py", "_write"): {"api_key_secrets"},
    # That a file was read: the read log is append-only itself, and nothing of the file has changed.
    ("services/queries/evidence.py", "open_evidence"): {"read_log"},
    # The demonstration's households, before there is anybody to act.
    ("devstack/seed.py", "seed"): {"household_members", "household_versions", "households", "identity_digests"},
}
"""By file and function: what they may change without an event, and why."""

Transaction = Callable[..., AbstractAsyncContextManager[AsyncConnection]]
_TREE: Final = Path(__file__).resolve().parent.parent
_CHANGED: Final = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del, n_tup_ins FROM pg_stat_xact_user_tables"
_EDGES: Final = ("api/", "commands/", "activities/", "duties/")
"""Where acts come in: from there on it is known from where."""
_WITHOUT_ORIGIN: Final = """
    SELECT type FROM audit_events
    WHERE origin IS NULL AND xmin = pg_current_xact_id_if_assigned()::xid
"""
_silent: list[str] = []


@contextmanager
def watched() -> Generator[None]:
    """Watch every transaction that begins in the block."""
    patch = pytest.MonkeyPatch()
    patch.setattr(Database, "transaction", _watching(Database.transaction))
    patch.setattr(OwnerDatabase, "transaction", _watching(OwnerDatabase.transaction))
    try:
        yield
    finally:
        patch.undo()


def silent_changes() -> list[str]:
    """What was changed without an event since the last time this was asked."""
    found = list(_silent)
    _silent.clear()
    return found


def _watching(transaction: Transaction) -> Transaction:
    def begin(database: object, *arguments: Any, **options: Any) -> AbstractAsyncContextManager[AsyncConnection]:
        place = _caller()
        opened = transaction(database, *arguments, **options)
        return opened if place is None or options.get("snapshot") else _watch(opened, place, from_edge=_from_edge())

    return begin


@asynccontextmanager
async def _watch(
    opened: AbstractAsyncContextManager[AsyncConnection],
    place: tuple[str, str],
    *,
    from_edge: bool,
) -> AsyncGenerator[AsyncConnection]:
    async with opened as connection:
        before = await _counts(connection)
        yield connection
        after = await _counts(connection)
        changed = {name for name, (rows, _) in after.items() if rows > before.get(name, (0, 0))[0]}
        told = after["audit_events"][1] > before["audit_events"][1]
        if told and from_edge and (types := await _without_origin(connection)):
            _silent.append(f"{place[0]}, {place[1]}: {', '.join(types)} without an origin")
        loud = changed & set(Base.metadata.tables) - set(SILENT_TABLES)
        loud -= SILENT_PLACES.get(place, set())
        if loud and not told:
            _silent.append(f"{place[0]}, {place[1]}: {', '.join(sorted(loud))} changed without an event")


async def _without_origin(connection: AsyncConnection) -> list[str]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return [row["type"] for row in await driver.fetch(_WITHOUT_ORIGIN)]


async def _counts(connection: AsyncConnection) -> dict[str, tuple[int, int]]:
    """How many rows of each table were touched, and added. What an earlier transaction left may be in it."""
    driver: Any = (await connection.get_raw_connection()).driver_connection  # tests that count statements see none
    return {name: (rows, added) for name, rows, added in await driver.fetch(_CHANGED)}


def _from_edge() -> bool:
    """Whether one of Kawal's edges is among the callers, which it is for all that a request or a command awaits."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  as above
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_TREE) and file.relative_to(_TREE).as_posix().startswith(_EDGES):
            return True
        frame = frame.f_back
    return False


def _caller() -> tuple[str, str] | None:
    """The file and the function that begins a transaction; None for a test, which may set the scene as it likes."""
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]  the only way to a caller without reading source
    while frame.f_back is not None and frame.f_code.co_filename.endswith(("contextlib.py", "db/session.py")):
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    if not file.is_relative_to(_TREE) or file.is_relative_to(_TREE / "tests"):
        return None
    return file.relative_to(_TREE).as_posix(), frame.f_code.co_name
