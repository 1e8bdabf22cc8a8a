"""Writes that go to the database together: kept while a unit of work decides, sent in one round trip.

They are one statement (PostgreSQL, "Data-Modifying Statements in WITH"): carried out in the order in which they were
kept, but all of them see the rows as they were before it. So none may change what another one changes or adds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    CTE,
    Integer,
    Label,
    Select,
    TextClause,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Base

_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
_ONE: Label[int] = literal_column("1", type_=Integer()).label("one")


@dataclass(frozen=True, slots=True)
class _Added:
    """A row of a table, with these columns."""

    table: type[Base]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Changed:
    """These columns of the row that has an id."""

    table: type[Base]
    columns: tuple[str, ...]


_Shape: TypeAlias = _Added | _Changed | TextClause


@dataclass(frozen=True, slots=True)
class Write:
    """One of them: its name, under which those after it may refer to what it returns, its form and its values.

    It has to change `rows` rows, where that is given.
    """

    name: str
    shape: _Shape
    values: Mapping[str, object]
    rows: int | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The values by the names that they have beside those of the others."""
        return {_named(self.name, key): value for key, value in self.values.items()}


def added(name: str, table: type[Base], row: Mapping[str, object]) -> Write:
    """A new row."""
    return Write(name, _Added(table, tuple(row)), row)


def changed(name: str, table: type[Base], of: UUID, changes: Mapping[str, object]) -> Write:
    """Columns of the row whose id is `of`."""
    return Write(name, _Changed(table, tuple(changes)), {**changes, "of": of})


async def send(connection: AsyncConnection, writes: Sequence[Write]) -> None:
    """Carry them out. Raises RuntimeError when one did not change as many rows as it had to."""
    if not writes:
        return
    statement = _together(tuple((write.name, write.shape) for write in writes))
    parameters = {name: value for write in writes for name, value in write.parameters.items()}
    counted = (await connection.execute(statement, parameters)).one()
    for write, count in zip(writes, counted, strict=True):
        if write.rows is not None and count != write.rows:
            raise RuntimeError(f"{write.name}: {count} rows were written, not {write.rows}")


def _named(write: str, key: str) -> str:
    """No column is called so: SQLAlchemy would set one that is, in every statement that has it."""
    return f"{write}__{key}"


@lru_cache(maxsize=256)
def _together(shapes: tuple[tuple[str, _Shape], ...]) -> Select[*tuple[Any, ...]]:
    """One statement that answers how many rows each of them changed, which has each done when it comes to its count."""
    counts = [select(func.count()).select_from(_part(name, shape)).scalar_subquery() for name, shape in shapes]
    return select(*(count.label(f"n{number}") for number, count in enumerate(counts)))


def _part(name: str, shape: _Shape) -> CTE:
    if isinstance(shape, TextClause):
        return (
            text(_PARAMETER.sub(lambda found: ":" + _named(name, found[1]), shape.text))
            .columns(column("one"))
            .cte(name)
        )
    table = shape.table.__table__
    values = {key: bindparam(_named(name, key), type_=table.c[key].type) for key in shape.columns}
    if isinstance(shape, _Added):
        return insert(shape.table).values(values).returning(_ONE).cte(name)
    own = bindparam(_named(name, "of"), type_=table.c["id"].type)
    return update(shape.table).where(table.c["id"] == own).values(values).returning(_ONE).cte(name)
