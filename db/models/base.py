"""What every table shares: names of constraints, types, and text columns held to an enumeration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

from domain.areas import AREA_OR_NATION

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

AreaCode = Annotated[str, mapped_column(Text(collation="C"))]
"""A Kemendagri code, compared bytewise so that an area and all below it are one index range."""

Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Identifier = Annotated[UUID, mapped_column(Uuid)]
Document = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """The declarative base; statements are built from these classes and run on a connection."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), UUID: Uuid}  # noqa: RUF012  SQLAlchemy's own protocol


def area_well_formed() -> CheckConstraint:
    """The column `area_code` in the form of areas: row security reads another text as several, or as the nation."""
    return CheckConstraint(f"area_code ~ '{AREA_OR_NATION}'", name="area_code_well_formed")


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """A text column held to `values`: native enums do not get past row-level security to an index."""
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
