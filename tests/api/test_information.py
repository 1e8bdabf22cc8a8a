"""Questions to offices outside a case: who asks, who answers, what the clock of the stage does meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

import services.information
from db.repositories.people import read_actor
from devstack.demo_people import demo_id
from domain.contracts import AwaitDecision
from domain.information import InformationInput
from domain.policy import default_policy
from domain.vocabulary import Outcome, PeerOffice, Stage
from services.keyed import Call
from tests.api.conftest import Office
from tests.api.test_disputes import seen
from tests.api.test_document_waits import may
from tests.casework.play import Play
from tests.scene import SYSTEM, user
from tests.soundness import assert_sound
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded

DUKCAPIL = str(demo_id("office", "disdukcapil"))
ASKED = {"office": "civil_registry_office", "office_id": DUKCAPIL, "question": "Apakah KK 3206131708900009 terbit?"}
SCHOOL = {"office": "school", "question": "Apakah anak ini masih bersekolah?"}
LETTER = {"type": "correction_letter", "reference": "421/7/SDN-2"}


@pytest.fixture
def play(office: Office) -> Play:
    return Play(office.scene)


async def in_approval(play: Play, *, place: int = 0, **what: Any) -> UUID:
    update_id = await play.begin(floor_area(30), place=place, **what)
    await play.forward_to(update_id, Stage.APPROVAL)
    return update_id


async def post(office: Office, by: str, path: str, body: dict[str, Any]) -> httpx2.Response:
    return await (await office.desk_of(by)).post(path, json=body, headers={"Idempotency-Key": str(uuid4())})


async def ask(
    office: Office, play: Play, update_id: UUID, body: dict[str, Any] = ASKED, *, by: str = "verifikator"
) -> httpx2.Response:
    task = (await play.case(update_id)).task
    return await post(office, by, f"/v1/tasks/{task}/information-requests", body)


async def answer(office: Office, question: str, *, by: str = "dukcapil", **body: Any) -> httpx2.Response:
    return await post(office, by, f"/v1/information-requests/{question}/answer", body or {"text": "Sudah terbit."})


async def asked(play: Play, office: Office, update_id: UUID) -> services.information.QuestionNow:
    """The verifier asks the civil registry's office at the time of the play."""
    at = play.later()
    async with play.scene.worker.transaction(SYSTEM) as connection:
        call = Call(actor=await read_actor(connection, user("verifikator"), at=at), key=str(uuid4()), at=at)
    wanted = InformationInput.model_validate(ASKED)
    now, _ = await services.information.ask(
        office.app.state.front.kawal, call, (await play.case(update_id)).task, wanted
    )
    return now


async def subjects(office: Office, by: str) -> list[str]:
    return [each["subject"] for each in (await (await office.desk_of(by)).get("/v1/notifications")).json()["items"]]


async def test_the_office_that_is_asked_answers_and_the_stage_goes_on_with_what_was_left(
    office: Office, play: Play
) -> None:
    update_id = await in_approval(play)
    before = await seen(office, update_id)
    assert may(await seen(office, update_id, by="verifikator"), "ask_office")
    put = await ask(office, play, update_id)
    assert put.status_code == 201, put.text
    question = put.json()
    assert question["task_due_at"] > question["clock_stands_until"] > question["answer_due_at"]
    case = await seen(office, update_id)
    assert "menunggu keterangan instansi lain" in case["task"]["deadline"]["sentence"]["id"]
    (shown,) = case["questions"]
    assert shown["question"] == "Apakah KK 3206••••••••0009 terbit?"
    assert (shown["state"], shown["asked_office"]["name"]) == ("open", "Disdukcapil Kabupaten Tasikmalaya")
    desk = await office.desk_of("dukcapil")
    assert [each["id"] for each in (await desk.get("/v1/information-requests")).json()["items"]] == [question["id"]]
    assert "information_requested" in await subjects(office, "dukcapil")
    assert (await desk.get(f"/v1/updates/{update_id}")).status_code == 403, "the office sees the question and no case"
    given = await answer(office, question["id"])
    assert (given.status_code, given.json()["state"]) == (200, "answered")
    case = await seen(office, update_id)
    (shown,) = case["questions"]
    assert (shown["answer"], shown["of_the_office"], shown["answered_by"]["name"]) == (
        "Sudah terbit.",
        True,
        "Petugas Disdukcapil",
    )
    due, was = (datetime.fromisoformat(each["task"]["deadline"]["due_at"]) for each in (case, before))
    assert timedelta(0) <= due - was <= timedelta(days=4)
    assert "information_answered" in await subjects(office, "verifikator")
    assert (await desk.get("/v1/information-requests")).json()["items"] == []
    again = await answer(office, question["id"])
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")


async def test_who_may_decide_records_an_answer_by_its_letter_and_nobody_else(office: Office, play: Play) -> None:
    update_id = await in_approval(play)
    question = (await ask(office, play, update_id, SCHOOL)).json()["id"]
    bare = await answer(office, question, by="verifikator")
    assert (bare.status_code, bare.json()["violations"][0]["code"]) == (422, "letter_missing")
    for by, code in (("dukcapil", "forbidden"), ("puskesos.taraju", "forbidden")):
        refused = await answer(office, question, by=by, text="Masih.", letter=LETTER)
        assert (refused.status_code, refused.json()["code"]) == (403, code), by
    assert (await answer(office, question, by="operator.cikubang", text="-", letter=LETTER)).status_code == 404
    recorded = await answer(office, question, by="verifikator", text="Masih.", letter=LETTER)
    assert recorded.status_code == 200, recorded.text
    (shown,) = (await seen(office, update_id))["questions"]
    assert (shown["answer"], shown["of_the_office"]) == ("(421/7/SDN-2) Masih.", False)


