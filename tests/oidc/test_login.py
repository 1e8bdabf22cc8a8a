"""A browser that goes to another issuer to sign in and comes back: the code flow over two real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from sqlalchemy import text

from services.browser_login import opened
from tests.api.accounts import trail_of
from tests.api.conftest import somebody_waits, until
from tests.api.served import Served, served
from tests.oidc.conftest import trusted
from tests.oidc.provider import CLIENT, SECRET, OpenIdProvider
from tests.scene import VAULT, Scene, user

pytestmark = pytest.mark.embedded

WHO = "operator.taraju"
LOGIN, CALLBACK = "/v1/auth/oidc/sso/login", "/v1/auth/oidc/sso/callback"
SESSION, WAY = "kawal_session", "kawal_login"


@pytest.fixture
async def site(scene: Scene, issuer: OpenIdProvider) -> AsyncIterator[Served]:
    """Kawal, with an issuer that people sign in with; the operator is bound by the name that it gives them."""
    issuer.people["siti"] = {"preferred_username": WHO}
    settings = trusted(issuer, client_id=CLIENT, client_secret=SECRET, binding="username", title="SSO Kabupaten")
    no_browsers = trusted(issuer, name="machines", issuer="https://machines.example.go.id")
    async with served(scene, oidc_issuers=(settings, no_browsers)) as site:
        issuer.add_client(CLIENT, callback=site.url + CALLBACK)
        yield site


@pytest.fixture
async def browser(site: Served) -> AsyncIterator[httpx2.AsyncClient]:
    async with site.browser() as browser:
        yield browser


async def begin(browser: httpx2.AsyncClient, **query: str) -> str:
    """Where the browser is sent to sign in."""
    answer = await browser.get(LOGIN, params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def at_issuer(address: str, issuer: OpenIdProvider, name: str = "siti") -> str:
    """Where the issuer sends the browser back to once somebody has signed in there."""
    issuer.sit_down(name)
    async with httpx2.AsyncClient(trust_env=False) as there:
        answer = await there.get(address)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def refused(browser: httpx2.AsyncClient, address: str) -> str:
    """The reason for which coming back signs nobody in."""
    answer = await browser.get(address)
    assert answer.status_code == 401, answer.text
    assert SESSION not in browser.cookies
    return answer.json()["data"]["reason"]


async def test_browser_is_signed_in_and_goes_on_where_it_was(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    (offered,) = (await browser.get("/v1/auth/oidc")).json()["items"]
    assert offered == {"name": "sso", "title": "SSO Kabupaten", "login": LOGIN}
    back = await at_issuer(await begin(browser, return_to="/v1/tasks?limit=5"), issuer)
    assert back.startswith(site.url + CALLBACK)
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/v1/tasks?limit=5")
    assert SESSION in browser.cookies
    assert WAY not in browser.cookies, "the way is done"
    me = (await browser.get("/v1/me")).json()
    assert me["id"] == str(user(WHO))
    event = await site.office.scene.one(
        "SELECT data FROM audit_events WHERE stream = :stream AND type = 'account.logged_in'",
        stream=f"account:{user(WHO)}",
    )
    assert event.data["issuer"] == issuer.url
    out = await browser.delete("/v1/auth/browser", headers=site.from_own_page)
    assert out.status_code == 204
    assert (await browser.get("/v1/me")).status_code == 401


async def test_what_is_asked_can_be_neither_guessed_nor_used_by_others(
    browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    asked = [parse_qs(urlsplit(await begin(browser)).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        first, second = (query[name][0] for query in asked)
        assert len(first) >= 43
        assert first != second
    (query, _) = asked
    assert (query["response_type"], query["code_challenge_method"]) == (["code"], ["S256"])
    assert query["client_id"] == [CLIENT]
    cookie = browser.cookies[WAY]
    assert asked[1]["state"][0] not in cookie
    assert SECRET not in str(asked)
    assert urlsplit(await begin(browser)).netloc == urlsplit(issuer.url).netloc


async def test_answer_that_another_browser_asked_for_signs_nobody_in(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    """Else somebody could have a browser signed in to their own account by a link."""
    back = await at_issuer(await begin(browser), issuer)
    async with site.browser() as victim:
        assert await refused(victim, back) == "login_unknown"
        await begin(victim)
        assert await refused(victim, back) == "state_mismatch"
    assert (await browser.get(back)).status_code == 303


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "another"}, "state_mismatch"),
        ({"state": ""}, "state_mismatch"),
        ({"iss": "https://evil.example"}, "token_wrong_issuer"),
        ({"code": "made up"}, "code_refused"),
        ({"code": ""}, "login_refused"),
        ({"error": "access_denied"}, "login_refused"),
    ],
)
async def test_answer_that_was_changed_signs_nobody_in(
    browser: httpx2.AsyncClient, issuer: OpenIdProvider, change: dict[str, str], reason: str
) -> None:
    back = await at_issuer(await begin(browser), issuer)
    query = dict(parse_qsl(urlsplit(back).query)) | change
    answer = await browser.get(CALLBACK, params=query)
    assert (answer.status_code, answer.json()["data"]) == (401, {"reason": reason})


async def test_code_is_good_once(browser: httpx2.AsyncClient, issuer: OpenIdProvider) -> None:
    back = await at_issuer(await begin(browser), issuer)
    way = browser.cookies[WAY]
    assert (await browser.get(back)).status_code == 303
    again = await browser.get(back, headers={"Cookie": f"{WAY}={way}"})
    assert (again.status_code, again.json()["data"]) == (401, {"reason": "code_refused"})


@pytest.mark.parametrize("change", [{"nonce": "another"}, {"verifier": "v" * 43}, {"issuer": "machines"}])
async def test_token_for_another_question_signs_nobody_in(
    browser: httpx2.AsyncClient, issuer: OpenIdProvider, change: dict[str, Any]
) -> None:
    """The cookie is the browser's own, but what it says was asked is not what was."""
    back = await at_issuer(await begin(browser), issuer)
    envelope = browser.cookies[WAY]
    asked = opened(envelope, VAULT).model_copy(update=change)
    answer = await browser.get(back, headers={"Cookie": f"{WAY}={asked.sealed(VAULT)}"})
    reasons = {"nonce": "nonce_mismatch", "verifier": "code_refused", "issuer": "state_mismatch"}
    (name,) = change
    assert (answer.status_code, answer.json()["data"]) == (401, {"reason": reasons[name]})


