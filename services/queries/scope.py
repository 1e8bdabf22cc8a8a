"""The access filter of every question: the areas in which the asker has the permission, as ranges an index can use.

Row-level security stands behind it and knows areas only. This filter also knows permissions: who is an officer in one
village and an administrator of a regency reads cases in that village alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from domain.authority import NATION, Actor, Permission, Seat, widest
from domain.errors import Forbidden
from domain.vocabulary import AreaLevel, Role

Column = ColumnElement[str] | InstrumentedAttribute[str] | InstrumentedAttribute[Any]


def areas_in_view(actor: Actor, permission: Permission, *, area: str | None) -> tuple[str, ...]:
    """The areas a question is about: `area` when one is named, else all in which the actor has the permission.

    Raises NotFound for an area outside the actor's own, Forbidden without the permission.
    """
    if area is not None:
        actor.seat_for(permission, area_code=area)
        return (area,)
    allowed = actor.areas_with(permission)
    if not allowed:
        raise Forbidden(f"None of your roles allows {permission.value}.")
    return allowed


def areas_by_role(seats: Collection[Seat]) -> dict[Role, tuple[str, ...]]:
    """Over which areas these seats give each of their roles."""
    roles = {seat.role for seat in seats}
    return {role: widest(seat.area_code for seat in seats if seat.role is role) for role in sorted(roles)}


def within(column: Column, areas: Iterable[str]) -> ColumnElement[bool]:
    """That the area of a row is one of `areas` or lies below one.

    `/` follows `.` in the C collation and comes before every digit, so a code and all below it are one index range.
    """
    return or_(false(), *(_one(column, code) for code in areas))


def _one(column: Column, code: str) -> ColumnElement[bool]:
    if code == NATION:
        return true()
    if level_of(code) is AreaLevel.VILLAGE:
        return column == code
    return and_(column >= code, column < f"{code}/")


def level_of(code: str) -> AreaLevel:
    """The level of an area by the parts of its code."""
    return AreaLevel(min(code.count(".") + 1, AreaLevel.VILLAGE))
