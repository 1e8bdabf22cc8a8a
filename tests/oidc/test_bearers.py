"""People who come with a token of another issuer: which account they are, and that it gives them no authority."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from domain.ids import new_id
from tests.api.accounts import set_clock, trail_of
from tests.api.conftest import Office, opened, settings_for
from tests.oidc.conftest import parts, trusted
from tests.oidc.provider import OpenIdProvider
from tests.scene import Scene, user

pytestmark = pytest.mark.embedded

WHO = "operator.taraju"
HOLDER = str(user(WHO))


@asynccontextmanager
async def office_with(scene: Scene, issuer: OpenIdProvider, **more: Any) -> AsyncGenerator[Office]:
    settings = settings_for(scene).model_copy(update={"oidc_issuers": (trusted(issuer, **more),)})
    async with opened(scene, settings) as office:
        yield office


@pytest.fixture
async def trusting(scene: Scene, issuer: OpenIdProvider) -> AsyncIterator[Office]:
    """Kawal trusts the issuer, and lets administrators alone bind accounts."""
    async with office_with(scene, issuer) as office:
        yield office


async def token_of(issuer: OpenIdProvider, name: str = "siti") -> str:
    return await asyncio.to_thread(issuer.token_of, name)


async def ask(office: Office, token: str, path: str = "/v1/me", *, method: str = "GET") -> Any:
    visitor = await office.visitor()
    return await visitor.request(method, path, headers={"Authorization": f"Bearer {token}"})


async def whose(office: Office, token: str) -> str:
    """The id of the account, or the reason for which there is none."""
    answer = await ask(office, token)
    return answer.json()["id"] if answer.status_code == 200 else answer.json()["data"]["reason"]


async def administer(office: Office, method: str, path: str, body: Any = None, *, by: str = "admin") -> Any:
    desk = await office.desk_of(by)
    return await desk.request(method, path, json=body, headers={"Idempotency-Key": str(new_id())})


async def bind(office: Office, issuer: OpenIdProvider, name: str = "siti", *, to: str = WHO) -> Any:
    answer = await ask(office, await token_of(issuer, name))
    assert answer.json()["data"] == {"reason": "identity_unknown"}
    subject = _subject(await token_of(issuer, name))
    path = f"/v1/users/{user(to)}/identities"
    return await administer(office, "POST", path, {"issuer": "sso", "subject": subject})


def _subject(token: str) -> str:
    return parts(token)[1]["sub"]


async def test_administrator_binds_an_account_and_the_token_lets_in(trusting: Office, issuer: OpenIdProvider) -> None:
    bound = await bind(trusting, issuer)
    assert bound.status_code == 201, bound.text
    token = await token_of(issuer)
    me = (await ask(trusting, token)).json()
    assert (me["id"], me["areas"]) == (HOLDER, ["32.06.13.2001"])
    listed = await administer(trusting, "GET", f"/v1/users/{HOLDER}/identities")
    assert [(item["issuer"], item["id"]) for item in listed.json()["items"]] == [(issuer.url, bound.json()["id"])]
    path = f"/v1/users/{HOLDER}/identities/{bound.json()['id']}"
    assert (await administer(trusting, "DELETE", path)).status_code == 204
    assert await whose(trusting, token) == "identity_unknown"
    assert (await administer(trusting, "DELETE", path)).status_code == 404
    events = await trail_of(trusting, user(WHO), like="account.identity%")
    assert events == ["account.identity_bound", "account.identity_unbound"]


async def test_claims_of_roles_give_nothing(trusting: Office, issuer: OpenIdProvider) -> None:
    issuer.more_claims = {
        "role": "administrator",
        "roles": ["administrator"],
        "scope": "area:people:manage",
        "realm_access": {"roles": ["administrator"]},
        "area_code": "*",
    }
    await bind(trusting, issuer)
    token = await token_of(issuer)
    assert "area:people:manage" not in (await ask(trusting, token)).json()["permissions"]
    assert (await ask(trusting, token, "/v1/users")).status_code == 403
    await trusting.scene.rows("UPDATE memberships SET valid_to = now() WHERE user_id = :id RETURNING 1", id=user(WHO))
    assert (await ask(trusting, token)).json()["seats"] == []


async def test_disabled_account_is_refused(trusting: Office, issuer: OpenIdProvider) -> None:
    await bind(trusting, issuer)
    token = await token_of(issuer)
    assert await whose(trusting, token) == HOLDER
    assert (await administer(trusting, "PATCH", f"/v1/users/{HOLDER}", {"disabled": True})).status_code == 200
    assert await whose(trusting, token) == "account_disabled"
    assert (await administer(trusting, "PATCH", f"/v1/users/{HOLDER}", {"disabled": False})).status_code == 200
    assert await whose(trusting, token) == "token_revoked", "one from before the account was disabled"


@pytest.mark.parametrize("with_sessions", [True, False])
async def test_signing_out_everywhere_refuses_tokens_that_were_issued_before(
    trusting: Office, issuer: OpenIdProvider, *, with_sessions: bool
) -> None:
    await bind(trusting, issuer)
    if not with_sessions:
        await trusting.scene.rows("UPDATE sessions SET ended_at = now() WHERE user_id = :id RETURNING 1", id=user(WHO))
    token = await token_of(issuer)
    front = trusting.app.state.front
    set_clock(trusting, front.kawal.now() + timedelta(seconds=2))
    assert (await ask(trusting, token, "/v1/auth/sessions", method="DELETE")).status_code == 204
    assert await whose(trusting, token) == "token_revoked"
    assert (await trail_of(trusting, user(WHO)))[-1] == "account.signed_out_everywhere"
    # A token from after that moment, told by moving the moment.
    moved = "UPDATE users SET tokens_not_before = tokens_not_before - interval '1 minute' WHERE id = :id RETURNING 1"
    await trusting.scene.rows(moved, id=user(WHO))
    assert await whose(trusting, token) == HOLDER


async def test_tokens_of_our_own_issuer_go_on_beside_it(trusting: Office, issuer: OpenIdProvider) -> None:
    assert await whose(trusting, trusting.token(user(WHO))) == HOLDER
    issuer.stop()
    assert await whose(trusting, trusting.token(user(WHO))) == HOLDER


async def test_issuer_that_never_answered_is_an_outage_and_no_refusal(trusting: Office, issuer: OpenIdProvider) -> None:
    token = await token_of(issuer)
    issuer.stop()
    answer = await ask(trusting, token)
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


async def test_one_name_is_one_account_and_one_account_one_name(trusting: Office, issuer: OpenIdProvider) -> None:
    issuer.people["pak.asep"] = {"name": "Asep"}
    assert (await bind(trusting, issuer)).status_code == 201
    subjects = {name: _subject(await token_of(issuer, name)) for name in ("siti", "pak.asep")}
    for account, name in (("kades.taraju", "siti"), (WHO, "pak.asep")):
        body = {"issuer": "sso", "subject": subjects[name]}
        answer = await administer(trusting, "POST", f"/v1/users/{user(account)}/identities", body)
        assert answer.json()["violations"][0]["code"] == "identity_bound"
    body = {"issuer": "another", "subject": "x"}
    answer = await administer(trusting, "POST", f"/v1/users/{HOLDER}/identities", body)
    assert answer.json()["violations"][0]["code"] == "issuer_unknown"


async def test_who_may_bind_whom(trusting: Office) -> None:
    body = {"issuer": "sso", "subject": "x"}
    own = await administer(trusting, "POST", f"/v1/users/{user('admin')}/identities", body)
    assert (own.status_code, own.json()["code"]) == (403, "forbidden"), "nobody their own account"
    officer = await administer(trusting, "POST", f"/v1/users/{HOLDER}/identities", body, by="kadis")
    assert officer.status_code == 403
    missing = await administer(trusting, "GET", f"/v1/users/{new_id()}/identities")
    assert missing.status_code == 404


async def give_email(office: Office, username: str, email: str) -> None:
    answer = await administer(office, "PATCH", f"/v1/users/{user(username)}", {"email": email})
    assert answer.status_code == 200, answer.text


async def test_verified_email_binds_the_first_time_and_the_name_afterwards(
    scene: Scene, issuer: OpenIdProvider
) -> None:
    async with office_with(scene, issuer, binding="verified_email") as office:
        token = await token_of(issuer)
        assert await whose(office, token) == "identity_unknown", "no account has the address"
        await give_email(office, WHO, "Siti@Example.go.id")
        answers = await asyncio.gather(*(whose(office, token) for _ in range(4)))
        assert set(answers) == {HOLDER}
        assert (await trail_of(office, user(WHO), like="account.identity%")) == ["account.identity_bound"]
        issuer.people["siti"]["email"] = "another@example.go.id"
        assert await whose(office, await token_of(issuer)) == HOLDER, "the name is bound now, and not the address"
        # The address goes to somebody else, who does not get the account with it.
        issuer.people["pak.asep"] = {"email": "siti@example.go.id", "email_verified": True}
        assert await whose(office, await token_of(issuer, "pak.asep")) == "identity_unknown"


@pytest.mark.parametrize("verified", [False, None, "true"])
async def test_address_that_is_not_verified_binds_nobody(
    scene: Scene, issuer: OpenIdProvider, verified: object
) -> None:
    async with office_with(scene, issuer, binding="verified_email") as office:
        await give_email(office, WHO, "siti@example.go.id")
        issuer.people["siti"] = {"email": "siti@example.go.id", "email_verified": verified}
        assert await whose(office, await token_of(issuer)) == "identity_unknown"


async def test_address_of_two_accounts_binds_neither(scene: Scene, issuer: OpenIdProvider) -> None:
    async with office_with(scene, issuer, binding="verified_email") as office:
        for username in (WHO, "kades.taraju"):
            await give_email(office, username, "siti@example.go.id")
        assert await whose(office, await token_of(issuer)) == "identity_unknown"


async def test_claim_that_names_the_account_binds_where_the_setting_says_so(
    scene: Scene, issuer: OpenIdProvider
) -> None:
    issuer.people["siti"] = {"preferred_username": WHO}
    async with office_with(scene, issuer, binding="username") as office:
        assert await whose(office, await token_of(issuer)) == HOLDER
        issuer.people["pak.asep"] = {"preferred_username": "nobody\0here"}
        assert await whose(office, await token_of(issuer, "pak.asep")) == "identity_unknown"


async def test_disabled_account_is_not_bound(scene: Scene, issuer: OpenIdProvider) -> None:
    issuer.people["siti"] = {"preferred_username": WHO}
    await scene.rows("UPDATE users SET disabled = true WHERE username = :name RETURNING 1", name=WHO)
    async with office_with(scene, issuer, binding="username") as office:
        assert await whose(office, await token_of(issuer)) == "session_over"
        assert await scene.rows("SELECT 1 FROM foreign_identities") == []
