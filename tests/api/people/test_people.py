"""Accounts, appointments and offices: who may make and end them, and that each takes effect at its moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from db.session import Viewer
from devstack.demo_people import demo_id
from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.scene import session_of, user

TARAJU, DISTRICT, REGENCY, ELSEWHERE = "32.06.13.2001", "32.06.13", "32.06", "32.07"
VILLAGE_OFFICE = str(demo_id("office", f"desa/{TARAJU}"))
DINSOS = str(demo_id("office", "dinsos"))
ADMIN = "admin.kabupaten"


@pytest.fixture
async def regency(staff: Staff) -> Staff:
    """With an administrator of the regency, and one of another."""
    await staff.hire(ADMIN, Role.ADMINISTRATOR, REGENCY)
    await staff.hire("admin.lain", Role.ADMINISTRATOR, ELSEWHERE)
    return staff


def appointment(username: str | UUID, role: Role, area_code: str, office: str, **more: Any) -> dict[str, Any]:
    user_id = username if isinstance(username, UUID) else user(username)
    return {"user_id": str(user_id), "role": role, "area_code": area_code, "office_id": office, **more}


async def make_account(staff: Staff, username: str = "siti", **more: Any) -> UUID:
    body = {"username": username, "display_name": username.title(), "area_code": REGENCY, **more}
    return UUID((await staff.done(ADMIN, "POST", "/v1/users", body))["id"])


async def permissions_of(staff: Staff, user_id: UUID) -> list[str]:
    await staff.sign_in(user_id)
    token = staff.issuer.issue(user_id, now=staff.clock.at, session_id=session_of(user_id))
    answer = await staff.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return answer.json()["permissions"]


async def test_account_is_made_appointed_changed_and_ended_and_every_act_is_in_its_trail(regency: Staff) -> None:
    user_id = await make_account(regency)
    assert await permissions_of(regency, user_id) == [], "an account without an appointment can do nothing"
    held = await regency.done(
        ADMIN, "POST", "/v1/memberships", appointment(user_id, Role.REGENCY_VERIFIER, REGENCY, DINSOS)
    )
    assert "area:tasks:work" in await permissions_of(regency, user_id)
    until = (regency.clock.at + timedelta(days=10)).isoformat()
    changed = await regency.done(ADMIN, "PATCH", f"/v1/memberships/{held['id']}", {"valid_to": until})
    assert changed["version"] == 2
    ended = await regency.done(ADMIN, "POST", f"/v1/memberships/{held['id']}/end")
    assert not ended["running"]
    assert await permissions_of(regency, user_id) == [], "in the very next request"
    events = await regency.account_events(user_id)
    assert [event.type for event in events] == [
        "account.created",
        "membership.granted",
        "membership.changed",
        "membership.ended",
    ]
    assert {event.actor_id for event in events} == {user(ADMIN)}
    assert {event.actor_role for event in events} == {"administrator"}
    before, after = events[2].data["before"], events[2].data["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["until"], after["until"]) == (None, until)
    again = await regency.refused(ADMIN, "POST", f"/v1/memberships/{held['id']}/end")
    assert again == (409, "not_possible_now")


async def test_appointment_begins_and_ends_at_its_moment(regency: Staff) -> None:
    user_id = await make_account(regency)
    begins, ends = (regency.clock.at + timedelta(days=days) for days in (1, 2))
    period = {"valid_from": begins.isoformat(), "valid_to": ends.isoformat()}
    body = appointment(user_id, Role.VILLAGE_HEAD, TARAJU, VILLAGE_OFFICE, **period)
    await regency.done(ADMIN, "POST", "/v1/memberships", body)
    assert await permissions_of(regency, user_id) == []
    regency.clock.at = begins
    assert await permissions_of(regency, user_id) != []
    regency.clock.at = ends
    assert await permissions_of(regency, user_id) == []


@pytest.mark.parametrize(
    ("by", "body", "answer"),
    [
        (ADMIN, appointment("bpd.taraju", Role.REGENCY_HEAD, REGENCY, DINSOS), (201, "")),
        (ADMIN, appointment("bpd.taraju", Role.ADMINISTRATOR, DISTRICT, DINSOS), (201, "")),
        (ADMIN, appointment("bpd.taraju", Role.PROVINCE_OBSERVER, REGENCY, DINSOS), (403, "forbidden")),
        (ADMIN, appointment("bpd.taraju", Role.MINISTRY_OFFICER, REGENCY, DINSOS), (403, "forbidden")),
        (ADMIN, appointment("bpd.taraju", Role.VILLAGE_HEAD, "32", DINSOS), (404, "not_found")),
        (ADMIN, appointment("bpd.taraju", Role.VILLAGE_HEAD, "32.07.01.2001", DINSOS), (404, "not_found")),
        (ADMIN, appointment("bpd.taraju", Role.VILLAGE_OPERATOR, DISTRICT, DINSOS), (422, "area_wider_than_role")),
        (ADMIN, appointment(ADMIN, Role.REGENCY_VERIFIER, REGENCY, DINSOS), (403, "forbidden")),
        (ADMIN, appointment(ADMIN, Role.PLANNER, REGENCY, DINSOS), (403, "forbidden")),
        (ADMIN, appointment("kemensos", Role.PLANNER, REGENCY, DINSOS), (404, "not_found")),
        (ADMIN, appointment("bpd.taraju", Role.VILLAGE_COUNCIL, TARAJU, VILLAGE_OFFICE), (422, "already_held")),
        (ADMIN, appointment("bpd.taraju", Role.REGENCY_HEAD, REGENCY, VILLAGE_OFFICE), (422, "office_elsewhere")),
        (ADMIN, appointment("bpd.taraju", Role.REGENCY_HEAD, REGENCY, str(UUID(int=7))), (422, "office_unknown")),
        ("admin.lain", appointment("bpd.taraju", Role.VILLAGE_HEAD, TARAJU, VILLAGE_OFFICE), (404, "not_found")),
        ("kadis", appointment("bpd.taraju", Role.VILLAGE_HEAD, TARAJU, VILLAGE_OFFICE), (403, "forbidden")),
        (
            "admin",
            appointment("bpd.taraju", Role.PROVINCE_OBSERVER, "32", str(demo_id("office", "provinsi"))),
            (201, ""),
        ),
        ("admin", appointment("admin", Role.REGENCY_VERIFIER, REGENCY, DINSOS), (403, "forbidden")),
    ],
)
async def test_who_appoints_whom_to_what(regency: Staff, by: str, body: Any, answer: tuple[int, str]) -> None:
    if answer[0] == 201:
        assert (await regency.done(by, "POST", "/v1/memberships", body))["role"] == body["role"]
    else:
        assert await regency.refused(by, "POST", "/v1/memberships", body) == answer


async def test_nobody_is_appointed_for_a_time_that_has_been(regency: Staff) -> None:
    past = (regency.clock.at - timedelta(days=1)).isoformat()
    body = appointment("bpd.taraju", Role.VILLAGE_HEAD, TARAJU, VILLAGE_OFFICE)
    assert await regency.refused(ADMIN, "POST", "/v1/memberships", body | {"valid_from": past}) == (
        422,
        "begins_in_the_past",
    )
    assert await regency.refused(ADMIN, "POST", "/v1/memberships", body | {"valid_to": past}) == (422, "period_empty")


async def test_stale_picture_of_an_appointment_is_not_acted_on(regency: Staff) -> None:
    held = regency.membership("bpd.taraju", Role.VILLAGE_COUNCIL, TARAJU)
    headers = regency.signed(ADMIN)
    tag = (await regency.client.get(f"/v1/memberships/{held}", headers=headers)).headers["ETag"]
    until = (regency.clock.at + timedelta(days=3)).isoformat()
    first = await regency.client.patch(
        f"/v1/memberships/{held}", json={"valid_to": until}, headers=headers | {"If-Match": tag}
    )
    assert first.status_code == 200
    second = await regency.client.post(f"/v1/memberships/{held}/end", headers=headers | {"If-Match": tag})
    assert (second.status_code, second.json()["code"]) == (412, "stale_version")


async def test_disabled_account_is_out_at_once_and_let_in_again(regency: Staff) -> None:
    path = f"/v1/users/{user('bpd.taraju')}"
    assert (await regency.get("bpd.taraju", "/v1/me")).status_code == 200
    assert (await regency.done(ADMIN, "PATCH", path, {"disabled": True}))["disabled"]
    assert (await regency.get("bpd.taraju", "/v1/me")).status_code == 401
    assert not (await regency.done(ADMIN, "PATCH", path, {"disabled": False}))["disabled"]
    assert (await regency.get("bpd.taraju", "/v1/me")).status_code == 401, "the session of before has ended"
    await regency.sign_in(user("bpd.taraju"))
    assert (await regency.get("bpd.taraju", "/v1/me")).status_code == 200
    kinds = [event.type for event in await regency.account_events(user("bpd.taraju"))]
    assert kinds[-2:] == ["account.disabled", "account.enabled"]


async def test_case_climbs_when_the_account_of_its_only_decider_is_disabled(regency: Staff) -> None:
    update_id = await regency.in_verification()
    await regency.done(ADMIN, "PATCH", f"/v1/users/{user('puskesos.taraju')}", {"disabled": True})
    assert await regency.look_again() == [update_id]
    case = await regency.scene.case(update_id)
    assert (case.level, case.cause) == (1, "no_eligible_decider")


async def test_ended_appointment_frees_what_its_holder_had_claimed(regency: Staff) -> None:
    update_id = await regency.in_verification()
    task_id = (await regency.scene.case(update_id)).task
    await regency.done("puskesos.taraju", "POST", f"/v1/tasks/{task_id}/claim")
    held = regency.membership("puskesos.taraju", Role.PUSKESOS_OFFICER, TARAJU)
    await regency.done(ADMIN, "POST", f"/v1/memberships/{held}/end")
    task = await regency.scene.one("SELECT claimed_by FROM tasks WHERE id = :id", id=task_id)
    assert task.claimed_by is None
    assert [event.type for event in await regency.scene.events(update_id)][-1] == "task.released"


@pytest.mark.parametrize("path", ["", "/password", "/handover"])
async def test_nobody_governs_their_own_account_nor_one_that_reaches_beyond_their_area(
    regency: Staff,
    path: str,
) -> None:
    method, body = {"": ("PATCH", {"disabled": True}), "/password": ("PUT", {"password": "a long enough phrase"})}.get(
        path, ("POST", {})
    )
    await regency.hire("rangkap", Role.PLANNER, "32", home=REGENCY)
    await regency.hire("rangkap", Role.PLANNER, REGENCY)
    for account, answer in (
        (ADMIN, (403, "forbidden")),
        ("rangkap", (403, "forbidden")),
        ("admin.lain", (404, "not_found")),
        ("kemensos", (404, "not_found")),
    ):
        assert await regency.refused(ADMIN, method, f"/v1/users/{user(account)}{path}", body) == answer, account


async def test_password_is_given_by_an_administrator_and_shown_nowhere(regency: Staff) -> None:
    user_id = await make_account(regency)
    phrase = "kata sandi yang panjang"
    await regency.done(ADMIN, "PUT", f"/v1/users/{user_id}/password", {"password": phrase})
    form = {"grant_type": "password", "username": "siti", "password": phrase}
    assert (await regency.client.post("/v1/auth/token", data=form)).status_code == 200
    short = await regency.send(ADMIN, "PUT", f"/v1/users/{user_id}/password", {"password": "short"})
    assert short.status_code == 422
    assert "short" not in short.text.replace("too_short", "").replace("string_too_short", "").replace("shorter", "")
    assert (await regency.account_events(user_id))[1].type == "account.password_changed"


async def test_account_without_a_password_is_opened_by_none(regency: Staff) -> None:
    await make_account(regency)
    form = {"grant_type": "password", "username": "siti", "password": ""}
    for password in ("", "anything"):
        answer = await regency.client.post("/v1/auth/token", data=form | {"password": password or " "})
        assert answer.status_code == 400


async def test_account_is_made_once_for_each_key_and_no_name_twice(regency: Staff) -> None:
    body = {"username": "siti", "display_name": "Siti", "area_code": REGENCY, "nik": "3206134101900001"}
    first = await regency.send(ADMIN, "POST", "/v1/users", body, key="one")
    again = await regency.send(ADMIN, "POST", "/v1/users", body, key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await regency.refused(ADMIN, "POST", "/v1/users", body) == (422, "username_taken")
    elsewhere = body | {"area_code": ELSEWHERE}
    assert await regency.refused("admin.lain", "POST", "/v1/users", elsewhere) == (422, "username_taken")
    rows = await regency.scene.rows("SELECT identity, area_code FROM users WHERE username = 'siti'")
    assert len(rows) == 1
    assert b"3206134101900001" not in bytes(rows[0].identity)


async def test_lists_hold_what_is_of_the_area_and_go_on_page_by_page(regency: Staff) -> None:
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 7}
    while True:
        page = await regency.read(ADMIN, "/v1/users", **query)
        seen += [account["username"] for account in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen))
    assert {"operator.taraju", "kadis", ADMIN} <= set(seen)
    assert not {"provinsi", "kemensos", "admin.lain"} & set(seen)
    narrowed = await regency.read(ADMIN, "/v1/users", area=DISTRICT, role="village_head")
    assert {account["username"] for account in narrowed["items"]} == {"kades.taraju", "kades.cikubang", "kades.deudeul"}
    named = await regency.read(ADMIN, "/v1/users", q="operator.t")
    assert [account["username"] for account in named["items"]] == ["operator.taraju"]
    held = await regency.read(ADMIN, "/v1/memberships", user_id=str(user("serba.deudeul")), running="true")
    assert sorted(seat["role"] for seat in held["items"]) == ["puskesos_officer", "village_operator"]
    assert (await regency.get(ADMIN, "/v1/users", area=ELSEWHERE)).status_code == 404
    assert (await regency.get("kadis", "/v1/users")).status_code == 403


async def test_offices_are_made_renamed_and_closed_once_they_are_empty(regency: Staff) -> None:
    made = await regency.done(ADMIN, "POST", "/v1/offices", {"name": "UPTD Taraju", "area_code": DISTRICT})
    assert (made["tier"], made["version"]) == ("district", 1)
    path = f"/v1/offices/{made['id']}"
    assert (await regency.done(ADMIN, "PATCH", path, {"name": "UPTD Sosial Taraju"}))["name"] == "UPTD Sosial Taraju"
    body = appointment("bpd.taraju", Role.DISTRICT_SUPERVISOR, DISTRICT, made["id"])
    held = await regency.done(ADMIN, "POST", "/v1/memberships", body)
    assert await regency.refused(ADMIN, "PATCH", path, {"closed": True}) == (409, "not_possible_now")
    await regency.done(ADMIN, "POST", f"/v1/memberships/{held['id']}/end")
    assert (await regency.done(ADMIN, "PATCH", path, {"closed": True}))["closed_at"]
    assert await regency.refused(ADMIN, "POST", "/v1/memberships", body) == (422, "office_closed")
    assert await regency.refused("admin.lain", "PATCH", path, {"closed": False}) == (404, "not_found")
    events = await regency.scene.rows(
        "SELECT type FROM audit_events WHERE stream = :s ORDER BY seq", s=f"office:{made['id']}"
    )
    assert [event.type for event in events] == ["office.created", "office.changed", "office.closed"]


@pytest.mark.parametrize(
    "area_code", ["32.06.x,*", "32.06,*", "32.06.13.20011", "32.06.", "32.06\0", "3" * 4000, "*,*"]
)
async def test_what_is_no_area_is_none_of_an_account_an_appointment_or_an_office(
    regency: Staff, area_code: str
) -> None:
    account = {"username": "siti", "display_name": "Siti", "area_code": area_code}
    office = {"name": "Kantor", "area_code": area_code}
    seat = appointment("bpd.taraju", Role.ADMINISTRATOR, area_code, DINSOS)
    for path, body in (("/v1/users", account), ("/v1/offices", office), ("/v1/memberships", seat)):
        assert await regency.refused(ADMIN, "POST", path, body) == (422, "value_refused"), path


async def test_area_that_there_is_not_is_none_of_an_account_an_appointment_or_an_office(regency: Staff) -> None:
    nowhere = "32.06.13.2999"
    account = {"username": "siti", "display_name": "Siti", "area_code": nowhere}
    office = {"name": "Kantor", "area_code": nowhere}
    seat = appointment("bpd.taraju", Role.VILLAGE_COUNCIL, nowhere, DINSOS)
    for path, body in (("/v1/users", account), ("/v1/offices", office), ("/v1/memberships", seat)):
        assert await regency.refused(ADMIN, "POST", path, body) == (422, "area_unknown"), path


async def test_database_holds_no_appointment_over_what_is_no_area(regency: Staff) -> None:
    for table in ("memberships", "offices", "users", "delegations", "api_keys"):
        (found,) = await regency.scene.rows(
            "SELECT pg_get_constraintdef(oid) AS said FROM pg_constraint WHERE conname = :name",
            name=f"ck_{table}_area_code_well_formed",
        )
        assert "~" in found.said
    with pytest.raises(IntegrityError):
        await regency.hire("tamak", Role.ADMINISTRATOR, "32.06.x,*")


def test_transaction_sees_areas_and_nothing_that_is_read_as_several() -> None:
    assert Viewer(name="system:test", areas=("32.06", "*")).areas == ("32.06", "*")
    for code in ("32.06.x,*", "32.06,*", "", "32.06.", "32.06\n"):
        with pytest.raises(ValueError, match="areas"):
            Viewer(name="system:test", areas=(code,))
