"""A repair that waits for a paper of another office: how it stands, goes on, and is seen by everybody."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from domain.contracts import AwaitRepair
from domain.document_waits import DocumentWaitInput
from domain.policy import default_policy
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from services.document_waits import await_document
from tests.api.conftest import Office
from tests.api.test_disputes import calling
from tests.casework.play import Play
from tests.scene import user
from tests.soundness import assert_sound
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded

WAIT = {"document": "kk", "office": "civil_registry_office", "reason": "being_corrected"}
WANTED = DocumentWaitInput.model_validate(WAIT)


async def returned(play: Play) -> UUID:
    """A case that its operator has back."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    return update_id


async def wait(office: Office, update_id: UUID, *, by: str = "operator.taraju", **more: Any) -> httpx2.Response:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": more.pop("key", None) or str(uuid4())}
    return await desk.post(f"/v1/updates/{update_id}/document-wait", json={**WAIT, **more}, headers=headers)


async def end(office: Office, update_id: UUID, *, by: str = "operator.taraju", **body: Any) -> httpx2.Response:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": str(uuid4())}
    return await desk.post(f"/v1/updates/{update_id}/document-wait/end", json=body, headers=headers)


async def seen(office: Office, update_id: UUID, *, by: str = "operator.taraju") -> dict[str, Any]:
    return (await (await office.desk_of(by)).get(f"/v1/updates/{update_id}")).json()


def may(case: dict[str, Any], name: str) -> bool:
    return next(action["allowed"] for action in case["actions"] if action["name"] == name)


async def begun(office: Office, play: Play, update_id: UUID) -> datetime:
    """The repair waits from a moment of the play on; until when."""
    now, _ = await await_document(office.app.state.front.kawal, await calling(play, at=play.later()), update_id, WANTED)
    assert now.waits_until is not None
    return now.waits_until


async def test_a_repair_waits_for_a_paper_and_goes_on_with_what_was_left(office: Office) -> None:
    play = Play(office.scene)
    update_id = await returned(play)
    before = await seen(office, update_id)
    assert may(before, "await_document")
    assert not may(before, "end_document_wait")
    waiting = await wait(office, update_id, key="w")
    assert waiting.status_code == 201, waiting.text
    assert (await wait(office, update_id, key="w")).headers["Idempotency-Replayed"] == "true"
    case = await seen(office, update_id, by="slrt.taraju")
    assert (case["status"], case["stage"]) == ("waiting_document", "repair")
    (stands,) = case["document_waits"]
    assert (stands["document"], stands["office"], stands["ended_at"]) == ("kk", "civil_registry_office", None)
    assert "menunggu dokumen" in case["task"]["deadline"]["sentence"]["id"]
    assert case["task"]["deadline"]["due_at"] > stands["until"]
    visitor = await office.visitor()
    tracked = (await visitor.get(f"/public/track/{case['tracking_code']}")).json()
    assert (tracked["status"], tracked["status_text"]["id"]) == ("waiting_document", "Menunggu kelengkapan dokumen.")
    told = (await (await office.desk_of("slrt.taraju")).get("/v1/notifications")).json()["items"]
    assert "document_awaited" in [each["subject"] for each in told]
    again = await wait(office, update_id)
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")
    ended = await end(office, update_id)
    assert ended.status_code == 200, ended.text
    case = await seen(office, update_id)
    assert case["status"] == "returned"
    due = datetime.fromisoformat(case["task"]["deadline"]["due_at"])
    assert timedelta(0) <= due - datetime.fromisoformat(before["task"]["deadline"]["due_at"]) <= timedelta(days=4)
    assert case["document_waits"][0]["ended_because"] == "given_up"
    timeline = (await (await office.desk_of("slrt.taraju")).get(f"/v1/updates/{update_id}/timeline")).json()
    words = [event["words"]["en"] for event in timeline["events"]]
    assert {"The repair waits for a paper of another office", "The repair waits for a paper no longer"} <= {*words}
    assert (await end(office, update_id)).json()["code"] == "not_possible_now"


async def test_the_engine_is_told_of_the_deadline_that_came_back(office: Office) -> None:
    play = Play(office.scene)
    update_id = await returned(play)
    await wait(office, update_id)
    moved = "SELECT 1 FROM outbox WHERE topic = 'signal_deadline_moved' AND subject_id = :id"
    assert await office.scene.rows(moved, id=update_id) == []
    await end(office, update_id)
    assert len(await office.scene.rows(moved, id=update_id)) == 1


