"""Drafts: checked as policies, tried on open cases, amended, rebased, withdrawn; and who sees them when."""

from __future__ import annotations

import asyncio

import pytest

from domain.vocabulary import Stage
from tests.api.policies.chamber import ADMIN, DRAFTS, HEAD, OPERATOR, PLANNER, Chamber, policy, quicker
from tests.casework.play import Play
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded


async def test_a_policy_that_would_lose_a_case_is_refused_at_its_place(chamber: Chamber) -> None:
    no_ladder, unreachable, misspelt = policy(), policy(), policy(routse="standard")
    no_ladder["stages"][0]["ladder"] = []
    for route in unreachable["routes"]:
        route["stages"] = [stage for stage in route["stages"] if stage != "endorsement"]
    for document in (no_ladder, unreachable, misspelt, {}):
        answer = await chamber.ask(PLANNER, "POST", DRAFTS, {"policy": document})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid_input")
        assert all(violation["pointer"].startswith("/policy") for violation in problem["violations"])
        assert all(violation["remedy"] for violation in problem["violations"])
    assert await chamber.office.scene.rows("SELECT 1 FROM policy_drafts") == []


async def test_a_draft_is_tried_on_open_cases_and_changes_none(chamber: Chamber) -> None:
    play = Play(chamber.office.scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    before = await play.case(update_id)
    trial = (await chamber.draft(quicker(3)))["trial"]
    assert (trial["open_cases"], trial["affected"]) == (1, 1)
    (group,) = trial["groups"]
    first_due = group.pop("first_due")
    assert group == {
        "kind": "circumstances",
        "stage": "verification",
        "cases": 1,
        "effects": ["deadline"],
        "deadline": {"working_days": 5},
        "would_be": {"working_days": 3},
    }
    assert first_due["would_be_due_at"] < first_due["due_at"]
    assert await play.case(update_id) == before
    untouched = (await chamber.draft(policy()))["trial"]
    assert (untouched["open_cases"], untouched["affected"], untouched["groups"]) == (1, 0, [])


async def test_a_draft_is_compared_with_the_policy_in_force_in_words(chamber: Chamber) -> None:
    draft = await chamber.draft(quicker(3))
    found = await chamber.get(HEAD, f"{DRAFTS}/{draft['id']}/diff")
    assert found["policy_in_force"] == str(chamber.office.scene.policy_version_id)
    words = {item["pointer"]: item["words"]["en"] for item in found["differences"]}
    assert words["/stages/verification/deadline"] == "Stage verification, deadline: 5 working days → 3 working days"
    assert words["/area_code"] == "Area: * → 32.06"


async def test_the_tiers_below_see_a_draft_from_the_moment_it_is_shown(chamber: Chamber) -> None:
    draft = await chamber.draft()
    path = f"{DRAFTS}/{draft['id']}"
    for part in ("", "/diff", "/comments", "/revisions/1"):
        assert (await chamber.ask(OPERATOR, "GET", path + part)).status_code == 404, part
    assert (await chamber.get(OPERATOR, DRAFTS))["items"] == []
    await chamber.ask(PLANNER, "POST", f"{path}/consultation")
    for part in ("", "/diff", "/comments", "/revisions/1"):
        assert (await chamber.ask(OPERATOR, "GET", path + part)).status_code == 200, part
    assert [item["id"] for item in (await chamber.get(OPERATOR, DRAFTS))["items"]] == [draft["id"]]


async def test_a_draft_of_the_nation_is_shown_to_every_village_and_of_a_regency_to_its_own_alone(
    chamber: Chamber,
) -> None:
    national = await chamber.shown(quicker(area_code="*"), by=ADMIN)
    assert (await chamber.ask(OPERATOR, "GET", f"{DRAFTS}/{national['id']}")).status_code == 200
    regional = await chamber.shown()
    await chamber.office.scene.rows(
        "UPDATE memberships SET area_code = '32.07.01.2001' WHERE area_code = '32.06.13.2002' RETURNING 1",
    )
    for path in (f"{DRAFTS}/{regional['id']}", f"{DRAFTS}/{regional['id']}/comments"):
        assert (await chamber.ask("operator.cikubang", "GET", path)).status_code == 404
    assert (await chamber.comment(regional["id"], by="operator.cikubang")).status_code == 404
    assert (await chamber.comment(national["id"], by="operator.cikubang")).status_code == 201


async def test_an_amendment_shows_the_draft_anew_and_comments_keep_their_revision(chamber: Chamber) -> None:
    draft = await chamber.shown()
    comment = (await chamber.comment(draft["id"], pointer="/stages/0/deadline")).json()
    chamber.clock.move(seconds=19)
    path = f"{DRAFTS}/{draft['id']}/revisions"
    amended = await chamber.ask(PLANNER, "POST", path, {"policy": quicker(4)}, holds=draft["version"])
    assert amended.status_code == 201, amended.text
    now = amended.json()
    assert (now["revision"], now["status"], now["unanswered"]) == (2, "in_consultation", 1)
    assert now["consultation"]["closes_at"] > draft["consultation"]["closes_at"]
    (kept,) = (await chamber.get(OPERATOR, f"{DRAFTS}/{draft['id']}/comments"))["items"]
    assert (kept["id"], kept["revision"], kept["pointer"]) == (comment["id"], 1, "/stages/verification/deadline")
    before = await chamber.get(OPERATOR, f"{path}/1")
    assert before["document"] == quicker(3)


async def test_an_amendment_of_what_has_changed_meanwhile_is_refused(chamber: Chamber) -> None:
    draft = await chamber.draft()
    path = f"{DRAFTS}/{draft['id']}/revisions"
    first, second = await asyncio.gather(
        *(chamber.ask(by, "POST", path, {"policy": quicker(4)}, holds=1) for by in (PLANNER, ADMIN)),
    )
    assert sorted((first.status_code, second.status_code)) == [201, 412]
    missing = await chamber.ask(PLANNER, "POST", path, {"policy": quicker(4)})
    assert (missing.status_code, missing.json()["code"]) == (422, "invalid_input")


async def test_a_draft_on_a_version_that_no_longer_comes_last_is_rebased(chamber: Chamber) -> None:
    first, second = await chamber.shown(quicker(3)), await chamber.shown(quicker(4))
    chamber.clock.move(seconds=21)
    winner = (await chamber.publish(first["id"])).json()
    refused = await chamber.publish(second["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "draft_outdated")
    assert refused.json()["data"] == {"based_on": winner["id"]}
    assert (await chamber.get(PLANNER, f"{DRAFTS}/{second['id']}"))["outdated_by"] == winner["id"]
    body = {"policy": quicker(4), "based_on": refused.json()["data"]["based_on"]}
    rebased = await chamber.ask(PLANNER, "POST", f"{DRAFTS}/{second['id']}/revisions", body, holds=second["version"])
    assert (rebased.status_code, rebased.json()["outdated_by"]) == (201, None), rebased.text
    assert (await chamber.publish(second["id"])).json()["code"] == "consultation_incomplete"
    chamber.clock.move(seconds=21)
    assert (await chamber.publish(second["id"])).json()["number"] == 2


async def test_a_draft_cannot_build_on_a_version_of_long_ago(chamber: Chamber) -> None:
    old = (await chamber.published(quicker(3)))["id"]
    newest = (await chamber.published(quicker(4)))["id"]
    body = {"policy": quicker(2), "based_on": old}
    refused = await chamber.ask(PLANNER, "POST", DRAFTS, body)
    assert (refused.json()["code"], refused.json()["data"]) == ("draft_outdated", {"based_on": newest})


async def test_only_the_office_that_drafted_amends_opens_answers_and_withdraws(chamber: Chamber) -> None:
    draft = await chamber.draft()
    scene = chamber.office.scene
    await scene.rows(
        "UPDATE memberships SET office_id = (SELECT id FROM offices WHERE name LIKE 'Inspektorat%') "
        "WHERE role = 'planner' RETURNING 1"
    )
    for path, body in (
        ("revisions", {"policy": quicker()}),
        ("consultation", None),
        ("withdrawal", {"note": "Batal."}),
    ):
        answer = await chamber.ask(PLANNER, "POST", f"{DRAFTS}/{draft['id']}/{path}", body, holds="*")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert (await chamber.ask(ADMIN, "POST", f"{DRAFTS}/{draft['id']}/consultation")).status_code == 200


async def test_a_draft_that_was_withdrawn_ends_there_and_what_was_said_stays(chamber: Chamber) -> None:
    draft = await chamber.shown()
    comment = (await chamber.comment(draft["id"])).json()
    withdrawal = (PLANNER, "POST", f"{DRAFTS}/{draft['id']}/withdrawal", {"note": "Menunggu peraturan."})
    assert (await chamber.ask(*withdrawal)).json()["status"] == "withdrawn"
    assert (await chamber.ask(*withdrawal)).json()["code"] == "not_possible_now"
    chamber.clock.move(seconds=21)
    for refused in (await chamber.comment(draft["id"]), await chamber.publish(draft["id"])):
        assert (refused.status_code, refused.json()["code"]) == (409, "not_possible_now")
    kept = await chamber.get(OPERATOR, f"{DRAFTS}/{draft['id']}/comments")
    assert [item["id"] for item in kept["items"]] == [comment["id"]]


async def test_who_may_not_draft_is_refused(chamber: Chamber) -> None:
    for by in (OPERATOR, HEAD, "bupati"):
        assert (await chamber.ask(by, "POST", DRAFTS, {"policy": policy()})).status_code == 403, by
    for area in ("*", "32.07"):
        assert (await chamber.ask(PLANNER, "POST", DRAFTS, {"policy": policy(area)})).status_code == 404, area


async def test_a_draft_sent_twice_under_one_key_is_made_once(chamber: Chamber) -> None:
    body = {"policy": quicker()}
    first, again = [await chamber.ask(PLANNER, "POST", DRAFTS, body, key="spring") for _ in range(2)]
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    other = await chamber.ask(PLANNER, "POST", DRAFTS, {"policy": policy()}, key="spring")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await chamber.office.scene.rows("SELECT 1 FROM policy_drafts")) == 1


async def test_a_repeat_is_answered_although_its_moment_has_passed(chamber: Chamber) -> None:
    body = {"policy": quicker(), "effective_from": chamber.clock().isoformat()}
    first = await chamber.ask(PLANNER, "POST", DRAFTS, body, key="spring")
    chamber.clock.move(minutes=20)
    again = await chamber.ask(PLANNER, "POST", DRAFTS, body, key="spring")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
