"""How many requests a minute are answered, what the answers say of it, and how little of it the trail holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.conftest import Office, opened, settings_for
from tests.origins import addresses
from tests.scene import Scene, user

pytestmark = [pytest.mark.embedded, pytest.mark.usefixtures("one_minute")]

WHO = "operator.taraju"
LIMITS = {
    "rate_address": "12/minute",
    "rate_account": "4/minute",
    "rate_public": "3/minute",
    "rate_auth": "2/minute",
    "trusted_proxies": ("127.0.0.1", "10.0.0.0/8"),
}


@pytest.fixture
async def tight(scene: Scene) -> AsyncIterator[Office]:
    """The API with limits that a test reaches."""
    async with opened(scene, settings_for(scene).model_copy(update=LIMITS)) as office:
        yield office


async def get(office: Office, path: str, address: str = "203.0.113.1") -> Any:
    return await (await office.visitor()).get(path, headers={"X-Forwarded-For": address})


async def refusals(office: Office, stream: str) -> list[Any]:
    rows = await office.scene.rows(
        "SELECT data FROM audit_events WHERE stream = :stream AND type = 'access.refused' ORDER BY seq", stream=stream
    )
    return [row.data for row in rows]


async def test_an_address_that_asks_too_often_is_told_when_to_come_again(tight: Office) -> None:
    first = await get(tight, "/problems/not_found")
    assert first.headers["RateLimit-Policy"] == '"address";q=12;w=60'
    assert first.headers["RateLimit"].startswith('"address";r=11;t=')
    for _ in range(11):
        assert (await get(tight, "/problems/not_found")).status_code == 200
    refused = await get(tight, "/problems/not_found")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit"].startswith('"address";r=0;t=')
    assert refused.headers["X-Request-Id"]
    assert (await get(tight, "/problems/not_found", "203.0.113.2")).status_code == 200


@pytest.mark.parametrize(("path", "answers"), [("/public/track/AAAA-AAAA-AAAA-AAAA", [404] * 3 + [429])])
async def test_public_addresses_are_held_tighter(tight: Office, path: str, answers: list[int]) -> None:
    assert [(await get(tight, path)).status_code for _ in answers] == answers
    assert (await get(tight, "/problems/not_found")).status_code == 200


async def test_signing_in_is_held_tighter(tight: Office) -> None:
    visitor = await tight.visitor()
    form = {"grant_type": "refresh_token", "refresh_token": "kwr_x"}
    answers = [(await visitor.post("/v1/auth/token", data=form)).status_code for _ in range(3)]
    assert answers == [400, 400, 429]


async def test_an_account_is_counted_wherever_it_asks_from_and_others_are_not(tight: Office) -> None:
    desk, other = await tight.desk_of(WHO), await tight.desk_of("kades.taraju")
    answers = [
        (await desk.get("/v1/me", headers={"X-Forwarded-For": f"203.0.113.{number}"})).status_code
        for number in range(1, 6)
    ]
    assert answers == [200] * 4 + [429]
    assert (await other.get("/v1/me")).status_code == 200


async def test_probes_are_never_refused(tight: Office) -> None:
    assert {(await get(tight, "/healthz")).status_code for _ in range(20)} == {200}


async def test_only_a_trusted_proxy_names_the_address(tight: Office) -> None:
    through_two = "198.51.100.9, 203.0.113.50, 10.1.2.3"
    for number in range(12):
        assert (await get(tight, "/problems/not_found", f"198.51.100.{number}, {through_two}")).status_code == 200
    assert (await get(tight, "/problems/not_found", through_two)).status_code == 429
    assert (await get(tight, "/problems/not_found", "203.0.113.50")).status_code == 429, (
        "the last that no proxy of ours"
    )


async def test_without_a_trusted_proxy_the_connection_is_what_counts(scene: Scene) -> None:
    settings = settings_for(scene).model_copy(update=LIMITS | {"trusted_proxies": ()})
    async with opened(scene, settings) as office:
        answers = [(await get(office, "/problems/not_found", f"198.51.100.{n}")).status_code for n in range(13)]
    assert answers == [200] * 12 + [429]


async def test_refusals_are_written_down_once_a_minute_and_not_once_a_request(tight: Office) -> None:
    for _ in range(20):
        await get(tight, "/problems/not_found")
    assert await refusals(tight, "access") == [
        {"status": 429, "route": "unmatched", "window": 60},
    ]


async def test_what_somebody_may_not_do_is_written_in_their_own_trail(office: Office) -> None:
    desk = await office.desk_of(WHO)
    for _ in range(3):
        assert (await desk.post("/v1/policies/drafts", json={"policy": {}})).status_code == 403
    assert await refusals(office, f"account:{user(WHO)}") == [
        {"status": 403, "route": "/v1/policies/drafts", "window": 60},
    ]


async def test_hosts_of_one_network_are_one_stranger_and_one_account_is_one_from_everywhere(office: Office) -> None:
    for host in range(1, 6):
        assert (await get(office, "/v1/me", f"2001:db8:1::{host}")).status_code == 401
    assert (await get(office, "/v1/me", "2001:db8:2::1")).status_code == 401
    assert await addresses(office.scene, "access", "access.refused") == ["2001:db8:1::1", "2001:db8:2::1"]
    desk = await office.desk_of(WHO)
    for host in range(1, 6):
        refused = await desk.post(
            "/v1/policies/drafts", json={"policy": {}}, headers={"X-Forwarded-For": f"203.0.113.{host}"}
        )
        assert refused.status_code == 403
    assert await addresses(office.scene, f"account:{user(WHO)}", "access.refused") == ["203.0.113.1"]


async def test_a_flood_of_strangers_keeps_nothing_of_accounts_out_of_the_trail(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.refusals.MOST_PER_WINDOW", 3)
    for number in range(1, 7):
        assert (await get(office, "/v1/me", f"203.0.113.{number}")).status_code == 401
    assert len(await refusals(office, "access")) == 3
    assert (await (await office.desk_of(WHO)).post("/v1/policies/drafts", json={"policy": {}})).status_code == 403
    assert len(await refusals(office, f"account:{user(WHO)}")) == 1


async def test_limits_can_be_switched_off(scene: Scene) -> None:
    settings = settings_for(scene).model_copy(update=dict.fromkeys(LIMITS, None) | {"trusted_proxies": ()})
    async with opened(scene, settings) as office:
        answer = await get(office, "/problems/not_found")
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
