"""Accounts, and what is known of who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, or_, select

from db.models import Membership, User
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.identity import mask
from domain.people import Identity, identity_context
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.people.desks import people_desk
from services.queries.people.memberships import MembershipFacts, held_by, running
from services.queries.scope import within
from services.queries.view import View


class UserFacts(View):
    """An account."""

    id: UUID
    username: str
    display_name: str
    area_code: str = Field(description="Whose administrators look after it")
    disabled: bool
    created_at: datetime
    memberships: tuple[MembershipFacts, ...] = Field(description="Those within your area that are not over")
    version: int


class UserInFull(UserFacts):
    """An account with what is known of its holder; numbers are masked."""

    nik: str | None = Field(description="Masked")
    email: str | None = Field(description="Masked")
    accounts_of_person: tuple[UUID, ...] = Field(description="Accounts confirmed to be the same person's, this one too")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """What narrows the list of accounts."""

    area: str | None = None
    role: Role | None = None
    disabled: bool | None = None
    name: str | None = None


_USERS: Final = select(
    User.id, User.username, User.display_name, User.area_code, User.disabled, User.created_at, User.version
)


async def list_users(kawal: Kawal, actor: Actor, wanted: UserFilter, page: PageOf[ByAge]) -> Slice[UserFacts, ByAge]:
    """The accounts of the actor's area and those appointed in it, the newest first."""
    at = kawal.now()
    statement = _USERS.order_by(User.id.desc()).limit(page.limit + 1)
    held = select(Membership.user_id).where(Membership.user_id == User.id, *running(at))
    if wanted.area is not None:
        actor.seat_for(Permission.PEOPLE_MANAGE, area_code=wanted.area)
        of_area = held.where(within(Membership.area_code, (wanted.area,))).exists()
        statement = statement.where(or_(within(User.area_code, (wanted.area,)), of_area))
    if wanted.role is not None:
        statement = statement.where(held.where(Membership.role == wanted.role.value).exists())
    if wanted.disabled is not None:
        statement = statement.where(User.disabled == wanted.disabled)
    if wanted.name is not None:
        begins = (
            User.username.istartswith(wanted.name, autoescape=True),
            User.display_name.icontains(wanted.name, autoescape=True),
        )
        statement = statement.where(or_(*begins))
    if page.after is not None:
        statement = statement.where(User.id < page.after.id)
    async with kawal.database.transaction(people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        held_now = await held_by(connection, [row.id for row in rows], at=at)
    return Slice([UserFacts(**_user(row), memberships=tuple(held_now[row.id])) for row in rows], after)


async def read_user(kawal: Kawal, actor: Actor, user_id: UUID) -> UserInFull:
    """One account. Raises NotFound."""
    at = kawal.now()
    async with kawal.database.transaction(people_desk(actor)) as connection:
        wanted = _USERS.add_columns(User.identity, User.person_id).where(User.id == user_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no account {user_id} for you.")
        held_now = await held_by(connection, [row.id], at=at)
        same = (
            await connection.scalars(select(User.id).where(User.person_id == row.person_id).order_by(User.id))
        ).all()
    identity = Identity()
    if row.identity is not None:
        identity = kawal.vault.open(row.identity, Identity, context=identity_context(user_id))
    return UserInFull(
        **_user(row),
        memberships=tuple(held_now[row.id]),
        nik=identity.nik and mask(identity.nik),
        email=identity.email and _masked_address(identity.email),
        accounts_of_person=tuple(same),
    )


def _user(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in UserFacts.model_fields if name != "memberships"}


def _masked_address(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
