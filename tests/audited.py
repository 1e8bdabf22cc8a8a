"""No transaction of Kawal's own code changes what counts without an event: watched in every test.

And no event that one of Kawal's edges (an endpoint, a command, an activity, a duty) leads to is without its origin.

What a transaction has changed is asked of PostgreSQL before it commits, so that functions and triggers count too, and
an endpoint, a command or a table that is new is watched from its first test on. Only what stands in the two tables
below may be changed in silence, each for its reason.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from api.request_log import RequestLog
from db.models.base import Base
from db.owner import OwnerDatabase
from db.session import Database
from domain.audit import AuditType
from tests.witnesses import Event, note_events, noting

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
Place = tuple[str, str]
"""A file and a function in it."""


class Silence(NamedTuple):
    """What may be changed without an event, and why: in rows that were there, these columns; or all of the table."""

    because: str
    columns: frozenset[str] | None = None


SILENT_PLACES: Final[dict[Place, dict[str, Silence]]] = {
    ("activities/casework/__init__.py", "pass_milestone"): {
        "tasks": Silence(
            "when to look again, and the deadline reckoned anew from pauses and calendars, each an event of its own",
            frozenset({"next_milestone_at", "due_at", "deadline", "digests_sent", "version"}),
        ),
        "information_requests": Silence(
            "when an answer is due, reckoned anew from orders; rungs, answers and ends are events",
            frozenset({"due_at", "deadline"}),
        ),
        "lapse_notices": Silence(
            "when a case will lapse, reckoned anew from its pauses; that it was told and that it has are events",
            frozenset({"lapses_at", "deadline"}),
        ),
        "notifications": Silence("a digest of what stands; rungs that fire have their events"),
    },
    ("duties/clock_jobs.py", "reckon_case"): {
        "tasks": Silence(
            "by which job it was reckoned and when to look again; what moves a deadline is an event of its own",
            frozenset({"clock_job", "next_milestone_at", "due_at", "deadline", "digests_sent", "version"}),
        ),
    },
    ("activities/identity_check.py", "_record"): {
        "identity_results": Silence("an answer as it came, never changed; the event comes when all are judged"),
    },
    ("activities/rounds.py", "_transaction"): {
        "round_baseline": Silence("a snapshot, taken in pieces and never changed; that it is complete is an event"),
        "rounds": Silence("by which policy its baseline is taken, once", frozenset({"policy_version_id"})),
    },
    ("activities/round_signoffs.py", "_look_at"): {
        "round_signoffs": Silence(
            "when to look again, and the deadline reckoned anew; rungs and answers that did not come are events",
            frozenset({"look_at", "due_at", "deadline"}),
        ),
        "notifications": Silence("a digest of what stands; rungs that fire have their events"),
    },
    ("activities/round_signoffs.py", "_wait_or_finish"): {
        "rounds": Silence("when the engine looks at it again", frozenset({"looks_at"})),
    },
    ("activities/round_lists.py", "list_work"): {
        "rounds": Silence("by which policy its work is listed, once", frozenset({"policy_version_id"})),
    },
    ("activities/round_lists.py", "_list_village"): dict.fromkeys(
        ("round_villages", "round_targets"),
        Silence("a list made once out of the baseline; that all are made is an event, as is every move in one"),
    ),
    ("activities/evaluations.py", "_transaction"): {
        "evaluation_observations": Silence(
            "what numbers are made of, in pieces and never changed; that it is complete is an event"
        ),
    },
    ("activities/minutes.py", "_transaction"): {
        "minutes_cases": Silence(
            "how far minutes have been carried out; decisions have their events, as has the end; grants and a trigger "
            "let nothing else of a row change",
        ),
    },
    ("services/ministry.py", "take_answer"): {
        "ministry_answers": Silence("an answer as it came, append-only; the event comes when it is carried out"),
    },
    ("services/sessions.py", "refresh"): {
        "sessions": Silence(
            "a session goes on; its beginning, its end and a token used twice are events",
            frozenset({"seen_at", "expires_at"}),
        ),
        "refresh_tokens": Silence("the next token of a session that goes on"),
    },
    ("services/session_use.py", "_write"): {
        "sessions": Silence("a browser's session goes on, noted once a minute", frozenset({"seen_at", "expires_at"})),
    },
    ("services/key_use.py", "_write"): {
        "api_key_secrets": Silence(
            "when a key was last used, by a function that writes nothing else; the acts are events and name it",
        ),
    },
    ("services/queries/evidence.py", "open_evidence"): {
        "read_log": Silence("that a file was read: the read log is append-only itself"),
    },
    ("devstack/seed.py", "seed"): dict.fromkeys(
        ("household_members", "household_versions", "households", "identity_digests"),
        Silence("the demonstration's households, before there is anybody to act"),
    ),
}
OPENERS: Final = {("activities/casework/work.py", "work_on"), ("activities/casework/work.py", "work_on_act")}
"""Open a transaction for somebody else's work: whoever calls them is the place."""