async def test_one_open_question_to_each_kind_of_office_and_the_clock_stands_once_for_both(
    office: Office, play: Play
) -> None:
    update_id = await in_approval(play)
    first = (await ask(office, play, update_id)).json()
    twice = await ask(office, play, update_id, by="verifikator2")
    assert (twice.status_code, twice.json()["code"]) == (409, "not_possible_now")
    second = (await ask(office, play, update_id, SCHOOL)).json()
    assert second["task_due_at"] == first["task_due_at"]
    await answer(office, first["id"])
    case = await seen(office, update_id)
    assert case["task"]["deadline"]["due_at"] == second["task_due_at"], "it stands for the other"
    await answer(office, second["id"], by="verifikator", text="Masih.", letter=LETTER)
    assert (await seen(office, update_id))["task"]["deadline"]["due_at"] < second["task_due_at"]


async def test_of_two_who_ask_the_same_office_at_once_one_does(office: Office, play: Play) -> None:
    update_id = await in_approval(play)
    both = await asyncio.gather(ask(office, play, update_id), ask(office, play, update_id, by="verifikator2"))
    assert sorted(response.status_code for response in both) == [201, 409]


async def test_who_asked_takes_it_back_or_who_manages_the_task(office: Office, play: Play) -> None:
    for place, (by, status) in enumerate((("verifikator", 200), ("kabid", 200), ("verifikator2", 403))):
        update_id = await in_approval(play, place=place)
        question = (await ask(office, play, update_id)).json()["id"]
        taken = await post(office, by, f"/v1/information-requests/{question}/withdrawal", {})
        assert taken.status_code == status, by
        if status == 200:
            assert (await seen(office, update_id))["questions"][0]["state"] == "withdrawn"
            assert (await ask(office, play, update_id)).status_code == 201


async def test_silence_climbs_its_own_ladder_each_rung_once_and_past_the_cap_the_stage_counts_on(
    office: Office, play: Play
) -> None:
    update_id = await in_approval(play)
    now = await asked(play, office, update_id)
    assert now.clock_stands_until is not None
    until = now.clock_stands_until
    assert (await play.case(update_id)).next_milestone_at < now.answer_due_at
    for _ in range(20):
        step = await play.milestone(update_id)
        assert isinstance(step, AwaitDecision)
        await play.pass_task(update_id, step.task_id, at=play.now)
        if play.now >= until:
            break
    events = [event.type for event in await play.scene.events(update_id)]
    assert events.count("update.information_reminded") == 1
    assert events.count("update.information_escalated") == 3
    assert events.count("update.information_unanswered") == 1
    case = await play.case(update_id)
    assert (case.level, play.now) == (0, until), "no rung of the stage has fired while its clock stood"
    (shown,) = (await seen(office, update_id))["questions"]
    assert (shown["state"], shown["clock_resumed_at"]) == ("open", until.isoformat().replace("+00:00", "Z"))
    assert "information_escalation" in await subjects(office, "kabid")
    await play.milestone(update_id, at=case.due_at)
    assert (await play.case(update_id)).level == 1
    late = await answer(office, str(now.id))
    assert late.status_code == 200, "an answer is an answer"


async def test_past_the_cap_another_question_stops_no_clock(office: Office, play: Play) -> None:
    update_id = await in_approval(play)
    first = await asked(play, office, update_id)
    assert first.clock_stands_until is not None
    await play.milestone(update_id, at=first.clock_stands_until)
    wanted = InformationInput(office=PeerOffice.SCHOOL, question="Masih bersekolah?")
    at = play.later()
    async with play.scene.worker.transaction(SYSTEM) as connection:
        call = Call(actor=await read_actor(connection, user("verifikator"), at=at), key=str(uuid4()), at=at)
    task = (await play.case(update_id)).task
    second, _ = await services.information.ask(office.app.state.front.kawal, call, task, wanted)
    assert second.clock_stands_until is None
    assert second.task_due_at == (await play.case(update_id)).due_at


async def test_a_decision_leaves_the_question_behind(office: Office, play: Play) -> None:
    update_id = await in_approval(play)
    now = await asked(play, office, update_id)
    await play.decide(update_id, "verifikator", Outcome.FORWARD)
    (shown,) = (await seen(office, update_id))["questions"]
    assert shown["state"] == "moved_on"
    assert (await answer(office, str(now.id))).json()["code"] == "not_possible_now"
    standing = "SELECT 1 FROM clock_intervals WHERE update_id = :id AND to_at > :now"
    assert await play.scene.rows(standing, id=update_id, now=play.now) == []
    await assert_sound(play.scene)


async def test_only_who_may_decide_asks_and_only_by_a_policy_that_knows_it(office: Office, play: Play) -> None:
    update_id = await in_approval(play)
    for by, code in (("puskesos.taraju", "forbidden"), ("kabid", "forbidden"), ("dukcapil", "forbidden")):
        assert (await ask(office, play, update_id, by=by)).json()["code"] == code, by
    assert (await ask(office, play, update_id, by="puskesos.cikubang")).json()["code"] == "not_found"
    unknown = await ask(office, play, update_id, {**ASKED, "office_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["violations"][0]["code"]) == (422, "office_unknown")
    without = await play.scene.publish(default_policy().model_copy(update={"information": None}))
    other = await in_approval(play, place=1, policy_version_id=without)
    assert (await ask(office, play, other)).json()["code"] == "not_possible_now"
    assert not may(await seen(office, other, by="verifikator"), "ask_office")
