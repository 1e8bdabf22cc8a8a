"""Who is administered where: accounts with what they are, appointments, offices, leaves, and pairs of accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AccountMatch, Delegation, Membership, Office, User
from db.repositories.people import read_names
from db.session import Viewer
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.identity import mask
from domain.people import Identity, LeaveReason, Verdict, identity_context, is_higher, leave_granting_seat, tier_of_role
from domain.vocabulary import Role, Tier
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.scope import within
from services.queries.view import OfficeRef, PersonRef, View

Rows: TypeAlias = "list[Row[*tuple[Any, ...]]]"


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


class OfficeFacts(View):
    """An office."""

    id: UUID
    name: str
    tier: Tier
    area_code: str
    closed_at: datetime | None
    version: int


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


class MatchFacts(View):
    """Two accounts that share a NIK or an e-mail address."""

    id: UUID
    accounts: tuple[PersonRef, PersonRef]
    same: tuple[str, ...] = Field(description="`nik`, `email`")
    found_at: datetime
    verdict: Verdict | None = Field(description="Null until an administrator has judged")
    decided_by: PersonRef | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """What narrows the list of accounts."""

    area: str | None = None
    role: Role | None = None
    disabled: bool | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipFilter:
    """What narrows the list of appointments."""

    user_id: UUID | None = None
    area: str | None = None
    role: Role | None = None
    office_id: UUID | None = None
    running: bool | None = None


async def list_users(kawal: Kawal, actor: Actor, wanted: UserFilter, page: PageOf[ByAge]) -> Slice[UserFacts, ByAge]:
    """The accounts of the actor's area and those appointed in it, the newest first."""
    at = kawal.now()
    statement = _USERS.order_by(User.id.desc()).limit(page.limit + 1)
    held = select(Membership.user_id).where(Membership.user_id == User.id, *_running(at))
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
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        held_by = await _held_by(connection, [row.id for row in rows], at=at)
    return Slice([UserFacts(**_user(row), memberships=tuple(held_by[row.id])) for row in rows], after)


