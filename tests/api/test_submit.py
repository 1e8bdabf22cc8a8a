from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx2
import pytest

from devstack.demo_people import CIKUBANG
from domain.household import Household, HouseholdStatus
from tests.api.conftest import Office, until
from tests.api.proposals import NIK_OF_DEWI, death, new_household, newborn
from tests.scene import Scene, household_of

pytestmark = pytest.mark.embedded

COUNTED = ("updates", "update_revisions", "identity_digests", "outbox", "idempotency_keys")


async def submit(desk: httpx2.AsyncClient, body: dict[str, Any], *, key: str = "first") -> httpx2.Response:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return await desk.post("/v1/updates", content=json.dumps(body), headers=headers)


async def counts(scene: Scene) -> dict[str, int]:
    return {table: (await scene.one(f"SELECT count(*) AS n FROM {table}")).n for table in COUNTED}  # noqa: S608


async def test_an_update_is_accepted_although_the_engine_is_down(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    response = await submit(desk, newborn())
    receipt = response.json()
    assert response.status_code == 201, response.text
    assert (receipt["status"], receipt["engine"], receipt["task"]) == ("received", "pending", None)
    assert response.headers["Location"] == f"/v1/updates/{receipt['id']}" == receipt["links"]["self"]
    assert response.headers["ETag"] == '"v1"'
    case = await office.scene.case(UUID(receipt["id"]))
    assert (case.status, case.stage, case.settled, case.base_version) == ("received", None, [], 1)
    message = await office.scene.one("SELECT topic, subject_id, done_at FROM outbox")
    assert (message.topic, str(message.subject_id), message.done_at) == ("start_update", receipt["id"], None)


async def test_what_was_proposed_is_kept_sealed_and_leaves_no_personal_value_in_the_trail(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    update_id = UUID((await submit(desk, new_household())).json()["id"])
    (event,) = await office.scene.events(update_id)
    assert (event.type, event.status, event.actor_role) == ("update.submitted", "received", "village_operator")
    stored = await office.scene.one("SELECT change FROM update_revisions")
    request = await office.scene.one("SELECT request, response::text AS response FROM idempotency_keys")
    for place in (bytes(stored.change), bytes(request.request), request.response.encode(), repr(event.data).encode()):
        assert NIK_OF_DEWI.encode() not in place
        assert b"Dewi" not in place


async def test_the_same_request_again_has_the_same_answer_and_makes_no_second_case(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    first = await submit(desk, newborn())
    again = await submit(desk, newborn())
    assert (again.status_code, again.json()) == (201, first.json())
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await counts(office.scene))["updates"] == 1


async def test_a_repeat_is_answered_although_the_household_has_ended_meanwhile(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    household = household_of()
    first = await submit(desk, death(household))
    await office.scene.change_meanwhile(household, status=HouseholdStatus.MOVED_OUT)
    again = await submit(desk, death(household))
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])


async def test_another_body_under_the_same_key_is_refused(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    await submit(desk, newborn())
    other = await submit(desk, newborn(name="Neng Aisyah"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await counts(office.scene))["updates"] == 1


async def test_the_same_key_of_another_person_is_another_key(office: Office) -> None:
    first = await submit(await office.desk_of("operator.taraju"), newborn())
    second = await submit(await office.desk_of("puskesos.taraju"), newborn())
    assert (second.status_code, second.json()["id"] == first.json()["id"]) == (201, False)


async def test_twenty_identical_requests_at_once_make_one_case_and_have_one_answer(staffed: Office) -> None:
    desk = await staffed.desk_of("operator.taraju")
    answers = await asyncio.gather(*(submit(desk, newborn()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 19
    assert answers[0].json()["engine"] == "started"
    assert await counts(staffed.scene) | {"identity_digests": 0} == {
        "updates": 1,
        "update_revisions": 1,
        "identity_digests": 0,
        "outbox": 1,
        "idempotency_keys": 1,
    }
    await staffed.open_task(answers[0].json()["id"], "verification")


async def test_what_the_request_started_is_not_left_to_the_dispatcher(staffed: Office) -> None:
    desk = await staffed.desk_of("operator.taraju")
    receipt = (await submit(desk, newborn())).json()
    await staffed.open_task(receipt["id"], "verification")
    message = await staffed.scene.one("SELECT done_at, attempts FROM outbox")
    assert (receipt["engine"], message.done_at is not None, message.attempts) == ("started", True, 0)


async def test_what_was_accepted_while_the_engine_was_down_starts_when_it_is_back(
    scene: Scene,
    office: Office,
    staffed: Office,
) -> None:
    receipt = (await submit(await office.desk_of("operator.taraju"), newborn())).json()
    assert receipt["engine"] == "pending"
    again = (await submit(await staffed.desk_of("operator.taraju"), newborn())).json()
    assert (again["id"], again["engine"]) == (receipt["id"], "started")
    await staffed.open_task(receipt["id"], "verification")

    async def delivered() -> bool:
        return (await scene.one("SELECT done_at FROM outbox")).done_at is not None

    await until(delivered)


async def test_a_number_known_elsewhere_is_a_finding_and_its_area_is_told_to_its_own_people_only(
    office: Office,
) -> None:
    desk = await office.desk_of("operator.taraju")
    body = new_household()
    spouse = body["change"]["members"][1]
    at_home, abroad = _somebody(household_of(1)), _somebody(household_of(1, village=CIKUBANG))
    spouse |= at_home
    known_here = (await submit(desk, body, key="here")).json()["findings"]
    spouse |= abroad
    known_there = (await submit(desk, body, key="there")).json()["findings"]
    pointer = "/change/members/1/nik"
    assert {
        "code": "duplicate_nik",
        "pointer": pointer,
        "owner": "household",
        "area_code": "32.06.13.2001",
    } in known_here
    assert {"code": "duplicate_nik", "pointer": pointer, "owner": "household"} in known_there
    assert CIKUBANG not in str(known_there)
    assert {"duplicate_nik", "duplicate_kk"} == {finding["code"] for finding in known_there}


def _somebody(household: Household) -> dict[str, Any]:
    """A registered woman, as she would be written on another card."""
    woman = next(m for m in household.active_members if m.sex == "female" and m.nik is not None)
    return {"nik": woman.nik, "name": woman.name, "sex": "female", "birth_date": woman.birth_date.isoformat()}


async def test_a_number_of_the_same_household_is_no_finding(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    household = household_of()
    member = next(m for m in household.active_members if m.nik is not None)
    correction = {
        "area_code": household.area_code,
        "household_id": str(household.id),
        "change": {"kind": "identity_correction", "member_id": str(member.id), "nik": member.nik, "name": "Nama Baru"},
        "evidence": [{"type": "ktp", "reference": "1"}, {"type": "kk", "reference": "2"}],
    }
    response = await submit(desk, correction)
    assert (response.status_code, response.json().get("findings")) == (201, []), response.text


async def test_two_open_updates_of_one_household_are_shown_to_each_other(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    first = (await submit(desk, newborn(), key="1")).json()
    second = (await submit(desk, death(), key="2")).json()
    assert second["findings"] == [{"code": "other_open_update", "update_id": first["id"]}]
    case = await office.scene.case(UUID(first["id"]))
    assert case.findings == [{"code": "other_open_update", "update_id": second["id"]}]
    assert case.version == 2


async def test_two_submitted_at_the_same_moment_are_shown_to_each_other_too(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    answers = await asyncio.gather(*(submit(desk, newborn(), key=f"k{n}") for n in range(6)))
    ids = {answer.json()["id"] for answer in answers}
    for row in await office.scene.rows("SELECT id, findings FROM updates"):
        assert {finding["update_id"] for finding in row.findings} == ids - {str(row.id)}


async def test_an_update_may_be_based_on_an_older_version_of_the_household(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    household = household_of()
    await office.scene.change_meanwhile(household, desil=3)
    response = await submit(desk, newborn(household))
    case = await office.scene.case(UUID(response.json()["id"]))
    assert (response.status_code, case.base_version) == (201, 1)


async def test_without_a_version_the_update_is_based_on_the_household_as_it_is(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    household = household_of()
    await office.scene.change_meanwhile(household, desil=3)
    body = newborn(household)
    del body["household_version"]
    case = await office.scene.case(UUID((await submit(desk, body)).json()["id"]))
    assert case.base_version == 2
