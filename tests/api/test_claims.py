from __future__ import annotations

import asyncio

import pytest

from tests.api.conftest import Office
from tests.api.test_acts import FORWARD, decide, submitted
from tests.scene import MINUTES_JSON, user

pytestmark = pytest.mark.embedded


async def approval_task(office: Office) -> str:
    """A task that two verifiers may work on."""
    update_id = await submitted(office)
    await decide(office, "puskesos.taraju", await office.open_task(update_id, "verification"), FORWARD)
    task = await office.open_task(update_id, "deliberation")
    await decide(office, "kades.taraju", task, FORWARD | {"minutes": MINUTES_JSON})
    return await office.open_task(update_id, "approval")


async def test_of_two_who_claim_at_once_one_holds_and_the_other_is_told_who(staffed: Office) -> None:
    task = await approval_task(staffed)
    desks = [await staffed.desk_of(name) for name in ("verifikator", "verifikator2")]
    answers = await asyncio.gather(*(desk.post(f"/v1/tasks/{task}/claim") for desk in desks * 4))
    held = [answer.json() for answer in answers if answer.status_code == 200]
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(held), len(refused)) == (4, 4)
    assert {(problem["code"], problem["data"]["claimed_by"]) for problem in refused} == {
        ("not_possible_now", held[0]["claimed_by"]),
    }
    assert {answer["version"] for answer in held} == {2}
    events = await staffed.scene.rows("SELECT 1 FROM audit_events WHERE type = 'task.claimed'")
    assert len(events) == 1


async def test_a_task_is_claimed_and_released_while_the_engine_is_down(office: Office, staffed: Office) -> None:
    task = await approval_task(staffed)
    desk = await office.desk_of("verifikator")
    claimed = await desk.post(f"/v1/tasks/{task}/claim")
    assert (claimed.json()["claimed_by"], claimed.headers["ETag"]) == (str(user("verifikator")), '"v2"')
    released = await desk.post(f"/v1/tasks/{task}/release", headers={"If-Match": '"v2"'})
    assert (released.json()["claimed_by"], released.headers["ETag"]) == (None, '"v3"')
    again = await desk.post(f"/v1/tasks/{task}/release")
    assert (again.status_code, again.headers["ETag"]) == (200, '"v3"')


async def test_only_the_holder_or_who_manages_the_task_releases_it(staffed: Office) -> None:
    task = await approval_task(staffed)
    await (await staffed.desk_of("verifikator")).post(f"/v1/tasks/{task}/claim")
    kabid = await staffed.desk_of("kabid")
    for username in ("verifikator2", "kadis", "kades.taraju"):
        response = await (await staffed.desk_of(username)).post(f"/v1/tasks/{task}/release")
        assert (response.status_code, response.json()["code"]) == (403, "forbidden"), username
    released = await kabid.post(f"/v1/tasks/{task}/release")
    assert (released.status_code, released.json()["claimed_by"]) == (200, None)
    event = await staffed.scene.one("SELECT actor_id, data FROM audit_events WHERE type = 'task.released'")
    assert (event.actor_id, event.data["holder"]) == (user("kabid"), str(user("verifikator")))


async def test_who_could_not_decide_a_task_cannot_claim_it(staffed: Office) -> None:
    task = await approval_task(staffed)
    for username, status in (("kades.taraju", 403), ("operator.taraju", 403), ("puskesos.cikubang", 404)):
        response = await (await staffed.desk_of(username)).post(f"/v1/tasks/{task}/claim")
        assert response.status_code == status, username


async def test_a_stale_or_decided_task_is_not_claimed(staffed: Office) -> None:
    task = await approval_task(staffed)
    desk = await staffed.desk_of("verifikator")
    stale = await desk.post(f"/v1/tasks/{task}/claim", headers={"If-Match": '"v7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    await decide(staffed, "verifikator", task, FORWARD)
    late = await (await staffed.desk_of("verifikator2")).post(f"/v1/tasks/{task}/claim")
    assert (late.status_code, late.json()["code"]) == (409, "task_already_decided")
    assert late.json()["data"]["decided_by_name"] == "Verifikator Dinas Sosial"


async def test_the_operator_claims_the_repair_of_what_they_submitted(staffed: Office) -> None:
    update_id = await submitted(staffed)
    returned = {"outcome": "return", "reason": "unclear_photo"}
    await decide(staffed, "puskesos.taraju", await staffed.open_task(update_id, "verification"), returned)
    task = await staffed.open_task(update_id, "repair")
    response = await (await staffed.desk_of("operator.taraju")).post(f"/v1/tasks/{task}/claim")
    assert response.status_code == 200, response.text
