"""Who administers an account: with all that it holds and is lent, up to the administrator's own tier, as it is now."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from devstack.demo_people import demo_id
from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.api.reads.casebook import known_household
from tests.scene import user

TARAJU, CIKUBANG, DISTRICT, REGENCY = "32.06.13.2001", "32.06.13.2002", "32.06.13", "32.06"
ADMIN = "admin.kecamatan"
NIK, OTHER_NIK = "3206134101900001", "3206134101900002"
GOVERNING: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("PATCH", {"disabled": True}),
    "/password": ("PUT", {"password": "a long enough phrase"}),
    "/handover": ("POST", {}),
}


@pytest.fixture
async def district(staff: Staff) -> Staff:
    """With an administrator of the district."""
    await staff.hire(ADMIN, Role.ADMINISTRATOR, DISTRICT)
    return staff


async def govern(staff: Staff, by: str, username: str) -> list[int]:
    answers = [
        await staff.send(by, method, f"/v1/users/{user(username)}{path}", body)
        for path, (method, body) in GOVERNING.items()
    ]
    return [answer.status_code for answer in answers]


async def test_role_above_ones_tier_is_above_ones_hand(district: Staff) -> None:
    await district.hire("verifikator.taraju", Role.REGENCY_VERIFIER, DISTRICT)
    await district.hire("slrt2.taraju", Role.DISTRICT_SUPERVISOR, DISTRICT)
    assert await govern(district, ADMIN, "verifikator.taraju") == [403, 403, 403]
    assert await govern(district, ADMIN, "slrt2.taraju") == [200, 204, 200]


async def test_who_stands_in_beyond_ones_area_is_beyond_it_as_long_as_they_do(staff: Staff) -> None:
    await staff.hire("admin.desa", Role.ADMINISTRATOR, TARAJU)
    held = staff.membership("puskesos.cikubang", Role.PUSKESOS_OFFICER, CIKUBANG)
    leave = await staff.done("puskesos.cikubang", "POST", "/v1/delegations", staff.leave(held, "puskesos.taraju"))
    path = f"/v1/users/{user('puskesos.taraju')}"
    assert await govern(staff, "admin.desa", "puskesos.taraju") == [403, 403, 403]
    await staff.done("puskesos.cikubang", "POST", f"/v1/delegations/{leave['id']}/revocation")
    assert (await staff.send("admin.desa", "PATCH", path, {"display_name": "Petugas"})).status_code == 200


async def test_stale_picture_of_an_account_is_not_acted_on(district: Staff) -> None:
    path, headers = f"/v1/users/{user('bpd.taraju')}", district.signed(ADMIN)
    tag = (await district.client.get(path, headers=headers)).headers["ETag"]
    held = headers | {"If-Match": tag}
    password = {"password": "a long enough phrase"}
    assert (await district.client.put(f"{path}/password", json=password, headers=held)).status_code == 204
    for method, address, body in (("PATCH", path, {"display_name": "Baru"}), ("PUT", f"{path}/password", password)):
        stale = await district.client.request(method, address, json=body, headers=held)
        assert (stale.status_code, stale.json()["code"]) == (412, "stale_version"), method
    now = (await district.client.get(path, headers=headers)).headers["ETag"]
    assert now != tag, "another password is another version"
    fresh = await district.client.patch(path, json={"display_name": "Baru"}, headers=headers | {"If-Match": now})
    assert fresh.status_code == 200


async def test_trail_of_an_account_holds_no_name_of_anybody(district: Staff) -> None:
    body = {"username": "siti.aminah", "display_name": "Siti Aminah", "area_code": DISTRICT, "nik": NIK}
    made = await district.done(ADMIN, "POST", "/v1/users", body)
    change = {"display_name": "Siti Rohmah", "email": "siti@desa.example"}
    await district.done(ADMIN, "PATCH", f"/v1/users/{made['id']}", change)
    events = await district.account_events(UUID(made["id"]))
    assert [(event.type, event.data) for event in events] == [
        ("account.created", {"area": DISTRICT}),
        ("account.changed", {"changed": ["display_name"]}),
        ("account.changed", {"changed": ["email"]}),
    ]


async def test_office_keeps_one_name_in_its_area_and_is_not_closed_while_somebody_is_appointed(district: Staff) -> None:
    first, second = [
        await district.done(ADMIN, "POST", "/v1/offices", {"name": name, "area_code": DISTRICT})
        for name in ("UPTD Satu", "UPTD Dua")
    ]
    path = f"/v1/offices/{second['id']}"
    assert await district.refused(ADMIN, "PATCH", path, {"name": "uptd satu"}) == (422, "name_taken")
    await district.done(ADMIN, "PATCH", path, {"name": "UPTD  Dua", "closed": True})
    await district.done(ADMIN, "PATCH", f"/v1/offices/{first['id']}", {"name": "UPTD Dua"})
    assert await district.refused(ADMIN, "PATCH", path, {"closed": False}) == (422, "name_taken")


@pytest.mark.parametrize("turn", range(3))
async def test_office_is_closed_or_staffed_and_not_both(district: Staff, turn: int) -> None:
    office = await district.done(ADMIN, "POST", "/v1/offices", {"name": f"UPTD {turn}", "area_code": DISTRICT})
    seat = {"user_id": str(user("bpd.taraju")), "role": "district_supervisor", "area_code": DISTRICT}
    closed, appointed = await asyncio.gather(
        district.send(ADMIN, "PATCH", f"/v1/offices/{office['id']}", {"closed": True}),
        district.send(ADMIN, "POST", "/v1/memberships", seat | {"office_id": office["id"]}),
    )
    assert sorted((closed.status_code < 300, appointed.status_code < 300)) == [False, True]


async def test_administrator_of_a_district_appoints_in_an_office_of_the_regency(district: Staff) -> None:
    seat = {"user_id": str(user("bpd.taraju")), "role": "district_supervisor", "area_code": DISTRICT}
    office = str(demo_id("office", "dinsos"))
    made = await district.done(ADMIN, "POST", "/v1/memberships", seat | {"office_id": office})
    (row,) = await district.scene.rows("SELECT office_id, role FROM memberships WHERE id = :id", id=made["id"])
    assert (str(row.office_id), row.role) == (office, "district_supervisor")


async def test_ended_appointment_frees_only_what_the_holder_may_decide_in_no_other(district: Staff) -> None:
    """Who is officer and supervisor of a village keeps what they have claimed when they are officer no longer."""
    double = "rangkap.taraju"
    await district.hire(double, Role.VILLAGE_HEAD, TARAJU)
    officer = await district.hire(double, Role.PUSKESOS_OFFICER, TARAJU)
    verified, deliberated = [
        await district.in_verification(household=known_household(place=place)) for place in range(2)
    ]
    await district.decide(deliberated, "puskesos.taraju")
    tasks = {}
    for update_id in (verified, deliberated):
        tasks[update_id] = (await district.scene.case(update_id)).task
        await district.done(double, "POST", f"/v1/tasks/{tasks[update_id]}/claim")
    await district.done(ADMIN, "POST", f"/v1/memberships/{officer}/end")
    rows = await district.scene.rows("SELECT update_id, claimed_by FROM tasks WHERE status = 'open'")
    assert {row.update_id: row.claimed_by for row in rows} == {verified: None, deliberated: user(double)}


@pytest.mark.parametrize("how", ["end", "valid_to", "handover", "disable"])
async def test_case_of_who_is_on_leave_climbs_when_their_stand_in_has_no_seat_any_more(staff: Staff, how: str) -> None:
    standing_in = "pengganti.cikubang"
    seat = await staff.hire(standing_in, Role.PUSKESOS_OFFICER, CIKUBANG)
    await staff.done("admin", "PATCH", f"/v1/users/{user('puskesos.cikubang')}", {"disabled": True})
    held = staff.membership("puskesos.taraju", Role.PUSKESOS_OFFICER, TARAJU)
    await staff.done("puskesos.taraju", "POST", "/v1/delegations", staff.leave(held, standing_in, days=30))
    update_id = await staff.in_verification()
    assert await staff.look_again() == []
    acts: dict[str, tuple[str, str, Any]] = {
        "end": ("POST", f"/v1/memberships/{seat}/end", None),
        "valid_to": (
            "PATCH",
            f"/v1/memberships/{seat}",
            {"valid_to": (staff.clock.at + timedelta(hours=1)).isoformat()},
        ),
        "handover": ("POST", f"/v1/users/{user(standing_in)}/handover", {}),
        "disable": ("PATCH", f"/v1/users/{user(standing_in)}", {"disabled": True}),
    }
    await staff.done("admin", *acts[how])
    staff.clock.advance(hours=2)
    woken = await staff.look_again()
    if how == "handover":
        # The leaves for which they stood in have ended with it: who was on leave decides again.
        assert (woken, str(update_id) in await staff.queue("puskesos.taraju")) == ([], True)
    else:
        assert woken == [update_id]
        assert (await staff.scene.case(update_id)).cause == "no_eligible_decider"


async def one_person(staff: Staff, first: str, second: str) -> None:
    for username in (first, second):
        await staff.done("admin", "PATCH", f"/v1/users/{user(username)}", {"nik": NIK})
    (pair,) = (await staff.read("admin", "/v1/account-matches"))["items"]
    await staff.done("admin", "PUT", f"/v1/account-matches/{pair['id']}/verdict", {"verdict": "same_person"})


@pytest.mark.parametrize("turn", range(3))
async def test_two_accounts_of_one_person_make_no_chain(staff: Staff, turn: int) -> None:
    """On leave in one account, nobody stands in for another with their second one, though both come at once."""
    del turn
    second = "puskesos2.taraju"
    await staff.hire(second, Role.PUSKESOS_OFFICER, TARAJU)
    await staff.hire("ketiga.taraju", Role.PUSKESOS_OFFICER, TARAJU)
    await one_person(staff, "puskesos.taraju", second)
    own = staff.membership("puskesos.taraju", Role.PUSKESOS_OFFICER, TARAJU)
    theirs = staff.membership("puskesos.cikubang", Role.PUSKESOS_OFFICER, CIKUBANG)
    away, standing_in = await asyncio.gather(
        staff.send("puskesos.taraju", "POST", "/v1/delegations", staff.leave(own, "ketiga.taraju")),
        staff.send("puskesos.cikubang", "POST", "/v1/delegations", staff.leave(theirs, second)),
    )
    assert sorted((away.status_code, standing_in.status_code)) == [201, 422]


async def test_pair_that_shares_nothing_any_more_is_over_unless_it_was_judged(staff: Staff) -> None:
    for username in ("kades.taraju", "bpd.taraju", "slrt.taraju"):
        await staff.done("admin", "PATCH", f"/v1/users/{user(username)}", {"nik": NIK})
    pairs = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert len(pairs) == 3
    judged = next(pair for pair in pairs if str(user("bpd.taraju")) not in {a["id"] for a in pair["accounts"]})
    await staff.done("admin", "PUT", f"/v1/account-matches/{judged['id']}/verdict", {"verdict": "same_person"})
    for username in ("bpd.taraju", "slrt.taraju"):
        await staff.done("admin", "PATCH", f"/v1/users/{user(username)}", {"nik": OTHER_NIK})
    open_pairs = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert [{account["id"] for account in pair["accounts"]} for pair in open_pairs] == [
        {str(user("bpd.taraju")), str(user("slrt.taraju"))}
    ], "the corrected number is shared by these two"
    kept = await staff.read("admin", f"/v1/account-matches/{judged['id']}")
    assert (kept["same"], kept["verdict"]) == ([], "same_person"), "no change of a number undoes a verdict"
    over = next(p["id"] for p in pairs if p["id"] not in {judged["id"], *(each["id"] for each in open_pairs)})
    assert await staff.refused("admin", "PUT", f"/v1/account-matches/{over}/verdict", {"verdict": "same_person"}) == (
        404,
        "not_found",
    )


async def test_number_does_not_tell_whose_it_is_elsewhere(staff: Staff) -> None:
    await staff.hire("admin.lain", Role.ADMINISTRATOR, "32.07")
    await staff.done("admin", "PATCH", f"/v1/users/{user('kades.taraju')}", {"nik": NIK})
    body = {"username": "siti", "display_name": "Siti", "area_code": "32.07", "nik": NIK}
    made = await staff.send("admin.lain", "POST", "/v1/users", body)
    assert str(user("kades.taraju")) not in made.text
    (finding,) = made.json()["findings"]
    assert ([account["name"] for account in finding["accounts"]], finding["elsewhere"]) == (["Siti"], True)
    assert str(user("kades.taraju")) not in (await staff.get("admin.lain", "/v1/account-matches")).text
    (whole,) = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert (len(whole["accounts"]), whole["elsewhere"]) == (2, False)


async def test_pair_is_judged_by_whoever_governs_both(district: Staff) -> None:
    await district.hire("verifikator.taraju", Role.REGENCY_VERIFIER, DISTRICT)
    for username in ("verifikator.taraju", "bpd.taraju"):
        await district.done("admin", "PATCH", f"/v1/users/{user(username)}", {"nik": NIK})
    (pair,) = (await district.read(ADMIN, "/v1/account-matches"))["items"]
    verdict = f"/v1/account-matches/{pair['id']}/verdict"
    assert await district.refused(ADMIN, "PUT", verdict, {"verdict": "different_people"}) == (403, "forbidden")
    await district.done("admin", "PUT", verdict, {"verdict": "different_people"})
