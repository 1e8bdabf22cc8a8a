"""Browsers that sign in: the cookie, whose page may have them do something, and how a session ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from domain.ids import new_id
from domain.sessions import digest_of
from domain.sites import is_from_site, origin_of
from runtime.settings import Settings
from tests.api.accounts import PASSWORD, give_password, set_clock, signed_in, trail_of
from tests.api.conftest import Office, opened, settings_for
from tests.api.served import Served, served
from tests.scene import Scene, user

pytestmark = pytest.mark.embedded

WHO = "operator.taraju"
COOKIE = "kawal_session"


@pytest.fixture
async def site(scene: Scene) -> AsyncIterator[Served]:
    async with served(scene) as site:
        await give_password(site.office, WHO)
        yield site


@pytest.fixture
async def browser(site: Served) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in which the operator is signed in."""
    async with site.browser() as browser:
        assert (await sign_in(site, browser)).status_code == 200
        yield browser


async def sign_in(site: Served, browser: httpx2.AsyncClient, password: str = PASSWORD, **headers: str) -> Any:
    credentials = {"username": WHO, "password": password}
    return await browser.post("/v1/auth/browser", json=credentials, headers=site.from_own_page | headers)


async def status(browser: httpx2.AsyncClient) -> int:
    return (await browser.get("/v1/me")).status_code


async def another_sign_in(site: Served) -> dict[str, str]:
    """The header of a program that the same person is signed in with."""
    return {"Authorization": f"Bearer {(await signed_in(site.office, WHO))['access_token']}"}


def sent_cookie(answer: httpx2.Response, name: str) -> Any:
    """A cookie as the answer sets it, with its flags."""
    held = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        held.load(line)
    return held[name]


async def test_name_and_password_give_a_cookie_that_no_script_reads(site: Served) -> None:
    async with site.browser() as browser:
        answer = await sign_in(site, browser)
        cookie = sent_cookie(answer, COOKIE)
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "lax", "/", "")
        assert cookie["max-age"] == cookie["expires"] == "", "gone when the browser is closed"
        assert cookie.value not in answer.text
        me = await browser.get("/v1/me")
        assert (me.status_code, me.json()["id"]) == (200, str(user(WHO)))
        sessions = (await browser.get("/v1/auth/sessions")).json()["items"]
        (current,) = [session for session in sessions if session["current"]]
        assert (current["id"], current["kind"]) == (answer.json()["session_id"], "browser")
    row = await site.office.scene.one("SELECT s::text AS written FROM sessions s WHERE kind = 'browser'")
    assert cookie.value not in row.written
    assert digest_of(cookie.value).hex() in row.written
    assert (await trail_of(site.office, user(WHO)))[-1] == "account.logged_in"


async def test_wrong_password_gives_no_cookie_and_counts_as_any_other(site: Served) -> None:
    async with site.browser() as browser:
        for _ in range(5):
            answer = await sign_in(site, browser, "wrong")
            assert (answer.status_code, answer.json()["data"]) == (401, {"reason": "credentials_refused"})
            assert "set-cookie" not in answer.headers
        paused = await sign_in(site, browser)
        assert (paused.status_code, paused.json()["code"]) == (429, "sign_in_paused")
    events = await trail_of(site.office, user(WHO))
    assert events[-6:] == ["account.login_refused"] * 5 + ["account.paused"]


async def test_what_is_made_up_is_no_cookie(site: Served) -> None:
    async with site.browser() as browser:
        for value in ("kws_" + "A" * 43, "x", "%00", '"'):
            answer = await browser.get("/v1/me", headers={"Cookie": f"{COOKIE}={value}"})
            assert answer.status_code == 401, value