async def test_when_the_time_has_run_out_the_repair_goes_on_and_no_rung_has_fired_meanwhile(office: Office) -> None:
    play = Play(office.scene)
    update_id = await returned(play)
    until = await begun(office, play, update_id)
    assert (await play.case(update_id)).next_milestone_at == until
    early = await play.milestone(update_id, at=until - timedelta(seconds=1))
    assert early.status is Status.WAITING_DOCUMENT
    late = await play.milestone(update_id, at=until)
    assert isinstance(late, AwaitRepair)
    assert late.status is Status.RETURNED
    again = await play.milestone(update_id, at=until)
    assert again.status is Status.RETURNED
    case = await play.case(update_id)
    assert case.due_at > until
    assert case.level == 0
    fired = (
        "SELECT 1 FROM escalations e JOIN tasks t ON t.id = e.task_id WHERE t.update_id = :id AND t.stage = 'repair'"
    )
    assert await play.scene.rows(fired, id=update_id) == []
    ended = [event.data for event in await play.scene.events(update_id) if event.type == "update.document_wait_ended"]
    assert [data["because"] for data in ended] == ["ran_out"]
    task = await office.desk_of("operator.taraju")
    assert (await task.get(f"/v1/updates/{update_id}")).json()["document_waits"][0]["ended_by"] is None
    call = await calling(play, at=play.later())
    with pytest.raises(Exception, match="as long as the policy allows"):
        await await_document(office.app.state.front.kawal, call, update_id, WANTED)
    await assert_sound(play.scene)


async def test_a_repair_sent_in_ends_the_wait_and_a_withdrawal_too(office: Office) -> None:
    play = Play(office.scene)
    for place, status in enumerate((Status.IN_VERIFICATION, Status.WITHDRAWN)):
        update_id = await play.begin(floor_area(30 + place), place=place)
        await play.forward_to(update_id, Stage.VERIFICATION)
        await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
        await begun(office, play, update_id)
        if status is Status.WITHDRAWN:
            await play.withdraw(update_id)
        else:
            await play.resubmit(update_id, floor_area(40))
        assert (await play.case(update_id)).status == status
        over = "SELECT ended_because, ended_by FROM document_waits WHERE update_id = :id"
        assert tuple(await play.scene.one(over, id=update_id)) == ("moved_on", None)
        standing = "SELECT 1 FROM clock_intervals WHERE update_id = :id AND to_at > :now"
        assert await play.scene.rows(standing, id=update_id, now=play.now) == []
    await assert_sound(play.scene)


async def test_a_rung_that_was_due_before_the_wait_began_still_fires_and_the_wait_goes_on(office: Office) -> None:
    play = Play(office.scene)
    update_id = await returned(play)
    rungs = (await play.case(update_id)).due_at
    await play.milestone(update_id, at=rungs)
    until = await begun(office, play, update_id)
    step = await play.milestone(update_id)
    assert (play.now, step.status) == (until, Status.RETURNED)
    assert (await play.case(update_id)).level == 1


async def test_of_two_who_begin_to_wait_at_once_one_does(office: Office) -> None:
    update_id = await returned(Play(office.scene))
    both = await asyncio.gather(*(wait(office, update_id) for _ in range(2)))
    assert sorted(response.status_code for response in both) == [201, 409]
    assert len(await office.scene.rows("SELECT 1 FROM document_waits WHERE update_id = :id", id=update_id)) == 1


async def test_the_supervisor_of_the_repair_ends_a_wait_that_leads_to_nothing(office: Office) -> None:
    update_id = await returned(Play(office.scene))
    assert (await wait(office, update_id)).status_code in {200, 201}
    desk = await office.desk_of("slrt.taraju")
    actions = (await desk.get(f"/v1/updates/{update_id}")).json()["actions"]
    assert [each["allowed"] for each in actions if each["name"] in {"await_document", "end_document_wait"}] == [
        False,
        True,
    ]
    ended = await end(office, update_id, by="slrt.taraju")
    assert (ended.status_code, ended.json()["status"]) == (200, "returned")
    (told,) = [e for e in await office.scene.events(update_id) if e.type == "update.document_wait_ended"]
    assert (told.actor_id, told.data["because"]) == (user("slrt.taraju"), "given_up")
    assert (await end(office, update_id, by="slrt.taraju")).json()["code"] == "not_possible_now"


@pytest.mark.parametrize(("by", "code"), [("verifikator", "forbidden"), ("operator.cikubang", "not_found")])
async def test_only_who_mends_in_the_village_lets_it_wait(office: Office, by: str, code: str) -> None:
    update_id = await returned(Play(office.scene))
    assert (await wait(office, update_id, by=by)).json()["code"] == code
    assert (await end(office, update_id, by=by)).json()["code"] == code


async def test_nothing_waits_that_is_not_being_repaired_or_whose_policy_knows_no_wait(office: Office) -> None:
    play = Play(office.scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    assert (await wait(office, update_id)).json()["code"] == "not_possible_now"
    without = await play.scene.publish(default_policy().model_copy(update={"document_wait": None}))
    update_id = await play.begin(floor_area(31), place=1, policy_version_id=without)
    await play.forward_to(update_id, Stage.VERIFICATION)
    await play.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=ReasonCode.INCOMPLETE_DOCUMENTS)
    refused = await wait(office, update_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible_now")
    assert not may(await seen(office, update_id), "await_document")
