"""Appointments: what an account is, where and for how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Membership, Office
from db.repositories.people import read_names
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import people_desk, person_of
from services.queries.scope import within
from services.queries.view import OfficeRef, PersonRef, View


class MembershipFacts(View):
    """An appointment."""

    id: UUID
    user: PersonRef
    role: Role
    office: OfficeRef
    area_code: str
    valid_from: datetime
    valid_to: datetime | None = Field(description="When it ends or ended; null: open")
    running: bool = Field(description="Whether it gives authority now, but for a leave")
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipFilter:
    """What narrows the list of appointments."""

    user_id: UUID | None = None
    area: str | None = None
    role: Role | None = None
    office_id: UUID | None = None
    running: bool | None = None


async def list_memberships(
    kawal: Kawal, actor: Actor, wanted: MembershipFilter, page: PageOf[ByAge]
) -> Slice[MembershipFacts, ByAge]:
    """The appointments within the actor's area, the newest first, those that are over too."""
    at = kawal.now()
    conditions: list[ColumnElement[bool]] = []
    if wanted.area is not None:
        actor.seat_for(Permission.PEOPLE_MANAGE, area_code=wanted.area)
        conditions.append(within(Membership.area_code, (wanted.area,)))
    for column, value in (
        (Membership.user_id, wanted.user_id),
        (Membership.role, wanted.role),
        (Membership.office_id, wanted.office_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.running:
        conditions += running(at)
    if page.after is not None:
        conditions.append(Membership.id < page.after.id)
    statement = _memberships().where(*conditions, within(Membership.area_code, _managed(actor)))
    statement = statement.order_by(Membership.id.desc()).limit(page.limit + 1)
    async with kawal.database.transaction(people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        names = await read_names(connection, [row.user_id for row in rows])
    return Slice([_membership(row, names, at=at) for row in rows], after)


async def read_membership(kawal: Kawal, actor: Actor, membership_id: UUID) -> MembershipFacts:
    """One appointment. Raises NotFound."""
    wanted = _memberships().where(Membership.id == membership_id, within(Membership.area_code, _managed(actor)))
    async with kawal.database.transaction(people_desk(actor)) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no membership {membership_id} for you.")
        names = await read_names(connection, [row.user_id])
    return _membership(row, names, at=kawal.now())


async def held_by(
    connection: AsyncConnection,
    user_ids: Collection[UUID],
    *,
    at: datetime,
) -> defaultdict[UUID, list[MembershipFacts]]:
    """What each account is in the areas of the actor, and will be."""
    held: defaultdict[UUID, list[MembershipFacts]] = defaultdict(list)
    not_over = or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    statement = _memberships().where(Membership.user_id.in_(user_ids), not_over).order_by(Membership.id)
    rows: list[Row[*tuple[Any, ...]]] = list((await connection.execute(statement)).all()) if user_ids else []
    names = await read_names(connection, user_ids)
    for row in rows:
        held[row.user_id].append(_membership(row, names, at=at))
    return held


def running(at: datetime) -> list[ColumnElement[bool]]:
    """That an appointment gives authority at this moment, but for a leave."""
    return [Membership.valid_from <= at, or_(Membership.valid_to.is_(None), Membership.valid_to > at)]


def _managed(actor: Actor) -> tuple[str, ...]:
    return actor.areas_with(Permission.PEOPLE_MANAGE)


def _memberships() -> Select[*tuple[Any, ...]]:
    columns = (Office.name.label("office_name"), Office.tier)
    return select(Membership.__table__, *columns).join(Office, Office.id == Membership.office_id)


def _membership(row: Row[*tuple[Any, ...]], names: dict[UUID, str], *, at: datetime) -> MembershipFacts:
    return MembershipFacts(
        id=row.id,
        user=person_of(row.user_id, names),
        role=row.role,
        office=OfficeRef(id=row.office_id, name=row.office_name, tier=row.tier),
        area_code=row.area_code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        running=row.valid_from <= at and (row.valid_to is None or row.valid_to > at),
        version=row.version,
    )
