"""What a supervisor does about a task without deciding it, and a case that is sent up the ladder by hand."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.api.conftest import Office
from tests.api.test_acts import FORWARD, decide, submitted
from tests.api.test_claims import approval_task
from tests.scene import user

pytestmark = pytest.mark.embedded

TWO_DAYS = {"working_days": 2, "reason": "hard_to_reach"}
URGENT = {"reason": "urgent_need"}
NOBODY = "00000000-0000-4000-8000-000000000000"


async def order(office: Office, username: str, path: str, body: dict[str, Any], **headers: str) -> Any:
    desk = await office.desk_of(username)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.post(path, json=body, headers=named)


async def test_a_supervisor_gives_a_task_to_an_officer_who_is_told(staffed: Office) -> None:
    task = await approval_task(staffed)
    assignable = (await (await staffed.desk_of("kabid")).get(f"/v1/tasks/{task}/assignable")).json()
    assert {person["id"] for person in assignable} == {str(user("verifikator")), str(user("verifikator2"))}
    await order(staffed, "verifikator", f"/v1/tasks/{task}/claim", {})

    given = await order(staffed, "kabid", f"/v1/tasks/{task}/reassign", {"to": str(user("verifikator2"))})
    assert (given.status_code, given.json()["claimed_by"]) == (200, str(user("verifikator2")))
    assert given.headers["ETag"] == '"v3"'
    event = await staffed.scene.one("SELECT actor_id, data FROM audit_events WHERE type = 'task.reassigned'")
    assert (event.actor_id, event.data["holder"], event.data["to"]) == (
        user("kabid"),
        str(user("verifikator")),
        str(user("verifikator2")),
    )
    told = await (await staffed.desk_of("verifikator2")).get("/v1/notifications")
    assert "handed_over" in {each["subject"] for each in told.json()["items"]}

    again = await order(staffed, "kabid", f"/v1/tasks/{task}/reassign", {"to": str(user("verifikator2"))})
    assert (again.status_code, again.headers["ETag"]) == (200, '"v3"')


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (NOBODY, "assignee_unknown"),
        (str(user("kades.taraju")), "assignee_unsuitable"),
        (str(user("puskesos.cikubang")), "assignee_unsuitable"),
    ],
)
async def test_nobody_is_given_what_they_may_not_do(staffed: Office, to: str, code: str) -> None:
    task = await approval_task(staffed)
    refused = await order(staffed, "kabid", f"/v1/tasks/{task}/reassign", {"to": to})
    (violation,) = refused.json()["violations"]
    assert (refused.status_code, violation["pointer"], violation["code"]) == (422, "/to", code)
    row = await staffed.scene.one("SELECT claimed_by, version FROM tasks WHERE id = :id", id=task)
    assert (row.claimed_by, row.version) == (None, 1)


async def test_orders_are_for_who_manages_the_task_and_nobody_hears_of_it_elsewhere(staffed: Office) -> None:
    task = await approval_task(staffed)
    orders = (("reassign", {"to": str(user("verifikator2"))}), ("extend", TWO_DAYS))
    for name, body in orders:
        for username, status in (("verifikator", 403), ("kades.taraju", 403), ("puskesos.cikubang", 404)):
            answer = await order(staffed, username, f"/v1/tasks/{task}/{name}", body)
            assert answer.status_code == status, (name, username, answer.text)
    listed = await (await staffed.desk_of("verifikator")).get(f"/v1/tasks/{task}/assignable")
    assert listed.status_code == 403


async def test_a_deadline_is_extended_twice_by_so_many_days_and_explains_itself(staffed: Office) -> None:
    task = await approval_task(staffed)
    kabid = await staffed.desk_of("kabid")
    before = (await kabid.get(f"/v1/tasks/{task}")).json()["task"]
    too_long = await order(staffed, "kabid", f"/v1/tasks/{task}/extend", TWO_DAYS | {"working_days": 6})
    assert (too_long.status_code, too_long.json()["violations"][0]["code"]) == (422, "extension_too_long")

    first = await order(staffed, "kabid", f"/v1/tasks/{task}/extend", TWO_DAYS)
    second = await order(staffed, "kabid", f"/v1/tasks/{task}/extend", TWO_DAYS, If_Match=first.headers["ETag"])
    third = await order(staffed, "kabid", f"/v1/tasks/{task}/extend", TWO_DAYS)
    assert [first.status_code, second.status_code] == [200, 200]
    assert (third.status_code, third.json()["code"]) == (409, "not_possible_now")

    after = (await kabid.get(f"/v1/tasks/{task}")).json()
    due = [datetime.fromisoformat(each) for each in (before["deadline"]["due_at"], first.json()["due_at"])]
    assert due[0] < due[1] < datetime.fromisoformat(second.json()["due_at"])
    assert after["task"]["deadline"]["due_at"] == second.json()["due_at"]
    assert [credit["cause"] for credit in after["task"]["deadline"]["reckoning"]["credits"]] == [
        "extension",
        "extension",
    ]
    extending = next(action for action in after["actions"] if action["name"] == "extend")
    assert (extending["allowed"], extending["because"]["code"]) == (False, "not_possible_now")
    events = await staffed.scene.rows("SELECT data FROM audit_events WHERE type = 'task.extended' ORDER BY seq")
    assert [event.data["reason"] for event in events] == ["hard_to_reach", "hard_to_reach"]
    milestone = await staffed.scene.one(
        "SELECT next_milestone_at, due_at, opened_at FROM tasks WHERE id = :id", id=task
    )
    assert milestone.opened_at < milestone.next_milestone_at < milestone.due_at


async def test_of_two_extensions_at_once_past_the_limit_one_is_refused(staffed: Office) -> None:
    task = await approval_task(staffed)
    answers = await asyncio.gather(
        *(order(staffed, "kabid", f"/v1/tasks/{task}/extend", TWO_DAYS) for _ in range(6)),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409, 409, 409]


async def test_a_case_climbs_by_hand_and_whoever_is_above_may_decide(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    raised = await order(staffed, "puskesos.taraju", f"/v1/tasks/{task}/escalation", URGENT, Idempotency_Key="up")
    again = await order(staffed, "puskesos.taraju", f"/v1/tasks/{task}/escalation", URGENT, Idempotency_Key="up")
    assert (raised.status_code, raised.json()["update"]["level"]) == (200, 1)
    assert again.headers["Idempotency-Replayed"] == "true"
    row = await staffed.scene.one("SELECT level, cause FROM updates WHERE id = :id", id=update_id)
    assert (row.level, row.cause) == (1, "manual")
    (rung,) = await staffed.scene.rows("SELECT to_role, cause FROM escalations WHERE task_id = :id", id=task)
    assert (rung.to_role, rung.cause) == ("district_supervisor", "manual")

    by_superior, by_holder = await asyncio.gather(
        decide(staffed, "slrt.taraju", task, FORWARD),
        decide(staffed, "puskesos.taraju", task, FORWARD),
    )
    assert sorted((by_superior.status_code, by_holder.status_code)) == [200, 409]
    (late,) = [each for each in (by_superior, by_holder) if each.status_code == 409]
    assert late.json()["code"] == "task_already_decided"
    assert late.json()["data"]["decided_by_name"]
    case = await staffed.scene.one("SELECT level, cause, stage FROM updates WHERE id = :id", id=update_id)
    assert (case.level, case.cause, case.stage) == (0, None, "deliberation")


async def test_past_the_last_rung_nobody_is_above(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    for level in (1, 2, 3):
        raised = await order(staffed, "slrt.taraju", f"/v1/tasks/{task}/escalation", URGENT)
        assert raised.json()["update"]["level"] == level, raised.text
    refused = await order(staffed, "slrt.taraju", f"/v1/tasks/{task}/escalation", URGENT)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible_now")
    foreign = await order(staffed, "operator.taraju", f"/v1/tasks/{task}/escalation", URGENT)
    assert foreign.status_code == 403


SENT_BACK = {"to": "verification", "reason": "wrongly_decided"}


async def test_an_administrator_sends_a_stuck_case_back_and_it_is_verified_again(staffed: Office) -> None:
    task = await approval_task(staffed)
    update_id = str((await staffed.scene.one("SELECT update_id FROM tasks WHERE id = :id", id=task)).update_id)
    path = f"/v1/updates/{update_id}/correction"
    ahead = await order(staffed, "admin", path, SENT_BACK | {"to": "endorsement"})
    assert (ahead.status_code, ahead.json()["code"]) == (409, "not_possible_now")
    back = await order(staffed, "admin", path, SENT_BACK)
    assert (back.status_code, back.json()["update"]["stage"]) == (200, "verification"), back.text
    late = await decide(staffed, "verifikator", task, FORWARD)
    assert late.status_code == 409
    event = await staffed.scene.one("SELECT actor_id, data FROM audit_events WHERE type = 'update.sent_back'")
    assert (event.actor_id, event.data["was"], event.data["stage"]) == (user("admin"), "approval", "verification")
    again = await staffed.open_task(update_id, "verification")
    answer = await decide(staffed, "puskesos.taraju", again, FORWARD)
    assert answer.json()["update"]["stage"] == "deliberation"


async def test_nobody_else_sends_a_case_back(staffed: Office) -> None:
    update_id = await submitted(staffed)
    await staffed.open_task(update_id, "verification")
    for username in ("kabid", "kadis", "puskesos.taraju"):
        answer = await order(staffed, username, f"/v1/updates/{update_id}/correction", SENT_BACK)
        assert answer.status_code == 403, (username, answer.text)
