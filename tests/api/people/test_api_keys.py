"""Keys of machines: what they carry, how they go over to another secret, and that each use is told of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.ids import new_id
from domain.sessions import digest_of
from domain.vocabulary import Role
from services.key_use import KeyUses
from tests.api.conftest import until
from tests.api.people.staff import Staff
from tests.api.proposals import death
from tests.scene import user

pytestmark = pytest.mark.embedded

TARAJU, CIKUBANG, DISTRICT, REGENCY, ELSEWHERE = "32.06.13.2001", "32.06.13.2002", "32.06.13", "32.06", "32.07"
ADMIN, MACHINE = "admin.kabupaten", "aplikasi.desa"
SCOPES = ["area:updates:read", "area:updates:submit", "area:tasks:read"]


@pytest.fixture
async def regency(staff: Staff) -> Staff:
    """With administrators of two regencies, and the account of a machine that serves a district."""
    await staff.hire(ADMIN, Role.ADMINISTRATOR, REGENCY)
    await staff.hire("admin.lain", Role.ADMINISTRATOR, ELSEWHERE)
    await staff.hire(MACHINE, Role.SERVICE, DISTRICT)
    return staff


def wanted(staff: Staff, **more: Any) -> dict[str, Any]:
    return {
        "user_id": str(user(MACHINE)),
        "name": "Aplikasi desa",
        "scopes": SCOPES,
        "area_code": TARAJU,
        "expires_at": (staff.clock.at + timedelta(days=90)).isoformat(),
        **more,
    }


async def issue(staff: Staff, **more: Any) -> Any:
    return await staff.done(ADMIN, "POST", "/v1/api-keys", wanted(staff, **more))


async def ask(staff: Staff, secret: str, path: str = "/v1/me", *, method: str = "GET", body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": str(new_id())}
    return await staff.client.request(method, path, json=body, headers=headers)


async def test_key_asks_for_its_account_within_its_scopes_and_its_area(regency: Staff) -> None:
    issued = await issue(regency)
    me = (await ask(regency, issued["secret"])).json()
    assert (me["id"], me["areas"], me["permissions"]) == (str(user(MACHINE)), [TARAJU], sorted(SCOPES))
    assert [seat["role"] for seat in me["seats"]] == ["service"]
    assert (await ask(regency, issued["secret"], "/v1/updates")).status_code == 200
    assert (await ask(regency, issued["secret"], "/v1/stalled")).status_code == 403, "not among its scopes"
    assert (await ask(regency, issued["secret"], f"/v1/updates?area={CIKUBANG}")).status_code == 404, "not its area"
    assert (await ask(regency, issued["secret"], "/v1/users")).status_code == 403


async def test_machine_submits_and_the_trail_names_its_key(regency: Staff) -> None:
    issued = await issue(regency)
    submitted = await ask(regency, issued["secret"], "/v1/updates", method="POST", body=death())
    assert submitted.status_code == 201, submitted.text
    (event,) = await regency.scene.rows(
        "SELECT actor_id, actor_role, data FROM audit_events WHERE stream = :stream AND type = 'update.submitted'",
        stream=f"update:{submitted.json()['id']}",
    )
    assert (event.actor_id, event.actor_role) == (user(MACHINE), "service")
    assert event.data["api_key"] == issued["key"]["id"]


async def test_machine_changes_nothing_that_is_for_people(regency: Staff) -> None:
    secret = (await issue(regency))["secret"]
    for method, path in (("DELETE", "/v1/auth/sessions"), ("POST", "/v1/delegations")):
        answer = await ask(regency, secret, path, method=method, body={})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert (await ask(regency, secret, "/v1/auth/sessions")).status_code == 200


async def test_secret_is_shown_once_and_stored_as_its_digest(regency: Staff) -> None:
    key, body = str(new_id()), wanted(regency)
    first = await regency.send(ADMIN, "POST", "/v1/api-keys", body, key=key)
    again = await regency.send(ADMIN, "POST", "/v1/api-keys", body, key=key)
    secret = first.json()["secret"]
    assert first.headers["Location"] == f"/v1/api-keys/{first.json()['key']['id']}"
    assert (again.status_code, again.json()["secret"], again.headers["Idempotency-Replayed"]) == (201, None, "true")
    assert again.json()["key"]["id"] == first.json()["key"]["id"]
    rows = await regency.scene.rows("SELECT s::text AS written FROM api_key_secrets s")
    assert digest_of(secret).hex() in rows[0].written
    for table in ("api_key_secrets", "api_keys", "idempotency_keys", "audit_events"):
        written = await regency.scene.rows(f"SELECT t::text AS written FROM {table} t")  # noqa: S608 - our own names
        assert not any(secret[-49:] in row.written for row in written), table
    assert secret not in (await regency.send(ADMIN, "GET", "/v1/api-keys")).text


async def test_rotation_lets_both_secrets_in_for_the_overlap_and_then_the_new_one_alone(regency: Staff) -> None:
    issued = await issue(regency)
    path = f"/v1/api-keys/{issued['key']['id']}/rotation"
    rotated = await regency.done(ADMIN, "POST", path, {"overlap": "PT1H"})
    old, new = issued["secret"], rotated["secret"]
    assert [(await ask(regency, secret)).status_code for secret in (old, new)] == [200, 200]
    assert len(rotated["key"]["secrets"]) == 2
    regency.clock.at += timedelta(hours=1)
    assert [(await ask(regency, secret)).status_code for secret in (old, new)] == [401, 200]
    at_once = await regency.done(ADMIN, "POST", path, {"overlap": "PT0S"})
    assert [(await ask(regency, secret)).status_code for secret in (old, new, at_once["secret"])] == [401, 401, 200]
    later = (regency.clock.at + timedelta(days=300)).isoformat()
    prolonged = await regency.done(ADMIN, "POST", path, {"expires_at": later})
    regency.clock.at += timedelta(days=200)
    assert (await ask(regency, prolonged["secret"])).status_code == 200
    types = [event.type for event in await regency.account_events(user(MACHINE))]
    assert types == ["api_key.made", *["api_key.rotated"] * 3]


async def test_key_ends_when_it_expires_is_revoked_or_its_account_or_appointment_ends(regency: Staff) -> None:
    expiring, revoked, kept = [await issue(regency, name=name) for name in ("a", "b", "c")]
    assert await regency.done(ADMIN, "DELETE", f"/v1/api-keys/{revoked['key']['id']}") is None
    refused = await ask(regency, revoked["secret"])
    assert (refused.status_code, refused.json()["data"]) == (401, {"reason": "api_key_refused"})
    assert await regency.refused(ADMIN, "DELETE", f"/v1/api-keys/{revoked['key']['id']}") == (409, "not_possible_now")
    rotation = f"/v1/api-keys/{revoked['key']['id']}/rotation"
    assert await regency.refused(ADMIN, "POST", rotation, {}) == (409, "not_possible_now")
    await regency.done(ADMIN, "PATCH", f"/v1/users/{user(MACHINE)}", {"disabled": True})
    assert (await ask(regency, kept["secret"])).status_code == 401, "the account is disabled"
    await regency.done(ADMIN, "PATCH", f"/v1/users/{user(MACHINE)}", {"disabled": False})
    (seat,) = (await regency.read(ADMIN, "/v1/memberships", user_id=str(user(MACHINE))))["items"]
    await regency.done(ADMIN, "POST", f"/v1/memberships/{seat['id']}/end")
    assert (await ask(regency, kept["secret"])).json()["seats"] == []
    regency.clock.at += timedelta(days=90)
    assert (await ask(regency, expiring["secret"])).status_code == 401
    states = {key["name"]: key["state"] for key in (await regency.read(ADMIN, "/v1/api-keys"))["items"]}
    assert states == {"a": "expired", "b": "revoked", "c": "expired"}


async def test_last_use_is_written_once_a_minute_with_the_network(regency: Staff) -> None:
    issued = await issue(regency)
    path, begun = f"/v1/api-keys/{issued['key']['id']}", regency.clock.at

    async def used() -> Any:
        return (await regency.read(ADMIN, path))["secrets"][0]

    async def noted() -> bool:
        return (await used())["last_used_at"] is not None

    assert not await noted()
    assert (await ask(regency, issued["secret"])).status_code == 200
    await until(noted)
    assert (await used())["last_network"] == "127.0.0.1"
    # Another process has noted nothing yet: the row decides for all of them.
    written: list[datetime] = []
    uses, digest = KeyUses(regency.scene.app), digest_of(issued["secret"])
    for after in (40, 80, 100, 140, 160):
        uses.note(digest, network="203.0.113.1", at=begun + timedelta(seconds=after))
        await uses.settle()
        written.append(datetime.fromisoformat((await used())["last_used_at"]))
    assert [round((at - begun).total_seconds()) for at in written] == [0, 0, 100, 100, 160]
    assert (await used())["last_network"] == "203.0.113.1"


@pytest.mark.usefixtures("one_minute")
async def test_key_with_a_limit_of_its_own_is_held_to_it_and_others_are_not(regency: Staff) -> None:
    held = await issue(regency, name="slow", requests_per_minute=2)
    free = await issue(regency, name="fast")
    assert [(await ask(regency, held["secret"])).status_code for _ in range(3)] == [200, 200, 429]
    assert (await ask(regency, free["secret"])).status_code == 200
    refused = await ask(regency, held["secret"])
    assert refused.json()["data"]["policy"] == "api-key"


@pytest.mark.parametrize(
    ("by", "more", "answer"),
    [
        (ADMIN, {"scopes": ["area:tasks:work"]}, (422, "scope_not_for_services")),
        (ADMIN, {"scopes": ["area:persons:unmask"]}, (422, "scope_not_for_services")),
        (ADMIN, {"scopes": ["everything"]}, (422, "value_unknown")),
        (ADMIN, {"scopes": []}, (422, "scope_missing")),
        (ADMIN, {"area_code": ELSEWHERE}, (404, "not_found")),
        (ADMIN, {"area_code": "32.06.14"}, (422, "no_service_there")),
        (ADMIN, {"user_id": str(user("operator.taraju"))}, (422, "no_service_there")),
        (ADMIN, {"user_id": str(user(ADMIN))}, (403, "forbidden")),
        (ADMIN, {"user_id": str(UUID(int=7))}, (404, "not_found")),
        (ADMIN, {"expires_at": "2020-01-01T00:00:00Z"}, (422, "expiry_out_of_range")),
        (ADMIN, {"expires_at": "2126-01-01T00:00:00Z"}, (422, "expiry_out_of_range")),
        ("admin.lain", {}, (404, "not_found")),
        ("kadis", {}, (403, "forbidden")),
    ],
)
async def test_who_may_make_which_key(regency: Staff, by: str, more: Any, answer: tuple[int, str]) -> None:
    assert await regency.refused(by, "POST", "/v1/api-keys", wanted(regency, **more)) == answer
    assert await regency.scene.rows("SELECT 1 FROM api_keys") == []


async def test_keys_of_another_area_are_not_there(regency: Staff) -> None:
    path = f"/v1/api-keys/{(await issue(regency))['key']['id']}"
    assert (await regency.read("admin.lain", "/v1/api-keys"))["items"] == []
    for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/rotation")):
        assert await regency.refused("admin.lain", method, where, {}) == (404, "not_found")


@pytest.mark.parametrize("reason", ["api_key_malformed", "api_key_refused"])
async def test_made_up_key_is_refused(regency: Staff, reason: str) -> None:
    secret = (await issue(regency))["secret"]
    await regency.scene.rows("UPDATE api_key_secrets SET digest = '\\x00' RETURNING 1")
    spoiled = secret if reason == "api_key_refused" else secret[:-1] + ("0" if secret[-1] != "0" else "1")
    answer = await ask(regency, spoiled)
    assert (answer.status_code, answer.json()["data"]) == (401, {"reason": reason})
