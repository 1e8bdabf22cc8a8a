"""How the Ministry partner answers: an answer, and the rules that choose one for each proposal."""

from __future__ import annotations

import sqlite3
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Verdict = Literal["accepted", "returned", "rejected"]
Scope = Literal["default", "kind", "update"]


class Answer(BaseModel):
    """What the Ministry says of a proposal; a return or a rejection names its reason by code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Verdict
    reason: str | None = Field(default=None, pattern=r"^[a-z_]{1,60}$")
    note: str = Field(default="", max_length=4000)

    @model_validator(mode="after")
    def _refusal_has_a_reason(self) -> Self:
        if (self.reason is None) != (self.answer == "accepted"):
            raise ValueError("A return or a rejection names its reason, an acceptance has none.")
        return self


class Rule(BaseModel):
    """Give `answer` by itself, `after_seconds` from receipt; without an answer hold it until given by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Answer | None = Answer(answer="accepted")
    after_seconds: float = Field(default=1.0, ge=0, le=31_536_000)


class RuleBook:
    """The rules in force: one for an update goes before one for its kind, and that before the default."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, *, kind: str, update_id: str) -> Rule:
        """Choose the rule for a proposal."""
        row = self._connection.execute(
            """
            SELECT rule FROM rules
            WHERE (scope = 'update' AND name = ?) OR (scope = 'kind' AND name = ?) OR scope = 'default'
            ORDER BY CASE scope WHEN 'update' THEN 1 WHEN 'kind' THEN 2 ELSE 3 END LIMIT 1
            """,
            (update_id, kind),
        ).fetchone()
        return Rule() if row is None else Rule.model_validate_json(row["rule"])

    def put(self, rule: Rule, *, scope: Scope, name: str = "") -> None:
        """Set one rule; it holds for proposals that arrive from now on."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO rules (scope, name, rule) VALUES (?, ?, ?)",
                (scope, name, rule.model_dump_json()),
            )

    def all(self) -> list[dict[str, object]]:
        """List every rule that was set."""
        rows = self._connection.execute("SELECT scope, name, rule FROM rules ORDER BY scope, name")
        return [
            {"scope": row["scope"], "name": row["name"], "rule": Rule.model_validate_json(row["rule"]).model_dump()}
            for row in rows
        ]

    def clear(self) -> None:
        """Accept everything after a second again."""
        with self._connection:
            self._connection.execute("DELETE FROM rules")
