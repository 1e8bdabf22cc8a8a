"""The tree of areas, open to everybody who is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import aliased

from db.models import Area, AreaPoint
from db.repositories.people import ancestry
from db.session import Viewer
from domain.authority import Actor
from domain.errors import NotFound
from domain.vocabulary import AreaLevel
from services.kawal import Kawal
from services.queries.keyset import ByCode, PageOf, Slice, cut
from services.queries.view import AreaRef, View


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaFilter:
    """What narrows the list: the children of an area, or the beginning of a name."""

    parent: str | None = None
    name: str | None = None


class AreaFacts(View):
    """An area of the Kemendagri tree."""

    code: str
    name: str
    level: AreaLevel = Field(description="1 province, 2 regency, 3 district, 4 village")
    parent_code: str | None
    zone: str = Field(description="Its time zone, in which deadlines are reckoned and shown")
    remoteness: int = Field(description="0 ordinary, 1 remote, 2 very remote; a policy may give such villages days")
    children: int = Field(description="How many areas lie directly below it")


class ReferencePointShown(View):
    """Where an area is known to be, as it was recorded last."""

    latitude: float
    longitude: float
    source: str = Field(description="Of what this is the place, and how it is known")
    recorded_at: datetime


class AreaInFull(AreaFacts):
    """An area with the path that leads to it."""

    within: tuple[AreaRef, ...] = Field(description="The areas that contain it, the widest first")
    reference_point: ReferencePointShown | None = Field(
        description="From where distances of ground checks are measured; null where nobody has recorded one"
    )


async def list_areas(kawal: Kawal, actor: Actor, wanted: AreaFilter, page: PageOf[ByCode]) -> Slice[AreaFacts, ByCode]:
    """The areas that fit, by code. One statement."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.parent is not None:
        conditions.append(Area.parent_code == wanted.parent)
    if wanted.name is not None:
        conditions.append(func.lower(Area.name).startswith(wanted.name.lower(), autoescape=True))
    if page.after is not None:
        conditions.append(Area.code > page.after.code)
    statement = _areas().where(*conditions).order_by(Area.code).limit(page.limit + 1)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByCode(row.code))
    return Slice([AreaFacts.model_validate(_facts(row)) for row in rows], after)


async def read_area(kawal: Kawal, actor: Actor, code: str) -> AreaInFull:
    """One area. Raises NotFound."""
    above = select(Area.code, Area.name).where(Area.code.in_(ancestry(code)), Area.code != code).order_by(Area.code)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = (await connection.execute(_areas().where(Area.code == code))).one_or_none()
        if row is None:
            raise NotFound("There is no area of this code.")
        path = (await connection.execute(above)).all()
        point = (await connection.execute(_point(code))).one_or_none()
    told = {
        "within": tuple(AreaRef(code=found.code, name=found.name) for found in path),
        "reference_point": None if point is None else _point_shown(point),
    }
    return AreaInFull.model_validate(_facts(row) | told)


def _point_shown(row: Row[*tuple[Any, ...]]) -> ReferencePointShown:
    return ReferencePointShown.model_validate({name: getattr(row, name) for name in ReferencePointShown.model_fields})


def _point(code: str) -> Select[*tuple[Any, ...]]:
    columns = (AreaPoint.latitude, AreaPoint.longitude, AreaPoint.source, AreaPoint.recorded_at)
    return select(*columns).where(AreaPoint.area_code == code).order_by(AreaPoint.id.desc()).limit(1)


def _areas() -> Select[*tuple[Any, ...]]:
    child = aliased(Area)
    children = select(func.count()).where(child.parent_code == Area.code).correlate(Area).scalar_subquery()
    columns = (Area.code, Area.name, Area.level, Area.parent_code, Area.zone, Area.remoteness)
    return select(*columns, children.label("children"))


def _facts(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in AreaFacts.model_fields}
