"""Failed attempts to sign in: pauses that grow, for a name and for an address, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.security.passwords import PasswordHasher
from db.owner import OwnerDatabase
from services.administration import accounts
from tests.api.accounts import give_password, log_in, set_clock, trail_of
from tests.api.conftest import Office, opened, settings_for
from tests.origins import addresses
from tests.scene import user

pytestmark = pytest.mark.embedded

WHO = "operator.taraju"


@pytest.fixture(autouse=True)
async def cheap(office: Office) -> AsyncIterator[None]:
    """Passwords that cost next to nothing to check, and one of them for the operator."""
    hasher = PasswordHasher(memory_kib=8, passes=1)
    office.app.state.front = replace(office.app.state.front, passwords=hasher)
    await give_password(office, WHO)
    yield
    hasher.close()


async def fail(office: Office, username: str = WHO, *, address: str | None = None) -> Any:
    visitor = await office.visitor()
    form = {"grant_type": "password", "username": username, "password": "wrong"}
    return await visitor.post("/v1/auth/token", data=form, headers={"X-Forwarded-For": address} if address else {})


async def pauses(office: Office, username: str, *, failures: int, began: datetime) -> list[int]:
    """The pauses after each failed attempt past the free ones, waiting each out."""
    at, seen = began, list[int]()
    for _ in range(failures):
        set_clock(office, at)
        assert (await fail(office, username)).status_code == 400
        refused = await fail(office, username)
        seen.append(int(refused.headers.get("Retry-After", 0)))
        at += timedelta(seconds=seen[-1])
    return seen


@pytest.mark.parametrize("username", [WHO, "nobody.at.all"])
async def test_pauses_double_up_to_the_longest_for_a_known_and_an_unknown_name_alike(
    office: Office, username: str
) -> None:
    began = office.app.state.front.kawal.now()
    set_clock(office, began)
    for _ in range(4):
        assert (await fail(office, username)).status_code == 400
    seen = await pauses(office, username, failures=10, began=began)
    assert seen == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


async def test_a_paused_name_is_refused_in_the_same_words_whether_it_exists_or_not(office: Office) -> None:
    set_clock(office, office.app.state.front.kawal.now())
    told: list[dict[str, Any]] = []
    for username in (WHO, "nobody.at.all"):
        for _ in range(5):
            await fail(office, username)
        refused = await fail(office, username)
        told.append({key: value for key, value in refused.json().items() if key != "instance"})
    assert told[0]["code"] == "sign_in_paused"
    assert told[0] == told[1]


async def test_the_right_password_is_refused_during_a_pause_and_forgets_the_failures_after_it(office: Office) -> None:
    began = office.app.state.front.kawal.now()
    set_clock(office, began)
    for _ in range(5):
        await fail(office)
    assert (await log_in(await office.visitor(), WHO)).status_code == 429
    set_clock(office, began + timedelta(seconds=5))
    assert (await log_in(await office.visitor(), WHO)).status_code == 200
    for _ in range(5):
        assert (await fail(office)).status_code == 400
    told = await trail_of(office, user(WHO))
    assert told.count("account.paused") == 2
    assert told.count("account.login_refused") == 10


async def test_many_attempts_at_once_get_no_more_tries_than_one_after_another(office: Office) -> None:
    answers = await asyncio.gather(*(fail(office) for _ in range(20)))
    assert [answer.status_code for answer in answers].count(400) == 5


async def test_two_processes_of_the_api_count_together(office: Office) -> None:
    async with opened(office.scene, settings_for(office.scene)) as other:
        for process in (office, other, office, other, office):
            assert (await fail(process)).status_code == 400
        assert (await fail(other)).status_code == 429


async def test_an_address_that_tries_many_names_is_paused_and_others_are_not(office: Office) -> None:
    set_clock(office, office.app.state.front.kawal.now())
    for number in range(50):
        assert (await fail(office, f"name.{number}", address="203.0.113.7")).status_code == 400
    assert (await fail(office, "another", address="203.0.113.7")).status_code == 429
    assert (await fail(office, "another", address="203.0.113.8")).status_code == 400
    assert await addresses(office.scene, "access", "access.paused") == ["203.0.113.7"]


async def test_one_right_password_does_not_wash_an_address_clean(office: Office) -> None:
    set_clock(office, office.app.state.front.kawal.now())
    for number in range(49):
        await fail(office, f"name.{number}")
    assert (await log_in(await office.visitor(), WHO)).status_code == 200
    assert (await fail(office, "name.49")).status_code == 400
    assert (await fail(office, "name.50")).status_code == 429


async def test_hosts_of_one_network_of_ipv6_are_one_address(office: Office) -> None:
    set_clock(office, office.app.state.front.kawal.now())
    for number in range(50):
        await fail(office, f"name.{number}", address=f"2001:db8::{number + 1:x}")
    assert (await fail(office, "another", address="2001:db8::ffff")).status_code == 429
    assert (await fail(office, "another", address="2001:db8:0:1::1")).status_code == 400


async def test_an_administrator_lifts_the_pause(office: Office) -> None:
    now = office.app.state.front.kawal.now()
    set_clock(office, now)
    for _ in range(5):
        await fail(office)
    async with OwnerDatabase(office.scene.urls.migrator).transaction() as connection:
        assert await accounts.unlock(connection, WHO, at=now)
    assert (await log_in(await office.visitor(), WHO)).status_code == 200
    assert "account.unlocked" in await trail_of(office, user(WHO))


async def test_old_failures_are_forgotten_and_typed_names_are_not_kept(office: Office) -> None:
    began = office.app.state.front.kawal.now()
    set_clock(office, began)
    for _ in range(4):
        await fail(office, "a password typed in the wrong field")
    rows = await office.scene.rows("SELECT subject FROM sign_in_tallies")
    assert not any("password" in row.subject for row in rows)
    set_clock(office, began + timedelta(days=1, seconds=1))
    await fail(office)
    left = await office.scene.rows("SELECT failures FROM sign_in_tallies ORDER BY subject")
    assert [row.failures for row in left] == [1, 1]
