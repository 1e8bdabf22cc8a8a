"""The demo data: areas, calendar, policy, offices, accounts and invented households, the same on every machine.

Everything can be repeated: what is there already stays as people have made it since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Household as HouseholdRow
from db.models import Membership, Office, User
from db.owner import OwnerDatabase
from db.repositories import trail
from db.repositories.registry import write_households
from db.repositories.trail import Entry
from db.vault import Vault
from devstack.areas import load_areas, regency
from devstack.demo_people import ACCOUNTS, OFFICES, REGENCY, VILLAGES, DemoAccount, demo_id
from devstack.partners.persons import Person
from devstack.population import households
from devstack.registry_persons import registered_persons
from domain.audit import AuditType, stream_of_account
from domain.authority import NATION
from domain.errors import NotFound
from domain.household import Household
from domain.policy import BRISK_PUBLICATION, default_policy, without_draws
from domain.vocabulary import Kind
from services.administration.calendars import load_national_calendar
from services.administration.policies import policy_in_force
from services.policies.versions import add_version

HOUSEHOLDS_PER_VILLAGE: Final = 40
POPULATION_SEED: Final = 3206
INVENTED_ON: Final = date(2026, 1, 1)
"""The day as of which the people have their ages: fixed, so that they are the same people whenever they are made."""

_IN_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('kawal.seed', 0))")
_WIB: Final = ZoneInfo("Asia/Jakarta")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What there is after seeding.

    `offices` by their key in `devstack.demo_people`, `users` by username, `households` by village code as they were
    invented (the registry may have moved on since), `persons` as the civil registry is to know them.
    """

    policy_version_id: UUID
    offices: Mapping[str, UUID]
    users: Mapping[str, UUID]
    households: Mapping[str, tuple[Household, ...]]
    persons: tuple[Person, ...]
    new_accounts: int
    new_households: int


def invented(area_code: str, *, count: int = HOUSEHOLDS_PER_VILLAGE) -> tuple[Household, ...]:
    """The first `count` invented households of a village, as every machine has them."""
    return tuple(households(area_code, count=count, seed=POPULATION_SEED, today=INVENTED_ON))


async def seed(
    migrator_url: str,
    *,
    vault: Vault,
    password_hash: str,
    today: date,
    households_per_village: int = HOUSEHOLDS_PER_VILLAGE,
    villages: Sequence[str] = tuple(VILLAGES),
    progress: Callable[[int], None] | None = None,
) -> World:
    """Bring a migrated database to the demo's state. Everything new counts from the beginning of `today`.

    `password_hash` is that of every new account, so that a caller hashes once. `progress` is told how many more
    households are done. One transaction for the offices and people, one for each village.
    """
    database = OwnerDatabase(migrator_url)
    at = datetime.combine(today, time.min, _WIB)
    async with database.transaction() as connection:
        await connection.execute(_IN_TURN)
        policy_version_id = await _write_rules(connection, at=at)
        new_accounts = await _write_people(connection, password_hash=password_hash, at=at)
    invented_by_village = {code: invented(code, count=households_per_village) for code in villages}
    new_households = 0
    for of_village in invented_by_village.values():
        async with database.transaction() as connection:
            await connection.execute(_IN_TURN)
            new_households += await _write_village(connection, of_village, vault=vault, at=at)
        if progress is not None:
            progress(len(of_village))
    return World(
        policy_version_id=policy_version_id,
        offices={office.key: office.id for office in OFFICES},
        users={account.username: account.id for account in ACCOUNTS},
        households=invented_by_village,
        persons=tuple(
            person for of_village in invented_by_village.values() for person in registered_persons(of_village)
        ),
        new_accounts=new_accounts,
        new_households=new_households,
    )


async def _write_rules(connection: AsyncConnection, *, at: datetime) -> UUID:
    """Areas, calendar, and the nation's policy; the default one where none is in force, or one of before a kind.

    Its consultations last seconds: on a demo nobody is asked in earnest.
    """
    await load_areas(connection, list(regency(REGENCY)))
    await load_national_calendar(connection, years=range(at.year - 1, at.year + 3), at=at)
    try:
        in_force = await policy_in_force(connection, NATION, at=at)
    except NotFound:
        in_force = None
    if in_force is not None and all(map(in_force.policy.offers, Kind)):
        return in_force.id
    brisk = without_draws(default_policy()).model_copy(update={"publication": BRISK_PUBLICATION})
    return await add_version(connection, brisk, at=at, effective_at=at)


async def _write_people(connection: AsyncConnection, *, password_hash: str, at: datetime) -> int:
    offices = [
        {"id": office.id, "name": office.name, "tier": office.tier.value, "area_code": office.area_code}
        for office in OFFICES
    ]
    await connection.execute(upsert(Office).on_conflict_do_nothing(), offices)
    accounts = [
        {
            "id": account.id,
            "username": account.username,
            "display_name": account.display_name,
            "password_hash": password_hash,
            "created_at": at,
            "area_code": account.area_code,
        }
        for account in ACCOUNTS
    ]
    known = set(await connection.scalars(select(User.id)))
    await connection.execute(upsert(User).on_conflict_do_nothing(), accounts)
    await connection.execute(upsert(Membership).on_conflict_do_nothing(), _memberships(at))
    new = [account for account in ACCOUNTS if account.id not in known]
    for account in new:
        await _note_account(connection, account, at=at)
    return len(new)


async def _note_account(connection: AsyncConnection, account: DemoAccount, *, at: datetime) -> None:
    created = Entry(type=AuditType.ACCOUNT_CREATED, data={"username": account.username, "demo": True})
    await trail.record(connection, stream_of_account(account.id), [created], at=at, area_code=None)


def _memberships(at: datetime) -> list[dict[str, object]]:
    return [
        {
            "id": demo_id("membership", f"{account.username}/{seat.role}/{seat.area_code}"),
            "user_id": account.id,
            "role": seat.role.value,
            "office_id": demo_id("office", seat.office),
            "area_code": seat.area_code,
            "valid_from": at,
        }
        for account in ACCOUNTS
        for seat in account.seats
    ]


async def _write_village(
    connection: AsyncConnection,
    of_village: Sequence[Household],
    *,
    vault: Vault,
    at: datetime,
) -> int:
    wanted = [household.id for household in of_village]
    known = set(await connection.scalars(select(HouseholdRow.id).where(HouseholdRow.id.in_(wanted))))
    new = [household for household in of_village if household.id not in known]
    await write_households(connection, new, update_id=None, at=at, vault=vault)
    return len(new)
