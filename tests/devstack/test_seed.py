"""The demo data: the same everywhere, safe to repeat, and enough for every route to find its deciders."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from db.models import Area, Calendar, Household, HouseholdMember, Membership, PolicyVersion, User
from db.owner import OwnerDatabase
from db.repositories.people import find_candidates, read_actor
from db.repositories.registry import known_elsewhere, read_household
from db.repositories.rules import Rules
from db.session import Database, Viewer
from db.vault import Vault
from devstack.demo_people import ACCOUNTS, CIKUBANG, DEUDEUL, OFFICES, TARAJU, VILLAGES
from devstack.partners.civil_registry import MatchQuery, compare
from devstack.partners.persons import Person, PersonStore
from devstack.postgres import DatabaseUrls
from devstack.registry_persons import DEVIATIONS, Deviation, registered_persons, store_new_persons
from devstack.seed import World, invented, seed
from domain.authority import Actor, covers
from domain.keyring import IndexRing, KeyRing, generate
from domain.policy import default_policy
from domain.vocabulary import AreaLevel, Role, Stage
from services.administration.proof import prove

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def vault() -> Vault:
    return Vault(KeyRing.parse(generate(), setting="fields"), IndexRing.parse(generate(), setting="index"))


async def plant(urls: DatabaseUrls, vault: Vault, *, households: int = 1, today: date = TODAY) -> World:
    return await seed(
        urls.migrator,
        vault=vault,
        password_hash="hash",
        today=today,
        households_per_village=households,
    )


async def count(urls: DatabaseUrls, *models: type) -> list[int | None]:
    async with OwnerDatabase(urls.migrator).transaction() as connection:
        return [await connection.scalar(select(func.count()).select_from(model)) for model in models]


async def test_seeding_twice_changes_nothing(database: DatabaseUrls, vault: Vault) -> None:
    tables = (Area, User, Membership, Household, HouseholdMember, PolicyVersion, Calendar)
    first = await plant(database, vault)
    before = await count(database, *tables)
    again = await plant(database, vault)
    assert await count(database, *tables) == before
    assert (first.new_accounts, first.new_households) == (len(ACCOUNTS), len(VILLAGES))
    assert (again.new_accounts, again.new_households) == (0, 0)
    assert again.households == first.households


async def test_seeding_on_a_later_day_finds_the_same_people(database: DatabaseUrls, vault: Vault) -> None:
    first = await plant(database, vault)
    later = await plant(database, vault, today=date(2026, 11, 24))
    assert later.new_households == 0
    assert later.persons == first.persons


async def test_more_households_are_added_to_those_that_are_there(database: DatabaseUrls, vault: Vault) -> None:
    await plant(database, vault)
    grown = await plant(database, vault, households=3)
    assert grown.new_households == 2 * len(VILLAGES)


async def test_what_people_changed_since_is_left_alone(database: DatabaseUrls, vault: Vault) -> None:
    world = await plant(database, vault)
    async with OwnerDatabase(database.migrator).transaction() as connection:
        await connection.execute(update(User).where(User.username == "kadis").values(password_hash="changed"))
        await connection.execute(update(Area).where(Area.code == TARAJU).values(remoteness=2))
        await connection.execute(
            update(Household).where(Household.id == world.households[TARAJU][0].id).values(desil=1)
        )
    await plant(database, vault)
    async with OwnerDatabase(database.migrator).transaction() as connection:
        assert await connection.scalar(select(User.password_hash).where(User.username == "kadis")) == "changed"
        assert await connection.scalar(select(Area.remoteness).where(Area.code == TARAJU)) == 2
        wanted = select(Household.desil).where(Household.id == world.households[TARAJU][0].id)
        assert await connection.scalar(wanted) == 1


async def test_households_open_as_they_were_invented_and_are_found_by_number(
    database: DatabaseUrls,
    vault: Vault,
) -> None:
    world = await plant(database, vault, households=2)
    household = world.households[CIKUBANG][1]
    async with OwnerDatabase(database.migrator).transaction() as connection:
        assert await read_household(connection, household.id, vault=vault) == household
        found = await known_elsewhere(
            connection,
            {"kk": [household.kk_number]},
            household_id=None,
            update_id=None,
            vault=vault,
        )
    assert found == [(household.kk_number, "household", CIKUBANG)]


async def test_every_account_has_its_seats_at_once(database: DatabaseUrls, vault: Vault) -> None:
    world = await plant(database, vault)
    actors = {name: await actor(database, world, name) for name in world.users}
    assert [seat.role for seat in actors["operator.taraju"].seats] == [Role.VILLAGE_OPERATOR]
    assert {seat.area_code for seat in actors["admin"].seats} == {"32.06", "*"}
    assert {seat.role for seat in actors["serba.deudeul"].seats} == {Role.VILLAGE_OPERATOR, Role.PUSKESOS_OFFICER}
    assert set(world.offices.values()) >= {seat.office_id for actor in actors.values() for seat in actor.seats}


async def actor(urls: DatabaseUrls, world: World, username: str) -> Actor:
    app = Database(urls.app, application="test")
    try:
        async with app.transaction(Viewer.nobody()) as connection:
            return await read_actor(connection, world.users[username], at=NOW)
    finally:
        await app.close()


def test_every_account_sits_in_an_office_that_covers_its_area() -> None:
    offices = {office.key: office for office in OFFICES}
    seats = [seat for account in ACCOUNTS for seat in account.seats]
    assert all(covers(offices[seat.office].area_code, seat.area_code) for seat in seats)


@pytest.mark.parametrize("village", [TARAJU, CIKUBANG])
async def test_every_stage_of_the_default_policy_has_somebody_to_decide(
    database: DatabaseUrls,
    vault: Vault,
    village: str,
) -> None:
    await plant(database, vault)
    async with OwnerDatabase(database.migrator).transaction() as connection:
        for stage in (Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT, Stage.REPAIR):
            deciders = default_policy().stage(stage).deciders
            assert await find_candidates(connection, roles=deciders, area_code=village, at=NOW), stage


async def test_in_deudeul_only_the_operator_could_verify(database: DatabaseUrls, vault: Vault) -> None:
    world = await plant(database, vault)
    async with OwnerDatabase(database.migrator).transaction() as connection:
        officers = await find_candidates(connection, roles=[Role.PUSKESOS_OFFICER], area_code=DEUDEUL, at=NOW)
    assert {officer.user_id for officer in officers} == {world.users["serba.deudeul"]}


async def test_calendar_and_policy_are_in_force_for_a_village(database: DatabaseUrls, vault: Vault) -> None:
    world = await plant(database, vault)
    rules = Rules()
    async with OwnerDatabase(database.migrator).transaction() as connection:
        assert (await rules.policy_in_force(connection, TARAJU, at=NOW)).id == world.policy_version_id
        calendar = await rules.calendar(connection, TARAJU)
        villages = await connection.scalar(select(func.count()).where(Area.level == AreaLevel.VILLAGE))
    assert not calendar.is_working_day(date(2026, 8, 17))
    assert calendar.zone == "Asia/Jakarta"
    assert villages == 351


async def test_what_seeding_leaves_in_the_trail_is_whole(database: DatabaseUrls, vault: Vault) -> None:
    await plant(database, vault)
    async with OwnerDatabase(database.migrator).transaction(snapshot=True) as connection:
        verdict = await prove(connection)
    assert (verdict.streams, verdict.flaws) == (len(ACCOUNTS) + 2, [])


def test_the_registry_differs_where_it_is_meant_to_and_nowhere_else() -> None:
    village = invented(TARAJU)
    registered = {person.nik: person for person in registered_persons(village)}
    answers = {place: _match_head(place, registered) for place, household in enumerate(village) if household.head}
    expected = {
        Deviation.NAME_DIFFERS: ("mismatched", ("name",)),
        Deviation.BIRTH_DATE_DIFFERS: ("mismatched", ("birth_date",)),
        Deviation.CARD_DIFFERS: ("mismatched", ("kk_number",)),
        Deviation.DECEASED: ("deceased", ()),
        Deviation.UNKNOWN: ("not_found", ()),
    }
    found = {DEVIATIONS[place]: answers.pop(place) for place in DEVIATIONS}
    assert found == expected
    assert {answer for place, answer in answers.items() if place % 20 not in DEVIATIONS} <= {("matched", ()), None}


def _match_head(place: int, registered: dict[str, Person]) -> tuple[str, tuple[str, ...]] | None:
    household = invented(TARAJU)[place]
    head = household.head
    if head is None or head.nik is None:
        return None
    query = MatchQuery(
        nik=head.nik,
        kk_number=household.kk_number,
        name=head.name,
        birth_date=head.birth_date,
        sex=head.sex.value,
    )
    return compare(query, registered.get(head.nik))


def test_persons_are_entered_once_and_later_changes_to_them_stay(tmp_path: Path) -> None:
    file = tmp_path / "partners" / "civil_registry.sqlite"
    persons = list(registered_persons(invented(TARAJU, count=3)))
    assert store_new_persons(file, persons) == len(persons)
    store = PersonStore(file)
    store.put([persons[0].model_copy(update={"name": "Nama Lain"})])
    assert store_new_persons(file, persons) == 0
    kept = store.get(persons[0].nik)
    store.close()
    assert kept is not None
    assert kept.name == "Nama Lain"


async def test_two_seedings_at_once_make_everything_once(database: DatabaseUrls, vault: Vault) -> None:
    worlds = await asyncio.gather(*(plant(database, vault) for _ in range(2)))
    assert sum(world.new_households for world in worlds) == len(VILLAGES)
    assert sum(world.new_accounts for world in worlds) == len(ACCOUNTS)
    assert await count(database, Calendar, PolicyVersion) == [1, 1]
