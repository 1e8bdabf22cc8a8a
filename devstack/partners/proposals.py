"""What the Ministry's gateway has received and answered, in SQLite, so that a restart loses nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from devstack.partners.rulings import Answer, RuleBook

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS rules (scope TEXT, name TEXT, rule TEXT NOT NULL, PRIMARY KEY (scope, name));
CREATE TABLE IF NOT EXISTS proposals (
    receipt_no TEXT PRIMARY KEY,
    idempotency_key TEXT NOT NULL UNIQUE,
    body_hash TEXT NOT NULL,
    update_id TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at REAL NOT NULL,
    ruling TEXT,
    ruling_due REAL,
    answer TEXT,
    answered_at REAL
);
CREATE INDEX IF NOT EXISTS proposals_by_update ON proposals (update_id);
CREATE INDEX IF NOT EXISTS proposals_by_time ON proposals (received_at);
CREATE INDEX IF NOT EXISTS proposals_due ON proposals (ruling_due) WHERE answer IS NULL;
CREATE TABLE IF NOT EXISTS callbacks (
    receipt_no TEXT PRIMARY KEY REFERENCES proposals,
    webhook_id TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL,
    last_result TEXT
);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (next_at) WHERE state = 'waiting';
"""

RECORDS = """
SELECT p.*, c.webhook_id, c.state, c.attempts, c.next_at, c.last_result
FROM proposals p LEFT JOIN callbacks c USING (receipt_no)
"""


class Submission(BaseModel):
    """A proposal as the gateway takes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    update_id: str = Field(min_length=1, max_length=100)
    kind: str = Field(pattern=r"^[a-z_]{1,60}$")
    area_code: str = Field(pattern=r"^[0-9]{2}(\.[0-9]{2}){2}\.[0-9]{4}$")
    household_version: int | None = Field(default=None, ge=0)
    change: dict[str, Any]
    decided: list[dict[str, Any]]
    submitted_at: AwareDatetime

    def canonical(self) -> str:
        """Give the one JSON text of this content, however its keys were ordered."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


class KeyReusedError(Exception):
    """The idempotency key belongs to another proposal."""


class AlreadyAnsweredError(Exception):
    """The proposal has its answer."""


def connect(path: Path | None = None) -> sqlite3.Connection:
    """Open the gateway's SQLite file, or a database in memory; for one thread."""
    connection = sqlite3.connect(":memory:" if path is None else path)
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    return connection


class ProposalBook:
    """Every proposal received, with its receipt and its answer."""

    def __init__(self, connection: sqlite3.Connection, *, rules: RuleBook) -> None:
        self._connection = connection
        self._rules = rules

    def receive(self, submission: Submission, *, key: str, now: datetime) -> str:
        """Record a proposal once per key and give its receipt number; raises `KeyReusedError`."""
        body = submission.canonical()
        body_hash = hashlib.sha256(body.encode()).hexdigest()
        known = self._connection.execute(
            "SELECT receipt_no, body_hash FROM proposals WHERE idempotency_key = ?",
            (key,),
        ).fetchone()
        if known is not None and known["body_hash"] != body_hash:
            raise KeyReusedError
        if known is not None:
            return known["receipt_no"]
        return self._record(submission, key=key, body=body, body_hash=body_hash, now=now)

    def answer(self, receipt_no: str, answer: Answer, *, now: datetime) -> None:
        """Answer a proposal and queue its callback in one transaction.

        Raises `KeyError` for an unknown receipt and `AlreadyAnsweredError` for a second answer.
        """
        record = self.get(receipt_no)
        if record["answer"] is not None:
            raise AlreadyAnsweredError
        callback = {
            "type": "proposal.answered",
            "proposal": {"update_id": record["update_id"], "receipt_no": receipt_no, **answer.model_dump()},
        }
        with self._connection:
            self._connection.execute(
                "UPDATE proposals SET answer = ?, answered_at = ? WHERE receipt_no = ?",
                (answer.model_dump_json(), now.timestamp(), receipt_no),
            )
            self._connection.execute(
                "INSERT INTO callbacks (receipt_no, webhook_id, body, next_at) VALUES (?, ?, ?, ?)",
                (receipt_no, f"msg_{uuid4().hex}", json.dumps(callback), now.timestamp()),
            )

    def answer_due(self, *, now: datetime) -> None:
        """Give every answer whose time has come."""
        due = self._connection.execute(
            "SELECT receipt_no, ruling FROM proposals WHERE answer IS NULL AND ruling_due <= ?",
            (now.timestamp(),),
        ).fetchall()
        for row in due:
            self.answer(row["receipt_no"], Answer.model_validate_json(row["ruling"]), now=now)

    def get(self, receipt_no: str) -> dict[str, Any]:
        """Read one proposal with what was proposed; raises `KeyError`."""
        row = self._connection.execute(f"{RECORDS} WHERE receipt_no = ?", (receipt_no,)).fetchone()
        if row is None:
            raise KeyError(receipt_no)
        return {**_record(row), "proposal": json.loads(row["body"])}

    def newest(self, *, limit: int, update_id: str | None = None) -> list[dict[str, Any]]:
        """List proposals, the newest first, of one update or of all."""
        rows = self._connection.execute(
            f"{RECORDS} WHERE ?1 IS NULL OR update_id = ?1 ORDER BY received_at DESC, receipt_no LIMIT ?2",
            (update_id, limit),
        )
        return [_record(row) for row in rows]

    def _record(
        self,
        submission: Submission,
        *,
        key: str,
        body: str,
        body_hash: str,
        now: datetime,
    ) -> str:
        receipt_no = f"SIKS-{now:%Y%m%d}-{secrets.token_hex(6).upper()}"
        rule = self._rules.find(kind=submission.kind, update_id=submission.update_id)
        ruling = None if rule.answer is None else rule.answer.model_dump_json()
        due = None if rule.answer is None else now.timestamp() + rule.after_seconds
        with self._connection:
            self._connection.execute(
                """
                INSERT INTO proposals
                    (receipt_no, idempotency_key, body_hash, update_id, body, received_at, ruling, ruling_due)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (receipt_no, key, body_hash, submission.update_id, body, now.timestamp(), ruling, due),
            )
        return receipt_no


def _record(row: sqlite3.Row) -> dict[str, Any]:
    callback = {
        "webhook_id": row["webhook_id"],
        "state": row["state"],
        "attempts": row["attempts"],
        "next_at": _instant(row["next_at"]),
        "last_result": row["last_result"],
    }
    return {
        "receipt_no": row["receipt_no"],
        "update_id": row["update_id"],
        "received_at": _instant(row["received_at"]),
        "answer_due_at": _instant(row["ruling_due"]),
        "answer": None if row["answer"] is None else json.loads(row["answer"]),
        "answered_at": _instant(row["answered_at"]),
        "callback": None if row["webhook_id"] is None else callback,
    }


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