async def read_user(kawal: Kawal, actor: Actor, user_id: UUID) -> UserInFull:
    """One account. Raises NotFound."""
    at = kawal.now()
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        wanted = _USERS.add_columns(User.identity, User.person_id).where(User.id == user_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no account {user_id} for you.")
        held_by = await _held_by(connection, [row.id], at=at)
        same = (
            await connection.scalars(select(User.id).where(User.person_id == row.person_id).order_by(User.id))
        ).all()
    identity = Identity()
    if row.identity is not None:
        identity = kawal.vault.open(row.identity, Identity, context=identity_context(user_id))
    return UserInFull(
        **_user(row),
        memberships=tuple(held_by[row.id]),
        nik=identity.nik and mask(identity.nik),
        email=identity.email and _masked_address(identity.email),
        accounts_of_person=tuple(same),
    )


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
        conditions += _running(at)
    if page.after is not None:
        conditions.append(Membership.id < page.after.id)
    statement = _memberships().where(*conditions, within(Membership.area_code, _managed(actor)))
    statement = statement.order_by(Membership.id.desc()).limit(page.limit + 1)
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        names = await read_names(connection, [row.user_id for row in rows])
    return Slice([_membership(row, names, at=at) for row in rows], after)


async def read_membership(kawal: Kawal, actor: Actor, membership_id: UUID) -> MembershipFacts:
    """One appointment. Raises NotFound."""
    wanted = _memberships().where(Membership.id == membership_id, within(Membership.area_code, _managed(actor)))
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no membership {membership_id} for you.")
        names = await read_names(connection, [row.user_id])
    return _membership(row, names, at=kawal.now())


async def list_offices(
    kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, area: str | None, closed: bool
) -> Slice[OfficeFacts, ByAge]:
    """The offices of an area and below it, or all: who sits in them is not told."""
    statement = _OFFICES.order_by(Office.id.desc()).limit(page.limit + 1)
    if area is not None:
        statement = statement.where(within(Office.area_code, (area,)))
    if not closed:
        statement = statement.where(Office.closed_at.is_(None))
    if page.after is not None:
        statement = statement.where(Office.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
    return Slice(
        [OfficeFacts.model_validate({name: getattr(row, name) for name in OfficeFacts.model_fields}) for row in rows],
        after,
    )


async def read_office(kawal: Kawal, actor: Actor, office_id: UUID) -> OfficeFacts:
    """One office. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        row = (await connection.execute(_OFFICES.where(Office.id == office_id))).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no office {office_id}.")
    return OfficeFacts.model_validate(dict(row))


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
    async with kawal.database.transaction(_leaves_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        names = await read_names(connection, [who for row in rows for who in (row.holder_id, row.delegate_id)])
    return Slice([_delegation(row, names, at=at) for row in rows], after)


async def read_delegation(kawal: Kawal, actor: Actor, delegation_id: UUID) -> DelegationFacts:
    """One leave. Raises NotFound."""
    async with kawal.database.transaction(_leaves_desk(actor)) as connection:
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
    async with kawal.database.transaction(_leaves_desk(actor)) as connection:
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


async def list_matches(kawal: Kawal, actor: Actor, page: PageOf[ByAge], *, open_only: bool) -> Slice[MatchFacts, ByAge]:
    """The pairs of accounts of which one is the actor's to administer, the newest first."""
    statement = select(AccountMatch.__table__).order_by(AccountMatch.id.desc()).limit(page.limit + 1)
    if open_only:
        statement = statement.where(AccountMatch.verdict.is_(None))
    if page.after is not None:
        statement = statement.where(AccountMatch.id < page.after.id)
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        rows, after = cut((await connection.execute(statement)).all(), page.limit, lambda row: ByAge(row.id))
        people = [who for row in rows for who in (row.first_id, row.second_id, row.decided_by)]
        names = await read_names(connection, people)
    return Slice([_match(row, names) for row in rows], after)


async def read_match(kawal: Kawal, actor: Actor, match_id: UUID) -> MatchFacts:
    """One pair of accounts. Raises NotFound."""
    async with kawal.database.transaction(_people_desk(actor)) as connection:
        wanted = select(AccountMatch.__table__).where(AccountMatch.id == match_id)
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no such pair of accounts {match_id} for you.")
        names = await read_names(connection, (row.first_id, row.second_id, row.decided_by))
    return _match(row, names)


_MOST_COLLEAGUES: Final = 50
_COLLEAGUES: Final = text("SELECT * FROM kawal_colleagues(:area, :name, :at)")
_USERS: Final = select(
    User.id, User.username, User.display_name, User.area_code, User.disabled, User.created_at, User.version
)
_OFFICES: Final = select(Office.id, Office.name, Office.tier, Office.area_code, Office.closed_at, Office.version)


def _people_desk(actor: Actor) -> Viewer:
    return Viewer.at_desk(actor, Permission.PEOPLE_MANAGE)


def _leaves_desk(actor: Actor) -> Viewer:
    return Viewer.at_desk(actor, Permission.DELEGATIONS_MANAGE)


def _managed(actor: Actor) -> tuple[str, ...]:
    return actor.areas_with(Permission.PEOPLE_MANAGE)


def _running(at: datetime) -> list[ColumnElement[bool]]:
    return [Membership.valid_from <= at, or_(Membership.valid_to.is_(None), Membership.valid_to > at)]


def _memberships() -> Select[*tuple[Any, ...]]:
    columns = (Office.name.label("office_name"), Office.tier)
    return select(Membership.__table__, *columns).join(Office, Office.id == Membership.office_id)


def _delegations(actor: Actor) -> Select[*tuple[Any, ...]]:
    managed = within(Delegation.area_code, actor.areas_with(Permission.DELEGATIONS_MANAGE))
    mine = (Delegation.holder_id == actor.user_id, Delegation.delegate_id == actor.user_id)
    return select(Delegation.__table__).where(or_(managed, *mine))


async def _held_by(
    connection: AsyncConnection,
    user_ids: Collection[UUID],
    *,
    at: datetime,
) -> defaultdict[UUID, list[MembershipFacts]]:
    """What each account is in the areas of the actor, and will be."""
    held: defaultdict[UUID, list[MembershipFacts]] = defaultdict(list)
    not_over = or_(Membership.valid_to.is_(None), Membership.valid_to > at)
    statement = _memberships().where(Membership.user_id.in_(user_ids), not_over).order_by(Membership.id)
    rows: Rows = list((await connection.execute(statement)).all()) if user_ids else []
    names = await read_names(connection, user_ids)
    for row in rows:
        held[row.user_id].append(_membership(row, names, at=at))
    return held


def _user(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in UserFacts.model_fields if name != "memberships"}


def _membership(row: Row[*tuple[Any, ...]], names: dict[UUID, str], *, at: datetime) -> MembershipFacts:
    return MembershipFacts(
        id=row.id,
        user=_person(row.user_id, names),
        role=row.role,
        office=OfficeRef(id=row.office_id, name=row.office_name, tier=row.tier),
        area_code=row.area_code,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        running=row.valid_from <= at and (row.valid_to is None or row.valid_to > at),
        version=row.version,
    )


def _delegation(row: Row[*tuple[Any, ...]], names: dict[UUID, str], *, at: datetime) -> DelegationFacts:
    return DelegationFacts(
        id=row.id,
        membership_id=row.membership_id,
        area_code=row.area_code,
        holder=_person(row.holder_id, names),
        delegate=None if row.delegate_id is None else _person(row.delegate_id, names),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        ended_at=row.ended_at,
        reason=row.reason,
        running=row.valid_from <= at < row.valid_to and row.ended_at is None,
    )


def _match(row: Row[*tuple[Any, ...]], names: dict[UUID, str]) -> MatchFacts:
    return MatchFacts(
        id=row.id,
        accounts=(_person(row.first_id, names), _person(row.second_id, names)),
        same=tuple(row.same),
        found_at=row.found_at,
        verdict=row.verdict,
        decided_by=None if row.decided_by is None else _person(row.decided_by, names),
        decided_at=row.decided_at,
    )


def _person(user_id: UUID, names: dict[UUID, str]) -> PersonRef:
    return PersonRef(id=user_id, name=names.get(user_id, "?"))


def _masked_address(email: str) -> str:
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"
