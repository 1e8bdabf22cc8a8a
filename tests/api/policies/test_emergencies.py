"""Policies that could not wait: in force at once and for a time; then confirmed, or gone by themselves."""

from __future__ import annotations

from datetime import datetime

import pytest

from domain.origins import ActOrigin, Means, acting_from, no_ring
from duties.policy_turns import PolicyTurns
from tests.api.policies.chamber import ADMIN, DRAFTS, HEAD, OPERATOR, PLANNER, Chamber, policy, quicker
from tests.api.proposals import newborn
from tests.api.test_submit import submit

pytestmark = pytest.mark.embedded


class Turns(PolicyTurns):
    """The duty, as a worker does it."""

    async def note_due(self, at: datetime) -> int:
        with acting_from(ActOrigin(means=Means.DUTY, part="policy_turns"), no_ring):
            return await super().note_due(at)


async def test_an_emergency_is_in_force_at_once_and_shown_as_one(chamber: Chamber) -> None:
    draft = await chamber.draft()
    answer = await chamber.emergency(draft["id"])
    assert answer.status_code == 201, answer.text
    version = answer.json()
    assert (await chamber.in_force())["id"] == version["id"]
    listed = (await chamber.get(OPERATOR, "/v1/policies?area_code=32.06"))["items"]
    assert [(item["state"], item["emergency"]["reason"], item["emergency"]["words"]["en"]) for item in listed] == [
        ("in_force", "cases_stuck", "Cases cannot be decided under the policy in force"),
    ]
    now = await chamber.get(OPERATOR, f"{DRAFTS}/{draft['id']}")
    assert (now["status"], now["emergency_version"]) == ("in_consultation", version["id"])
    assert now["consultation"]["open"]
    (event,) = await chamber.office.scene.rows("SELECT * FROM audit_events WHERE stream = 'policy:32.06'")
    assert (event.type, event.data["reason"]) == ("policy.published_in_emergency", "cases_stuck")
    told = (await chamber.get(OPERATOR, "/v1/notifications"))["items"]
    assert {item["subject"] for item in told} == {"policy_emergency", "policy_consultation"}


async def test_unconfirmed_it_lapses_by_itself_and_open_cases_keep_theirs(chamber: Chamber) -> None:
    former = (await chamber.in_force())["id"]
    draft = await chamber.draft()
    version = (await chamber.emergency(draft["id"])).json()
    desk = await chamber.office.desk_of(OPERATOR)
    await submit(desk, newborn(), key="meanwhile")
    chamber.clock.move(hours=1)
    assert (await chamber.in_force())["id"] == former
    listed = (await chamber.get(OPERATOR, "/v1/policies?area_code=32.06"))["items"]
    assert [item["state"] for item in listed] == ["lapsed"]
    (case,) = await chamber.office.scene.rows("SELECT policy_version_id::text AS id FROM updates")
    assert case.id == version["id"]


async def test_the_lapse_is_written_down_and_told_once_by_whichever_worker(chamber: Chamber) -> None:
    scene = chamber.office.scene
    draft = await chamber.draft()
    await chamber.emergency(draft["id"])
    workers = [Turns(scene.worker), Turns(scene.worker)]
    assert [await worker.note_due(chamber.clock()) for worker in workers] == [0, 0]
    chamber.clock.move(hours=1)
    assert [await worker.note_due(chamber.clock()) for worker in workers] == [1, 0]
    events = await scene.rows("SELECT type, actor_id FROM audit_events WHERE stream = 'policy:32.06' ORDER BY seq")
    assert [(event.type, event.actor_id is None) for event in events][1:] == [("policy.lapsed", True)]
    told = (await chamber.get(OPERATOR, "/v1/notifications"))["items"]
    assert told[0]["subject"] == "policy_lapsed"


async def test_it_is_confirmed_after_its_consultation_and_then_holds_for_good(chamber: Chamber) -> None:
    draft = await chamber.draft()
    emergency = (await chamber.emergency(draft["id"])).json()
    comment = (await chamber.comment(draft["id"])).json()
    assert (await chamber.publish(draft["id"])).json()["code"] == "consultation_incomplete"
    chamber.clock.move(seconds=21)
    await chamber.answer(draft["id"], comment["id"])
    confirmed = await chamber.publish(draft["id"])
    assert confirmed.status_code == 201, confirmed.text
    read = await chamber.get(OPERATOR, f"/v1/policies/{emergency['id']}")
    assert (read["state"], read["emergency"]["confirmed_by"]) == ("replaced", confirmed.json()["id"])
    chamber.clock.move(days=1)
    assert (await chamber.in_force())["id"] == confirmed.json()["id"]
    assert await Turns(chamber.office.scene.worker).note_due(chamber.clock()) == 0