Transaction = Callable[..., AbstractAsyncContextManager[AsyncConnection]]
_TREE: Final = Path(__file__).resolve().parent.parent
_CHANGED: Final = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del, n_tup_ins FROM pg_stat_xact_user_tables"
_EDGES: Final = ("api/", "commands/", "activities/", "duties/")
"""Where acts come in: from there on it is known from where."""
_WITHOUT_ORIGIN: Final = """
    SELECT type FROM audit_events
    WHERE origin IS NULL AND xmin = pg_current_xact_id_if_assigned()::xid
"""
_SAY_BEFORE: Final = tuple(
    changed.value
    for changed in AuditType
    if changed.value.startswith(("account.", "membership.", "delegation.", "office."))
    and changed.value.endswith((".changed", ".disabled", ".enabled", ".ended", ".closed"))
    and changed not in {AuditType.ACCOUNT_CHANGED, AuditType.ACCOUNT_SESSION_ENDED}
)
"""Of authority the trail says what was before and what is now; of names and numbers only that they changed."""
_INCOMPLETE: Final = """
    SELECT type FROM audit_events
    WHERE xmin = pg_current_xact_id_if_assigned()::xid
      AND ((actor_role IS NOT NULL AND (actor_id IS NULL OR office_id IS NULL))
           OR (type = ANY ($1) AND NOT data ?& ARRAY ['before', 'after']))
"""
_OWN: Final = "xmin = pg_current_xact_id_if_assigned()::xid"
_OWN_EVENTS: Final = """
    SELECT type, actor_id::text AS actor, actor_role AS role, origin ->> 'request' AS request FROM audit_events
    WHERE xmin = pg_current_xact_id_if_assigned()::xid
"""
_silent: list[str] = []


@contextmanager
def watched() -> Generator[None]:
    """Watch every transaction that begins in the block."""
    patch = pytest.MonkeyPatch()
    patch.setattr(Database, "transaction", _watching(Database.transaction))
    patch.setattr(OwnerDatabase, "transaction", _watching(OwnerDatabase.transaction))
    patch.setattr(RequestLog, "_line", noting(RequestLog._line))  # pyright: ignore[reportPrivateUsage]  the one place
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
    def begin(database: Any, *arguments: Any, **options: Any) -> AbstractAsyncContextManager[AsyncConnection]:
        place = _caller()
        opened = transaction(database, *arguments, **options)
        if place is None or options.get("snapshot"):
            return opened
        return _watch(opened, place, database=database, from_edge=_from_edge())

    return begin


