"""Leaves: who is away, who decides meanwhile, and who could."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, Select, or_, select, text

from db.models import Delegation, Membership
from db.repositories.people import read_names
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.people import LeaveReason, is_higher, leave_granting_seat, tier_of_role
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import leaves_desk, person_of
from services.queries.scope import within
from services.queries.view import PersonRef, View


class DelegationFacts(View):
    """A leave."""

    id: UUID
    membership_id: UUID
    area_code: str
    holder: PersonRef
    delegate: PersonRef | None = Field(description="Who decides meanwhile; null: nobody, and cases climb")
    valid_from: datetime
    valid_to: datetime
    ended_at: datetime | None = Field(description="When it was ended before its time")
    reason: LeaveReason
    running: bool


class Colleague(PersonRef):
    """Somebody who could stand in for another."""

    role: Role
    area_code: str


_MOST_COLLEAGUES: Final = 50
_COLLEAGUES: Final = text("SELECT * FROM kawal_colleagues(:area, :name, :at)")


async def list_delegations(
    kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, running: bool | None
) -> Slice[DelegationFacts, ByAge]:
    """The leaves of oneself, those in which one stands in, and those of the areas in which one declares leaves."""
    at = kawal.now()
    statement = _delegations(actor).order_by(Delegation.id.desc()).limit(page.limit + 1)
    if running:
        statement = statement.where(
            Delegation.valid_from <= at, Delegation.valid_to > at, Delegation.ended_at.is_(None)
        )
    if page.after is not None:
        statement = statement.where(Delegation.id < page.after.id)
    async with kawal.database.transaction(leaves_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        names = await read_names(connection, [who for row in rows for who in (row.holder_id, row.delegate_id)])
    return Slice([_delegation(row, names, at=at) for row in rows], after)


async def read_delegation(kawal: Kawal, actor: Actor, delegation_id: UUID) -> DelegationFacts:
    """One leave. Raises NotFound."""
    async with kawal.database.transaction(leaves_desk(actor)) as connection:
        row = (await connection.execute(_delegations(actor).where(Delegation.id == delegation_id))).one_or_none()
        if row is None:
            raise NotFound(f"There is no delegation {delegation_id} for you.")
        names = await read_names(connection, (row.holder_id, row.delegate_id))
    return _delegation(row, names, at=kawal.now())


async def list_colleagues(kawal: Kawal, actor: Actor, membership_id: UUID, *, name: str) -> tuple[Colleague, ...]:
    """Who could stand in for the holder of an appointment, by a part of their name; at most 50.

    Raises NotFound for an appointment of which the actor may declare no leave.
    """
    at = kawal.now()
    async with kawal.database.transaction(leaves_desk(actor)) as connection:
        wanted = select(Membership.user_id, Membership.role, Membership.area_code)
        held = (await connection.execute(wanted.where(Membership.id == membership_id))).one_or_none()
        if held is None:
            raise NotFound(f"There is no membership {membership_id} for you.")
        role = Role(held.role)
        leave_granting_seat(actor, holder_id=held.user_id, role=role, area_code=held.area_code)
        asked = {"area": held.area_code, "name": name, "at": at}
        rows = (await connection.execute(_COLLEAGUES, asked)).all()
    found = (_colleague(row) for row in rows if row.user_id not in {held.user_id, actor.user_id})
    tier = tier_of_role(role, area_code=held.area_code)
    fit = [person for person in found if not is_higher(tier, tier_of_role(person.role, area_code=person.area_code))]
    return tuple(fit[:_MOST_COLLEAGUES])


def _colleague(row: Row[*tuple[Any, ...]]) -> Colleague:
    return Colleague(id=row.user_id, name=row.display_name, role=row.role, area_code=row.area_code)


def _delegations(actor: Actor) -> Select[*tuple[Any, ...]]:
    managed = within(Delegation.area_code, actor.areas_with(Permission.DELEGATIONS_MANAGE))
    mine = (Delegation.holder_id == actor.user_id, Delegation.delegate_id == actor.user_id)
    return select(Delegation.__table__).where(or_(managed, *mine))


def _delegation(row: Row[*tuple[Any, ...]], names: dict[UUID, str], *, at: datetime) -> DelegationFacts:
    return DelegationFacts(
        id=row.id,
        membership_id=row.membership_id,
        area_code=row.area_code,
        holder=person_of(row.holder_id, names),
        delegate=None if row.delegate_id is None else person_of(row.delegate_id, names),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        ended_at=row.ended_at,
        reason=row.reason,
        running=row.valid_from <= at < row.valid_to and row.ended_at is None,
    )