async def test_it_is_confirmed_as_amended_after_what_was_said(chamber: Chamber) -> None:
    draft = await chamber.draft(quicker(2))
    await chamber.emergency(draft["id"])
    path = f"{DRAFTS}/{draft['id']}/revisions"
    amended = await chamber.ask(PLANNER, "POST", path, {"policy": quicker(4)}, holds="*")
    assert (amended.status_code, amended.json()["outdated_by"]) == (201, None)
    chamber.clock.move(seconds=21)
    confirmed = (await chamber.publish(draft["id"])).json()
    assert (await chamber.in_force())["document"] == quicker(4)
    assert confirmed["number"] == 2


async def test_it_is_revoked_and_the_former_policy_holds_again(chamber: Chamber) -> None:
    former = (await chamber.in_force())["id"]
    draft = await chamber.draft()
    version = (await chamber.emergency(draft["id"])).json()
    refused = await chamber.ask(PLANNER, "POST", f"/v1/policies/{version['id']}/revocation", {"note": "Selesai."})
    assert refused.status_code == 403
    revoked = await chamber.ask(HEAD, "POST", f"/v1/policies/{version['id']}/revocation", {"note": "Selesai."})
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked"), revoked.text
    assert (await chamber.in_force())["id"] == former
    chamber.clock.move(hours=2)
    assert await Turns(chamber.office.scene.worker).note_due(chamber.clock()) == 0


async def test_none_follows_on_another_and_none_twice_of_one_draft(chamber: Chamber) -> None:
    draft = await chamber.draft(quicker(2))
    assert (await chamber.emergency(draft["id"])).status_code == 201
    again = await chamber.emergency(draft["id"])
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")
    other = await chamber.draft(quicker(4))
    stacked = await chamber.emergency(other["id"])
    assert (stacked.status_code, "none follows on another" in stacked.text) == (409, True), stacked.text
    chamber.clock.move(hours=1)
    assert (await chamber.emergency(draft["id"])).json()["code"] == "not_possible_now"


async def test_an_emergency_never_changes_how_policies_are_published(chamber: Chamber) -> None:
    hurried = quicker()
    hurried["publication"]["consultation"] = {"elapsed": "PT1S"}
    draft = await chamber.draft(hurried)
    refused = await chamber.emergency(draft["id"])
    assert (refused.status_code, "never changed in an emergency" in refused.text) == (409, True)


async def test_an_emergency_never_changes_how_long_data_are_kept(chamber: Chamber) -> None:
    forgetful = quicker()
    forgetful["retention"][0]["period"] = "P365D"
    draft = await chamber.draft(forgetful)
    refused = await chamber.emergency(draft["id"])
    assert (refused.status_code, "retention" in refused.json()["remedy"]) == (409, True), refused.text


async def test_an_emergency_builds_on_what_is_in_force(chamber: Chamber) -> None:
    draft = await chamber.draft(quicker(2))
    newest = await chamber.published(quicker(4))
    refused = await chamber.emergency(draft["id"])
    assert (refused.json()["code"], refused.json()["data"]) == ("draft_outdated", {"based_on": newest["id"]})


@pytest.mark.parametrize(
    ("why", "pointer"),
    [
        ({"reason": "other", "note": "x"}, "/reason"),
        ({"reason": "disaster"}, "/note"),
        ({"reason": "disaster", "note": " "}, "/note"),
    ],
)
async def test_it_needs_a_coded_reason_and_words(chamber: Chamber, why: dict[str, str], pointer: str) -> None:
    draft = await chamber.draft()
    refused = await chamber.ask(HEAD, "POST", f"{DRAFTS}/{draft['id']}/emergency", why, holds="*")
    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (422, pointer)


async def test_a_policy_of_tomorrow_that_takes_effect_is_written_down_and_told_once(chamber: Chamber) -> None:
    scene = chamber.office.scene
    moment = chamber.clock.moment.replace(microsecond=0)
    chamber.clock.move(seconds=1)
    draft = await chamber.draft(policy(), effective_from=moment.replace(year=moment.year + 1).isoformat())
    await chamber.ask(PLANNER, "POST", f"{DRAFTS}/{draft['id']}/consultation")
    chamber.clock.move(seconds=21)
    assert (await chamber.publish(draft["id"], by=ADMIN)).json()["state"] == "scheduled"
    turns = Turns(scene.worker)
    assert await turns.note_due(chamber.clock()) == 0
    chamber.clock.move(days=366)
    assert [await turns.note_due(chamber.clock()) for _ in range(2)] == [1, 0]
    told = (await chamber.get(OPERATOR, "/v1/notifications"))["items"]
    assert told[0]["subject"] == "policy_took_effect"