SITE = "https://kawal.example.go.id"


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"origin": SITE, "fetch_site": "same-origin"}, True),
        ({"origin": SITE}, True),
        ({"referer": f"{SITE}/tasks?x=1"}, True),
        ({"referer": f"{SITE}/tasks", "fetch_site": "same-origin"}, True),
        ({}, False),
        ({"fetch_site": "same-origin"}, False),
        ({"origin": SITE, "fetch_site": "cross-site"}, False),
        ({"origin": SITE, "fetch_site": "same-site"}, False),
        ({"origin": SITE, "fetch_site": "none"}, False),
        ({"origin": SITE, "fetch_site": ""}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://evil.example", "referer": f"{SITE}/"}, False),
        ({"origin": "null", "referer": f"{SITE}/"}, False),
        ({"origin": "", "referer": f"{SITE}/"}, False),
        ({"origin": "http://kawal.example.go.id"}, False),
        ({"origin": f"{SITE}:8443"}, False),
        ({"origin": f"{SITE}.evil.example"}, False),
        ({"origin": "https://other.example.go.id"}, False),
        ({"referer": f"{SITE}.evil.example/"}, False),
        ({"referer": f"https://evil.example/?{SITE}"}, False),
        ({"referer": "https://kawal.example.go.id@evil.example/"}, False),
        ({"referer": "https://kawal.example.go.id:x/"}, False),
    ],
)
def test_page_is_known_by_what_browsers_say_of_it(headers: dict[str, str], *, own: bool) -> None:
    said = {"fetch_site": None, "origin": None, "referer": None} | headers
    assert is_from_site(SITE, **said) is own


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Kawal.example.go.id:443/x", SITE),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("ftp://kawal.example.go.id", None),
        ("about:blank", None),
        ("https://x:99999/", None),
    ],
)
def test_origin_is_written_as_browsers_do(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_browser_changes_nothing_for_a_page_of_another_site(
    site: Served, browser: httpx2.AsyncClient, method: str
) -> None:
    path = {
        "POST": "/v1/updates",
        "PUT": f"/v1/users/{new_id()}/password",
        "PATCH": f"/v1/users/{new_id()}",
        "DELETE": f"/v1/auth/sessions/{new_id()}",
    }[method]
    foreign: tuple[dict[str, str], ...] = (
        {},
        {"Origin": "https://evil.example"},
        site.from_own_page | {"Sec-Fetch-Site": "cross-site"},
    )
    for headers in foreign:
        answer = await browser.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request"), headers
    own = await browser.request(method, path, json={}, headers=site.from_own_page | {"Idempotency-Key": "k"})
    assert own.json()["code"] != "cross_site_request"
    assert own.status_code in {403, 404, 422}, "who they are has been asked next"


async def test_every_unsafe_route_refuses_a_cookie_from_another_site(browser: httpx2.AsyncClient) -> None:
    document = (await browser.get("/openapi.json")).json()
    tried = 0
    for path, operations in document["paths"].items():
        for method in set(operations) - {"get", "head"}:
            if not any("APIKeyCookie" in scheme for scheme in operations[method].get("security", [])):
                continue
            where = path
            for name in ("{" + part.split("}")[0] + "}" for part in path.split("{")[1:]):
                where = where.replace(name, str(new_id()))
            answer = await browser.request(method, where, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["code"] == "cross_site_request", (method, path)
            tried += 1
    assert tried > 30


async def test_signing_in_and_out_has_to_come_from_a_page_of_the_site_too(site: Served) -> None:
    """Else another site could sign somebody's browser in to the attacker's account."""
    async with site.browser() as browser:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await sign_in(site, browser, **headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")
            assert "set-cookie" not in answer.headers
        assert (await sign_in(site, browser)).status_code == 200
        assert (await browser.delete("/v1/auth/browser")).status_code == 403
        assert await status(browser) == 200


async def test_cookie_and_access_token_together_are_refused(site: Served, browser: httpx2.AsyncClient) -> None:
    bearer = await another_sign_in(site)
    mixed = await browser.get("/v1/me", headers=bearer)
    assert (mixed.status_code, mixed.json()["data"]) == (401, {"reason": "credentials_mixed"})
    async with site.browser() as program:
        assert (await program.get("/v1/me", headers=bearer)).status_code == 200
        answer = await program.delete(f"/v1/auth/sessions/{new_id()}", headers=bearer)
        assert answer.status_code == 404, "a token needs no page"


async def test_signing_out_ends_the_session_and_forgets_the_cookie(site: Served, browser: httpx2.AsyncClient) -> None:
    cookie = browser.cookies[COOKIE]
    answer = await browser.delete("/v1/auth/browser", headers=site.from_own_page)
    assert answer.status_code == 204
    assert sent_cookie(answer, COOKIE)["max-age"] == "0"
    assert COOKIE not in browser.cookies
    again = await browser.get("/v1/me", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert (again.status_code, again.json()["data"]) == (401, {"reason": "session_over"})
    assert (await browser.delete("/v1/auth/browser", headers=site.from_own_page)).status_code == 204
    assert (await trail_of(site.office, user(WHO)))[-1] == "account.session_ended"


async def test_signing_in_again_renews_the_session_and_ends_the_one_before(
    site: Served, browser: httpx2.AsyncClient
) -> None:
    before = browser.cookies[COOKIE]
    answer = await sign_in(site, browser)
    assert answer.status_code == 200
    assert browser.cookies[COOKIE] != before
    assert await status(browser) == 200
    async with site.browser() as other:
        assert (await other.get("/v1/me", headers={"Cookie": f"{COOKIE}={before}"})).status_code == 401


async def test_cookie_that_somebody_planted_is_not_carried_over(site: Served) -> None:
    async with site.browser() as browser:
        planted = "kws_" + "A" * 43
        answer = await sign_in(site, browser, Cookie=f"{COOKIE}={planted}")
        assert sent_cookie(answer, COOKIE).value != planted


@pytest.mark.parametrize("how", ["everywhere", "password", "disabled", "elsewhere"])
async def test_session_of_a_browser_ends_as_any_other(site: Served, browser: httpx2.AsyncClient, how: str) -> None:
    rows = site.office.scene.rows
    match how:
        case "everywhere":
            assert (await browser.delete("/v1/auth/sessions", headers=site.from_own_page)).status_code == 204
        case "password":
            await give_password(site.office, WHO, "another password")
        case "disabled":
            await rows("UPDATE users SET disabled = true WHERE username = :name RETURNING 1", name=WHO)
        case _:
            row = await site.office.scene.one("SELECT id FROM sessions WHERE kind = 'browser'")
            async with site.browser() as program:
                bearer = await another_sign_in(site)
                assert (await program.delete(f"/v1/auth/sessions/{row.id}", headers=bearer)).status_code == 204
    assert await status(browser) == 401


async def test_session_lives_while_it_is_used_and_no_longer_than_it_may(
    site: Served, browser: httpx2.AsyncClient
) -> None:
    front = site.office.app.state.front
    begun = front.kawal.now()

    async def ask(*, hours: float) -> int:
        set_clock(site.office, begun + timedelta(hours=hours))
        answer = await status(browser)
        await front.session_uses.settle()
        return answer

    assert [await ask(hours=hours) for hours in (20, 40, 60, 83)] == [200] * 4
    assert await ask(hours=83 + 25) == 401, "a day without use"
    set_clock(site.office, begun)
    async with site.browser() as other:
        await sign_in(site, other)
        browser.cookies.update(other.cookies)
    assert [await ask(hours=20 * turn) for turn in range(1, 9)] == [200] * 8
    assert await ask(hours=7 * 24 + 1) == 401, "a week in any case"


async def test_uses_within_a_minute_are_not_written(site: Served, browser: httpx2.AsyncClient) -> None:
    front = site.office.app.state.front
    row = await site.office.scene.one("SELECT seen_at FROM sessions WHERE kind = 'browser'")
    begun, seen = row.seen_at, list[int]()
    for seconds in (1, 59, 62, 100, 123):
        set_clock(site.office, begun + timedelta(seconds=seconds))
        assert await status(browser) == 200
        await front.session_uses.settle()
        row = await site.office.scene.one("SELECT seen_at FROM sessions WHERE kind = 'browser'")
        seen.append(round((row.seen_at - begun).total_seconds()))
    assert seen == [0, 0, 62, 62, 123]


async def test_behind_tls_the_cookie_is_the_hosts_own(scene: Scene) -> None:
    settings = settings_for(scene).model_copy(update={"public_url": SITE})
    async with opened(scene, settings) as office:
        await give_password(office, WHO)
        visitor = await office.visitor()
        headers = {"Origin": SITE, "Sec-Fetch-Site": "same-origin"}
        credentials = {"username": WHO, "password": PASSWORD}
        answer = await visitor.post("/v1/auth/browser", json=credentials, headers=headers)
        cookie = sent_cookie(answer, "__Host-kawal_session")
        flags = (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"])
        assert flags == (True, True, "lax", "/", "")
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        for name, expected in (("__Host-kawal_session", 200), ("kawal_session", 401)):
            await _ask_with(office, f"{name}={cookie.value}", expected=expected)


async def _ask_with(office: Office, cookie: str, *, expected: int) -> None:
    answer = await (await office.visitor()).get("/v1/me", headers={"Cookie": cookie})
    assert answer.status_code == expected, cookie


@pytest.mark.parametrize("public_url", [SITE, "http://kawal.example.go.id", "http://10.0.0.1"])
def test_cookies_over_an_open_line_are_for_loopback_alone(scene: Scene, public_url: str) -> None:
    values = settings_for(scene).model_dump() | {"insecure_cookies": True}
    assert Settings.model_validate(values | {"public_url": "http://localhost:8080"})
    with pytest.raises(ValidationError, match="KAWAL_INSECURE_COOKIES"):
        Settings.model_validate(values | {"public_url": public_url})
