"""The persons the civil registry knows, in SQLite: cheap to load by the ten thousand, and there again tomorrow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints

SixteenDigits = Annotated[str, StringConstraints(pattern=r"^[0-9]{16}$")]

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS persons (
    nik TEXT PRIMARY KEY,
    kk_number TEXT NOT NULL,
    name TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    sex TEXT NOT NULL,
    deceased_on TEXT
) WITHOUT ROWID;
"""

STORE = """
INSERT OR REPLACE INTO persons (nik, kk_number, name, birth_date, sex, deceased_on)
VALUES (:nik, :kk_number, :name, :birth_date, :sex, :deceased_on)
"""


class Person(BaseModel):
    """One invented person as registered."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    nik: SixteenDigits
    kk_number: SixteenDigits
    name: str = Field(min_length=1, max_length=200)
    birth_date: date
    sex: Literal["female", "male"]
    deceased_on: date | None = None


class Persons(RootModel[tuple[Person, ...]]):
    """The body that loads persons."""


class PersonPatch(RootModel[dict[str, Any]]):
    """A JSON merge patch of a person (RFC 7396)."""


class PersonStore:
    """The persons in the SQLite file `path`, or in memory without one; for one thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._connection = sqlite3.connect(":memory:" if path is None else path)
        self._connection.row_factory = sqlite3.Row
        self._connection.executescript(SCHEMA)

    def put(self, persons: Iterable[Person]) -> None:
        """Store the persons, all or none, over those that have the same NIK; the others stay."""
        with self._connection:
            self._connection.executemany(STORE, (person.model_dump(mode="json") for person in persons))

    def get(self, nik: str) -> Person | None:
        """Find one person."""
        row = self._connection.execute("SELECT * FROM persons WHERE nik = ?", (nik,)).fetchone()
        return None if row is None else Person.model_validate(dict(row))

    def count(self) -> int:
        """How many persons are registered."""
        return self._connection.execute("SELECT count(*) FROM persons").fetchone()[0]

    def clear(self) -> None:
        """Forget everybody."""
        with self._connection:
            self._connection.execute("DELETE FROM persons")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
