"""Pages by key: a page goes on after the last row of the one before, however many rows were added meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Row

from domain.areas import AreaCode

MOST = 200
"""The most items of a page."""


class ByAge(NamedTuple):
    """Newest first: ids are ordered by the time they were made."""

    id: UUID


class ByDue(NamedTuple):
    """What is due first comes first."""

    due_at: datetime
    id: UUID


class ByCode(NamedTuple):
    """In the order of area codes."""

    code: AreaCode


class ByPlace(NamedTuple):
    """In the order of a ranked list."""

    place: int


class BySubject(NamedTuple):
    """In the order of what an indicator was observed of: by part, area and id."""

    part: str
    area_code: str
    id: UUID


Key = TypeVar("Key", ByAge, ByDue, ByCode, ByPlace, BySubject)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Key]):
    """Which page is asked for: what comes `after` a key, at most `limit` items."""

    limit: int
    after: Key | None = None


@dataclass(frozen=True, slots=True)
class Slice(Generic[Item, Key]):
    """A page, and the key after which the next one begins (None: this is the last)."""

    items: Sequence[Item]
    next: Key | None


def cut(
    rows: Sequence[Row[*tuple[Any, ...]]],
    limit: int,
    key: Callable[[Row[*tuple[Any, ...]]], Key],
) -> tuple[Sequence[Row[*tuple[Any, ...]]], Key | None]:
    """The rows of a page out of `limit + 1` that were asked for, and where the next page begins."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], key(rows[limit - 1])
