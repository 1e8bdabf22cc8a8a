"""Decisions, repairs and withdrawals through the API, carried out by a real engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from api.app import open_kawal
from devstack.temporal import TemporalServer
from runtime.engine import Engine, connect
from tests.api.conftest import PATIENCE_SECONDS, Office, opened, staffed_settings, working
from tests.api.proposals import death, newborn
from tests.api.test_submit import submit
from tests.scene import MINUTES_JSON, Scene, user

pytestmark = pytest.mark.embedded

FORWARD = {"outcome": "forward"}
BY_MINUTES = FORWARD | {"minutes": MINUTES_JSON}
RETURN = {"outcome": "return", "reason": "incomplete_documents", "note": "Surat lahir belum ada."}
NO_TASK = "00000000-0000-4000-8000-000000000000"


async def submitted(office: Office, body: dict[str, Any] | None = None) -> str:
    response = await submit(await office.desk_of("operator.taraju"), body or newborn())
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def decide(
    office: Office,
    username: str,
    task_id: str,
    decision: dict[str, Any],
    **headers: str,
) -> httpx2.Response:
    desk = await office.desk_of(username)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.post(f"/v1/tasks/{task_id}/decision", json=decision, headers=named)


async def test_a_case_goes_from_stage_to_stage_by_decisions(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    for username, decision, stage in (
        ("puskesos.taraju", FORWARD, "deliberation"),
        ("kades.taraju", BY_MINUTES, "approval"),
        ("verifikator", FORWARD, "endorsement"),
        ("kadis", FORWARD, "delivery"),
    ):
        response = await decide(staffed, username, task, decision)
        answer = response.json()
        assert response.status_code == 200, response.text
        assert answer["update"] == {"id": update_id, "status": f"in_{stage}", "stage": stage, "level": 0}
        assert answer["decision"] == {"task_id": task, "outcome": "forward", "reason": None}
        task = answer["next_task_id"]
        assert task == await staffed.open_task(update_id, stage)


async def test_the_same_decision_again_has_the_same_answer(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    first = await decide(staffed, "puskesos.taraju", task, FORWARD, Idempotency_Key="once")
    again = await decide(staffed, "puskesos.taraju", task, FORWARD, Idempotency_Key="once")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await decide(staffed, "puskesos.taraju", task, RETURN, Idempotency_Key="once")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_of_many_identical_decisions_at_once_one_is_recorded_and_all_are_answered(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    answers = await asyncio.gather(
        *(decide(staffed, "puskesos.taraju", task, FORWARD, Idempotency_Key="once") for _ in range(8)),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    rows = await staffed.scene.rows("SELECT id FROM decisions WHERE update_id = :id", id=UUID(update_id))
    assert len(rows) == 1


async def test_of_two_who_decide_at_once_one_does_and_the_other_is_told_who(staffed: Office) -> None:
    update_id = await submitted(staffed)
    await decide(staffed, "puskesos.taraju", await staffed.open_task(update_id, "verification"), FORWARD)
    await decide(staffed, "kades.taraju", await staffed.open_task(update_id, "deliberation"), BY_MINUTES)
    task = await staffed.open_task(update_id, "approval")
    answers = await asyncio.gather(
        decide(staffed, "verifikator", task, FORWARD),
        decide(staffed, "verifikator2", task, {"outcome": "reject", "reason": "not_eligible_means"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert lost["code"] == "task_already_decided"
    assert lost["data"]["outcome"] == won["decision"]["outcome"]
    names = {
        str(user("verifikator")): "Verifikator Dinas Sosial",
        str(user("verifikator2")): "Verifikator Kedua Dinas Sosial",
    }
    assert lost["data"]["decided_by_name"] == names[lost["data"]["decided_by"]]


async def test_a_task_that_was_decided_long_ago_says_who_decided(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    await decide(staffed, "puskesos.taraju", task, FORWARD)
    late = await decide(staffed, "puskesos.taraju", task, FORWARD)
    problem = late.json()
    assert (late.status_code, problem["code"]) == (409, "task_already_decided")
    assert problem["data"]["decided_by_name"] == "Petugas PUSKESOS Taraju"


async def test_who_may_not_decide_is_told_why(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    for username, status, code in (
        ("kades.taraju", 403, "forbidden"),
        ("bupati", 403, "forbidden"),
        ("puskesos.cikubang", 404, "not_found"),
    ):
        response = await decide(staffed, username, task, FORWARD)
        assert (response.status_code, response.json()["code"]) == (status, code), username
    assert (await decide(staffed, "puskesos.taraju", NO_TASK, FORWARD)).status_code == 404


async def test_nobody_verifies_what_they_submitted(staffed: Office) -> None:
    response = await submit(await staffed.desk_of("puskesos.taraju"), newborn())
    task = await staffed.open_task(response.json()["id"], "verification")
    refused = await decide(staffed, "puskesos.taraju", task, FORWARD)
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")


@pytest.mark.parametrize(
    ("decision", "pointer", "code"),
    [
        ({"outcome": "return"}, "/reason", "reason_unfit"),
        ({"outcome": "return", "reason": "other"}, "/reason", "value_unknown"),
        ({"outcome": "forward", "reason": "quota"}, "/reason", "reason_not_expected"),
        ({"outcome": "approve"}, "/outcome", "value_unknown"),
        ({}, "/outcome", "field_missing"),
        ({"outcome": "forward", "letter": "1"}, "/letter", "field_unknown"),
        ({"outcome": "forward", "note": " \u200b"}, "/note", "value_refused"),
    ],
)
async def test_an_incomplete_decision_is_refused_at_its_place(
    staffed: Office,
    decision: dict[str, Any],
    pointer: str,
    code: str,
) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    response = await decide(staffed, "puskesos.taraju", task, decision, Idempotency_Key="k")
    assert response.status_code == 422, response.text
    assert [(v["pointer"], v["code"]) for v in response.json()["violations"]] == [(pointer, code)]
    assert await staffed.scene.rows("SELECT 1 FROM idempotency_keys WHERE key = 'k'") == []
    assert await staffed.scene.rows("SELECT 1 FROM decisions") == []


async def test_a_deliberation_needs_its_minutes(staffed: Office) -> None:
    update_id = await submitted(staffed)
    await decide(staffed, "puskesos.taraju", await staffed.open_task(update_id, "verification"), FORWARD)
    task = await staffed.open_task(update_id, "deliberation")
    response = await decide(staffed, "kades.taraju", task, FORWARD)
    assert response.json()["violations"][0]["code"] == "minutes_required"


async def test_a_decision_on_an_older_version_of_the_task_is_refused(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    desk = await staffed.desk_of("puskesos.taraju")
    claimed = await desk.post(f"/v1/tasks/{task}/claim", headers={"If-Match": '"v1"'})
    assert (claimed.status_code, claimed.headers["ETag"]) == (200, '"v2"')
    for stale in ('"v1"', 'W/"v2"', '"nonsense"', '"v1", "v9"'):
        response = await decide(staffed, "puskesos.taraju", task, FORWARD, If_Match=stale)
        assert (response.status_code, response.json()["code"]) == (412, "stale_version"), stale
    assert (await decide(staffed, "puskesos.taraju", task, FORWARD, If_Match='"v1", "v2"')).status_code == 200


async def test_a_returned_update_is_repaired_and_goes_on(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    returned = (await decide(staffed, "puskesos.taraju", task, RETURN)).json()
    assert (returned["update"]["status"], returned["decision"]["reason"]) == ("returned", "incomplete_documents")
    desk = await staffed.desk_of("operator.taraju")
    body = newborn(name="Neng Zahra Aulia")
    repair = {"change": body["change"], "evidence": body["evidence"], "note": "Surat lahir dilampirkan."}
    first = await desk.post(f"/v1/updates/{update_id}/resubmission", json=repair, headers={"Idempotency-Key": "r"})
    assert first.status_code == 200, first.text
    assert first.json()["update"]["stage"] == "verification"
    assert first.json()["next_task_id"] == await staffed.open_task(update_id, "verification")
    again = await desk.post(f"/v1/updates/{update_id}/resubmission", json=repair, headers={"Idempotency-Key": "r"})
    assert (again.status_code, again.json()) == (200, first.json())
    once_more = await desk.post(f"/v1/updates/{update_id}/resubmission", json=repair)
    assert (once_more.status_code, once_more.json()["code"]) == (409, "not_possible_now")


async def test_a_repair_is_checked_like_a_submission(staffed: Office) -> None:
    update_id = await submitted(staffed)
    await decide(staffed, "puskesos.taraju", await staffed.open_task(update_id, "verification"), RETURN)
    desk = await staffed.desk_of("operator.taraju")
    other = death()
    response = await desk.post(
        f"/v1/updates/{update_id}/resubmission",
        json={"change": other["change"], "evidence": []},
    )
    assert response.status_code == 422
    assert {(v["pointer"], v["code"]) for v in response.json()["violations"]} == {
        ("/change/kind", "kind_differs"),
        ("/evidence", "evidence_missing"),
    }


async def test_only_the_operator_repairs_and_withdraws(staffed: Office) -> None:
    update_id = await submitted(staffed)
    body = newborn()
    repair = {"change": body["change"], "evidence": body["evidence"]}
    note = {"note": "Keluarga membatalkan."}
    for username, status in (("kades.taraju", 403), ("verifikator", 403), ("operator.cikubang", 404)):
        desk = await staffed.desk_of(username)
        assert (await desk.post(f"/v1/updates/{update_id}/resubmission", json=repair)).status_code == status
        assert (await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note)).status_code == status


async def test_a_withdrawn_update_takes_no_further_act(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    desk = await staffed.desk_of("operator.taraju")
    note = {"note": "Keluarga membatalkan."}
    response = await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note, headers={"Idempotency-Key": "w"})
    answer = response.json()
    assert (response.status_code, answer["update"]["status"], answer["next_task_id"]) == (200, "withdrawn", None)
    again = await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note, headers={"Idempotency-Key": "w"})
    assert again.json() == answer
    for late in (
        await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note),
        await desk.post(f"/v1/updates/{update_id}/resubmission", json={"change": newborn()["change"]}),
    ):
        assert (late.status_code, late.json()["code"]) == (409, "case_closed")
    assert (await decide(staffed, "puskesos.taraju", task, FORWARD)).status_code == 409


async def test_while_the_engine_is_down_an_act_is_put_off_and_done_under_the_same_key_when_it_is_back(
    office: Office,
    staffed: Office,
) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    put_off = await decide(office, "puskesos.taraju", task, FORWARD, Idempotency_Key="k")
    problem = put_off.json()
    assert (put_off.status_code, problem["code"]) == (503, "engine_unavailable")
    assert int(put_off.headers["Retry-After"]) > 0
    assert problem["data"] == {"update_id": update_id, "idempotency_key": "k"}
    done = await decide(staffed, "puskesos.taraju", task, FORWARD, Idempotency_Key="k")
    assert (done.status_code, done.json()["update"]["status"]) == (200, "in_deliberation")


async def test_an_update_that_was_not_started_yet_is_withdrawn_later(office: Office, staffed: Office) -> None:
    update_id = await submitted(office)
    desk = await office.desk_of("operator.taraju")
    note = {"note": "Keluarga membatalkan."}
    headers = {"Idempotency-Key": "w"}
    put_off = await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note, headers=headers)
    assert (put_off.status_code, put_off.json()["code"]) == (503, "engine_unavailable")
    await submit(await staffed.desk_of("operator.taraju"), newborn())
    await staffed.open_task(update_id, "verification")
    desk = await staffed.desk_of("operator.taraju")
    done = await desk.post(f"/v1/updates/{update_id}/withdrawal", json=note, headers=headers)
    assert (done.status_code, done.json()["update"]["status"]) == (200, "withdrawn")


async def test_an_act_without_a_key_is_given_one_that_the_answer_names(office: Office, staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    problem = (await decide(office, "puskesos.taraju", task, FORWARD)).json()
    key = problem["data"]["idempotency_key"]
    done = await decide(staffed, "puskesos.taraju", task, FORWARD, Idempotency_Key=key)
    assert (done.status_code, done.headers["Idempotency-Key"]) == (200, key)


async def test_an_act_whose_outcome_is_not_known_in_time_is_told_under_the_same_key(
    scene: Scene,
    temporal_server: TemporalServer,
) -> None:
    settings = staffed_settings(scene, temporal_server)
    kawal = await open_kawal(settings)
    engine = Engine(await connect(settings), queue_prefix=settings.task_queue_prefix, patience=timedelta(seconds=1))
    async with opened(scene, settings, kawal=replace(kawal, engine=engine)) as hasty:
        update_id = await submitted(hasty)
        desk = await hasty.desk_of("operator.taraju")
        note, headers = {"note": "Keluarga membatalkan."}, {"Idempotency-Key": "w"}
        address = f"/v1/updates/{update_id}/withdrawal"
        pending = await desk.post(address, json=note, headers=headers)
        assert (pending.status_code, pending.json()["code"]) == (202, "act_pending"), pending.text
        assert pending.headers["Location"] == f"/v1/updates/{update_id}"
        assert int(pending.headers["Retry-After"]) > 0
        assert pending.json()["data"]["idempotency_key"] == "w"
        async with working(scene, settings), asyncio.timeout(PATIENCE_SECONDS):
            while (known := await desk.post(address, json=note, headers=headers)).status_code == 202:
                pass
        assert (known.status_code, known.json()["update"]["status"]) == (200, "withdrawn"), known.text
    await kawal.database.close()