@asynccontextmanager
async def _watch(
    opened: AbstractAsyncContextManager[AsyncConnection],
    place: Place,
    *,
    database: Any,
    from_edge: bool,
) -> AsyncGenerator[AsyncConnection]:
    async with opened as connection:
        await _begin(connection)
        before = await _counts(connection)
        yield connection
        after = await _counts(connection)
        changed = {name for name, (rows, _) in after.items() if rows > before.get(name, (0, 0))[0]}
        told = after["audit_events"][1] > before["audit_events"][1]
        if told and from_edge and (types := await _without_origin(connection)):
            _silent.append(f"{place[0]}, {place[1]}: {', '.join(types)} without an origin")
        if told and (types := await _incomplete(connection)):
            _silent.append(f"{place[0]}, {place[1]}: {', '.join(types)} without an office, or before and after")
        if told:
            note_events(await _own_events(connection))
            return
        loud = changed & set(Base.metadata.tables) - set(SILENT_TABLES)
        for table, silence in SILENT_PLACES.get(place, {}).items():
            if table in loud and (silence.columns is None or await _only(silence.columns, table, connection, database)):
                loud.remove(table)
        if loud:
            _silent.append(f"{place[0]}, {place[1]}: {', '.join(sorted(loud))} changed without an event")


async def _begin(connection: AsyncConnection) -> None:
    """Begin the transaction now, and not with its first statement: outside of one the counts may start anew."""
    adapted: Any = (await connection.get_raw_connection()).dbapi_connection
    if adapted._transaction is None:
        await adapted._start_transaction()


async def _own_events(connection: AsyncConnection) -> list[Event]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return [Event(**row) for row in await driver.fetch(_OWN_EVENTS)]


async def _only(columns: frozenset[str], table: str, connection: AsyncConnection, database: Database) -> bool:
    """Whether the transaction changed rows that were there, and nothing of them but `columns`.

    They are held until it ends, so that another connection sees them as they were before it.
    """
    now = await _rows(connection, table, _OWN)
    engine = create_async_engine(database.engine.url, poolclass=NullPool)
    async with engine.connect() as other:
        await other.execute(text("SELECT set_config('kawal.actor', :actor, true)"), await _setting(connection, "actor"))
        await other.execute(text("SELECT set_config('kawal.areas', :areas, true)"), await _setting(connection, "areas"))
        ids = ", ".join(f"'{row}'" for row in now) or "NULL"
        before = await _rows(other, table, f"id IN ({ids})")
    return bool(now) and all(_differing(before.get(row), values) <= columns for row, values in now.items())


def _differing(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> set[str]:
    return {column for column, value in after.items() if before is None or before[column] != value}


async def _rows(connection: AsyncConnection, table: str, which: str) -> dict[str, dict[str, Any]]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    rows = await driver.fetch(f"SELECT id::text, to_jsonb(t)::text AS row FROM {table} t WHERE {which}")  # noqa: S608
    return {row["id"]: json.loads(row["row"]) for row in rows}


async def _setting(connection: AsyncConnection, name: str) -> dict[str, str]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return {name: await driver.fetchval(f"SELECT current_setting('kawal.{name}')")}


async def _without_origin(connection: AsyncConnection) -> list[str]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return [row["type"] for row in await driver.fetch(_WITHOUT_ORIGIN)]


async def _incomplete(connection: AsyncConnection) -> list[str]:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    return [row["type"] for row in await driver.fetch(_INCOMPLETE, _SAY_BEFORE)]


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


def _caller() -> Place | None:
    """The file and the function that begins a transaction; None for a test, which may set the scene as it likes."""
    frame: FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]  the only way to a caller
    place = None
    while frame is not None and (place is None or place in OPENERS):
        if not frame.f_code.co_filename.endswith(("contextlib.py", "db/session.py")):
            place = _place(frame)
            if place is None:
                return None
        frame = frame.f_back
    return place


def _place(frame: FrameType) -> Place | None:
    file = Path(frame.f_code.co_filename)
    if not file.is_relative_to(_TREE) or file.is_relative_to(_TREE / "tests"):
        return None
    return file.relative_to(_TREE).as_posix(), frame.f_code.co_name
