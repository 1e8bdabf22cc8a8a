"""One person with two accounts: found by NIK or e-mail address, judged by a person, and one in every case."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.vocabulary import Role
from tests.api.people.staff import Staff
from tests.scene import user

TARAJU, REGENCY = "32.06.13.2001", "32.06"
NIK = "3206134101900001"


async def flagged(staff: Staff, first: str, second: str, **shared: str) -> dict[str, Any]:
    """The pair of two accounts that are given the same NIK or address."""
    await staff.done("admin", "PATCH", f"/v1/users/{user(first)}", shared)
    await staff.done("admin", "PATCH", f"/v1/users/{user(second)}", {k: v.upper() for k, v in shared.items()})
    (pair,) = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert {account["id"] for account in pair["accounts"]} == {str(user(first)), str(user(second))}
    return pair


@pytest.mark.parametrize("shared", [{"nik": NIK}, {"email": "siti@desa.example"}])
async def test_second_account_of_the_submitter_cannot_decide(staff: Staff, shared: dict[str, str]) -> None:
    pair = await flagged(staff, "operator.taraju", "puskesos.taraju", **shared)
    assert pair["same"] == list(shared)
    free = await staff.in_verification()
    assert (await staff.scene.case(free)).level == 0, "a suspicion bars nobody"
    await staff.done("admin", "PUT", f"/v1/account-matches/{pair['id']}/verdict", {"verdict": "same_person"})

    task_id = (await staff.scene.case(free)).task
    assert await staff.refused("puskesos.taraju", "POST", f"/v1/tasks/{task_id}/claim") == (403, "separation_of_duties")
    with pytest.raises(ApplicationError) as refused:
        await staff.decide(free, "puskesos.taraju")
    assert refused.value.type == "separation_of_duties"
    assert str(free) not in await staff.queue("puskesos.taraju")
    barred = await staff.scene.case(await staff.in_verification())
    assert (barred.level, barred.cause) == (1, "no_eligible_decider")


async def test_verdict_is_revised(staff: Staff) -> None:
    pair = await flagged(staff, "operator.taraju", "puskesos.taraju", nik=NIK)
    verdict = f"/v1/account-matches/{pair['id']}/verdict"
    assert (await staff.done("admin", "PUT", verdict, {"verdict": "same_person"}))["verdict"] == "same_person"
    assert (await staff.read("admin", "/v1/account-matches"))["items"] == []
    both = (await staff.read("admin", f"/v1/users/{user('operator.taraju')}"))["accounts_of_person"]
    assert len(both) == 2
    await staff.done("admin", "PUT", verdict, {"verdict": "different_people"})
    update_id = await staff.in_verification()
    assert (await staff.scene.case(update_id)).level == 0
    await staff.decide(update_id, "puskesos.taraju")
    judged = [e.data["after"] for e in await staff.account_events(user("operator.taraju")) if e.type.endswith("judged")]
    assert judged == ["same_person", "different_people"]


async def test_three_accounts_become_one_person_and_part_again(staff: Staff) -> None:
    await flagged(staff, "operator.taraju", "puskesos.taraju", nik=NIK)
    await staff.done("admin", "PATCH", f"/v1/users/{user('puskesos.taraju')}", {"email": "s@desa.example"})
    await staff.done("admin", "PATCH", f"/v1/users/{user('kades.taraju')}", {"email": "S@Desa.Example"})
    pairs = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert len(pairs) == 2
    for pair in pairs:
        await staff.done("admin", "PUT", f"/v1/account-matches/{pair['id']}/verdict", {"verdict": "same_person"})
    assert await groups(staff) == [3]
    await staff.done("admin", "PUT", f"/v1/account-matches/{pairs[0]['id']}/verdict", {"verdict": "different_people"})
    assert await groups(staff) == [2]


async def groups(staff: Staff) -> list[int]:
    rows = await staff.scene.rows("SELECT count(*) AS n FROM users GROUP BY person_id HAVING count(*) > 1")
    return [row.n for row in rows]


async def test_new_account_is_told_at_once_to_look_like_another(staff: Staff) -> None:
    await staff.done("admin", "PATCH", f"/v1/users/{user('kades.taraju')}", {"nik": NIK})
    body = {"username": "siti", "display_name": "Siti", "area_code": REGENCY, "nik": NIK}
    made = await staff.done("admin", "POST", "/v1/users", body)
    assert [finding["same"] for finding in made["findings"]] == [["nik"]]
    shown = await staff.read("admin", f"/v1/users/{made['id']}")
    assert NIK not in str(shown)


async def test_pair_across_regencies_is_flagged_to_both_and_judged_by_neither(staff: Staff) -> None:
    await staff.hire("admin.kabupaten", Role.ADMINISTRATOR, REGENCY)
    await staff.hire("admin.lain", Role.ADMINISTRATOR, "32.07")
    await staff.done("admin.kabupaten", "PATCH", f"/v1/users/{user('kades.taraju')}", {"nik": NIK})
    body = {"username": "siti", "display_name": "Siti", "area_code": "32.07", "nik": NIK}
    made = await staff.done("admin.lain", "POST", "/v1/users", body)
    pair = made["findings"][0]["id"]
    for admin in ("admin.kabupaten", "admin.lain"):
        assert [seen["id"] for seen in (await staff.read(admin, "/v1/account-matches"))["items"]] == [pair]
        assert await staff.refused(
            admin, "PUT", f"/v1/account-matches/{pair}/verdict", {"verdict": "different_people"}
        ) == (403, "forbidden")
    await staff.hire("admin.ketiga", Role.ADMINISTRATOR, "32.08")
    assert (await staff.read("admin.ketiga", "/v1/account-matches"))["items"] == []
    assert (await staff.get("admin.ketiga", f"/v1/account-matches/{pair}")).status_code == 404
    await staff.done("admin", "PUT", f"/v1/account-matches/{pair}/verdict", {"verdict": "same_person"})


async def test_nobody_judges_a_pair_that_is_theirs(staff: Staff) -> None:
    await staff.hire("admin.pusat", Role.ADMINISTRATOR, "*")
    await staff.done("admin.pusat", "PATCH", f"/v1/users/{user('admin')}", {"nik": NIK})
    await staff.done("admin.pusat", "PATCH", f"/v1/users/{user('verifikator')}", {"nik": NIK})
    (pair,) = (await staff.read("admin", "/v1/account-matches"))["items"]
    assert await staff.refused(
        "admin", "PUT", f"/v1/account-matches/{pair['id']}/verdict", {"verdict": "different_people"}
    ) == (403, "forbidden")


async def test_confirmed_accounts_appoint_and_stand_in_for_each_other_no_more_than_for_themselves(staff: Staff) -> None:
    await staff.hire("admin.pusat", Role.ADMINISTRATOR, "*")
    await staff.done("admin.pusat", "PATCH", f"/v1/users/{user('admin')}", {"nik": NIK})
    await staff.done("admin.pusat", "PATCH", f"/v1/users/{user('verifikator')}", {"nik": NIK})
    (pair,) = (await staff.read("admin.pusat", "/v1/account-matches"))["items"]
    await staff.done("admin.pusat", "PUT", f"/v1/account-matches/{pair['id']}/verdict", {"verdict": "same_person"})
    seat = staff.membership("verifikator2", Role.REGENCY_VERIFIER, REGENCY)
    assert await staff.refused("admin", "POST", "/v1/delegations", staff.leave(seat, "verifikator")) == (
        422,
        "delegate_is_declarer",
    )
    held = staff.membership("verifikator", Role.REGENCY_VERIFIER, REGENCY)
    assert await staff.refused("admin", "PATCH", f"/v1/users/{user('verifikator')}", {"disabled": True}) == (
        403,
        "forbidden",
    )
    assert (await staff.refused("admin", "PATCH", f"/v1/memberships/{held}", {}))[0] == 403