async def test_cookie_of_the_way_cannot_be_made_or_changed(browser: httpx2.AsyncClient, issuer: OpenIdProvider) -> None:
    back = await at_issuer(await begin(browser), issuer)
    way = browser.cookies[WAY]
    for forged in ("", "x", way[:-4], way[:-4] + "AAAA", "é" * 3):
        answer = await browser.get(back, headers={b"Cookie": f"{WAY}={forged}".encode()})
        assert (answer.status_code, answer.json()["data"]) == (401, {"reason": "login_unknown"}), forged


async def test_way_that_takes_too_long_begins_anew(browser: httpx2.AsyncClient, issuer: OpenIdProvider) -> None:
    back = await at_issuer(await begin(browser), issuer)
    late = opened(browser.cookies[WAY], VAULT)
    late = late.model_copy(update={"at": late.at.replace(year=late.at.year - 1)})
    answer = await browser.get(back, headers={"Cookie": f"{WAY}={late.sealed(VAULT)}"})
    assert answer.json()["data"] == {"reason": "login_unknown"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "",
        "evil",
        "/\tx",
        "/%0d\r\nx",
        "/é",
    ],
)
async def test_nobody_is_sent_on_to_another_site(browser: httpx2.AsyncClient, elsewhere: str) -> None:
    answer = await browser.get(LOGIN, params={"return_to": elsewhere})
    assert answer.status_code == 422
    assert answer.json()["violations"][0]["pointer"] == "/query/return_to"


async def test_somebody_who_has_no_account_is_not_let_in(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    issuer.people["pak.asep"] = {"name": "Asep"}
    assert await refused(browser, await at_issuer(await begin(browser), issuer, "pak.asep")) == "identity_unknown"
    back = await at_issuer(await begin(browser), issuer)
    await site.office.scene.rows("UPDATE users SET disabled = true WHERE username = :name RETURNING 1", name=WHO)
    assert await refused(browser, back) == "session_over"


async def test_taking_the_name_away_ends_the_session_that_it_began(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    await browser.get(await at_issuer(await begin(browser), issuer))
    assert (await browser.get("/v1/me")).status_code == 200
    scene = site.office.scene
    (bound,) = await scene.rows("SELECT id FROM foreign_identities WHERE user_id = :id", id=user(WHO))
    admin = await site.office.desk_of("admin")
    taken = await admin.delete(f"/v1/users/{user(WHO)}/identities/{bound.id}")
    assert taken.status_code == 204, taken.text
    assert (await browser.get("/v1/me")).status_code == 401
    session = await scene.one(
        "SELECT ended_because FROM sessions WHERE kind = 'browser' AND user_id = :id", id=user(WHO)
    )
    assert session.ended_because == "identity_unbound"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE users SET disabled = true WHERE username = :name",
        "DELETE FROM foreign_identities USING users u WHERE u.id = user_id AND u.username = :name",
    ],
)
async def test_signing_in_does_not_outlive_a_change_of_the_account_that_came_meanwhile(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider, change: str
) -> None:
    await browser.get(await at_issuer(await begin(browser), issuer))
    assert (await browser.delete("/v1/auth/browser", headers=site.from_own_page)).status_code == 204
    back = await at_issuer(await begin(browser), issuer)
    scene = site.office.scene
    async with scene.as_owner() as connection:
        await connection.execute(text(change), {"name": WHO})
        coming = asyncio.create_task(refused(browser, back))

        async def waits_or_is_answered() -> bool:
            return coming.done() or await somebody_waits(scene)

        await until(waits_or_is_answered)
    assert await coming == "account_disabled"
    alive = "SELECT id FROM sessions WHERE kind = 'browser' AND ended_at IS NULL AND user_id = :id"
    assert await scene.rows(alive, id=user(WHO)) == []


async def test_signing_in_straight_after_signing_out_everywhere_works(
    site: Served, browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    await browser.get(await at_issuer(await begin(browser), issuer))
    assert (await browser.delete("/v1/auth/sessions", headers=site.from_own_page)).status_code == 204
    answer = await browser.get(await at_issuer(await begin(browser), issuer))
    assert answer.status_code == 303, answer.text
    assert "account.signed_out_everywhere" in await trail_of(site.office, user(WHO))


async def test_issuer_that_is_away_and_issuers_that_are_not_there(
    browser: httpx2.AsyncClient, issuer: OpenIdProvider
) -> None:
    for name in ("unknown", "machines"):
        assert (await browser.get(f"/v1/auth/oidc/{name}/login")).status_code == 404
        assert (await browser.get(f"/v1/auth/oidc/{name}/callback")).status_code == 404
    await asyncio.to_thread(issuer.stop)
    away = await browser.get(LOGIN)
    assert (away.status_code, away.json()["code"]) == (503, "issuer_unavailable")
