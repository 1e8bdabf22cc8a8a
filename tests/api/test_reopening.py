"""A case that lapsed, as everybody sees it, and the one that carries it on."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

import services.reopening
from db.repositories.cases import read_involvements, read_standing
from domain.contracts import AwaitRepair, Deliver
from domain.errors import ReopenTooLate
from domain.lapses import ReopeningInput
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from services.document_waits import await_document
from tests.api.conftest import Office
from tests.api.test_disputes import calling, seen
from tests.api.test_document_waits import WANTED, may
from tests.casework.play import Play
from tests.casework.test_lapses import lapsed, returned, told
from tests.scene import SYSTEM, user
from tests.soundness import assert_sound
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded

REOPENING = {"reason": "paper_came_late", "text": "Kartu keluarga baru terbit hari ini."}


@pytest.fixture
def play(office: Office) -> Play:
    return Play(office.scene)


async def reopen(office: Office, update_id: UUID, *, by: str = "operator.taraju", **more: Any) -> httpx2.Response:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": more.pop("key", None) or str(uuid4())}
    return await desk.post(f"/v1/updates/{update_id}/reopening", json={**REOPENING, **more}, headers=headers)


async def gone(play: Play) -> UUID:
    """A case that the regency returned, and that has lapsed."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.RETURN, reason=ReasonCode.UNCLEAR_PHOTO)
    await lapsed(play, update_id)
    return update_id


async def taken_up(office: Office, play: Play, update_id: UUID) -> UUID:
    """The lapsed case is reopened at the time of the play, and taken up."""
    call = await calling(play, at=play.later())
    request = ReopeningInput.model_validate(REOPENING)
    submitted = await services.reopening.reopen(office.app.state.front.kawal, call, update_id, request)
    step = await play.open(submitted.receipt.update_id)
    assert isinstance(step, AwaitRepair)
    assert step.status is Status.RETURNED
    return submitted.receipt.update_id


async def test_a_notice_is_public_with_its_day_and_the_lapse_names_the_way_back(office: Office, play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    case, visitor = await seen(office, update_id), await office.visitor()
    assert datetime.fromisoformat(case["lapse"]["lapses_at"]) == lapses_at
    assert (case["lapse"]["lapsed_at"], case["lapse"]["decided_by"]) == (None, None)
    assert "10 working days" in case["lapse"]["deadline"]["sentence"]["en"]
    tracked = (await visitor.get(f"/public/track/{case['tracking_code']}")).json()
    assert datetime.fromisoformat(tracked["lapses_at"]) == lapses_at
    assert "berakhir pada " in tracked["status_text"]["id"]
    assert str(lapses_at.year) in tracked["status_text"]["id"]
    assert not may(case, "reopen")
    await lapsed(play, update_id)
    case = await seen(office, update_id)
    assert (case["status"], case["lapse"]["decided_by"]) == ("lapsed", "timeout")
    assert case["reopenable"]["reopened_as"] is None
    tracked = (await visitor.get(f"/public/track/{case['tracking_code']}")).json()
    assert (tracked["status"], tracked["lapses_at"], tracked["reopening"]) == ("lapsed", None, None)
    assert tracked["reason"] is not None
    timeline = (await (await office.desk_of("slrt.taraju")).get(f"/v1/updates/{update_id}/timeline")).json()
    assert {"update.lapse_told", "update.lapsed"} <= {event["type"] for event in timeline["events"]}
    listed = (await (await office.desk_of("slrt.taraju")).get("/v1/updates?status=lapsed")).json()["items"]
    assert [each["id"] for each in listed] == [str(update_id)]


async def test_a_reopened_case_is_repaired_and_goes_on_where_it_was_returned(office: Office, play: Play) -> None:
    update_id = await gone(play)
    again_id = await taken_up(office, play, update_id)
    before, now = await seen(office, update_id), await seen(office, again_id)
    assert (before["status"], before["reopenable"]["reopened_as"]["id"]) == ("lapsed", str(again_id))
    assert (now["reopens"]["of"]["id"], now["reopens"]["reason"]) == (str(update_id), "paper_came_late")
    assert (now["change"], now["settled"], now["reason"]["code"]) == (
        before["change"],
        before["settled"],
        "unclear_photo",
    )
    tracked = (await (await office.visitor()).get(f"/public/track/{before['tracking_code']}")).json()
    assert (tracked["reopening"]["tracking_code"], tracked["reopening"]["status"]) == (
        now["tracking_code"],
        "returned",
    )
    step = (await play.resubmit(again_id, floor_area(30))).next
    assert step.status is Status.IN_APPROVAL
    await play.decide(again_id, "verifikator")
    assert isinstance((await play.decide(again_id, "kadis")).next, Deliver)
    await play.push(again_id)
    assert (await play.ministry_says(again_id)).status is Status.APPLIED
    await assert_sound(play.scene)


async def test_whoever_decided_in_the_lapsed_case_has_had_that_part_in_the_other(office: Office, play: Play) -> None:
    again_id = await taken_up(office, play, await gone(play))
    assert await play.scene.rows("SELECT 1 FROM decisions WHERE update_id = :id", id=again_id) == []
    async with play.scene.worker.transaction(SYSTEM) as connection:
        parts = {(part.user_id, part.stage) for part in await read_involvements(connection, again_id)}
        task_id = (await play.case(again_id)).task
        standing = await read_standing(connection, again_id, task_id=task_id)
    assert (
        {
            (user("operator.taraju"), None),
            (user("puskesos.taraju"), Stage.VERIFICATION),
            (user("kades.taraju"), Stage.DELIBERATION),
            (user("verifikator"), Stage.APPROVAL),
        }
        == parts
        == {(part.user_id, part.stage) for part in standing.involvements}
    )


async def test_of_two_who_reopen_at_once_one_does(office: Office, play: Play) -> None:
    update_id = await gone(play)
    both = await asyncio.gather(reopen(office, update_id), reopen(office, update_id, by="slrt.taraju"))
    assert sorted(response.status_code for response in both) == [201, 409]
    late = next(response for response in both if response.status_code == 409).json()
    first = next(response for response in both if response.status_code == 201).json()
    assert (late["code"], late["data"]["reopened_as"]) == ("already_reopened", first["id"])
    assert first["links"]["reopen_of"] == f"/v1/updates/{update_id}"


async def test_the_same_reopening_again_has_the_same_answer(office: Office, play: Play) -> None:
    update_id = await gone(play)
    first, again = [await reopen(office, update_id, key="r") for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1)], ids=["in time", "too late"])
async def test_the_last_second_is_in_time(office: Office, play: Play, late: timedelta) -> None:
    update_id = await gone(play)
    closed_at = (await play.case(update_id)).closed_at
    last_day = (await seen(office, update_id))["reopenable"]["last_day"]
    due = datetime.fromisoformat(f"{last_day}T16:00:00+07:00")
    assert timedelta(days=89) < due - closed_at < timedelta(days=91)
    call = await calling(play, at=due + late)
    request = ReopeningInput.model_validate(REOPENING)
    if not late:
        assert (await services.reopening.reopen(office.app.state.front.kawal, call, update_id, request)).receipt
        return
    with pytest.raises(ReopenTooLate) as refusal:
        await services.reopening.reopen(office.app.state.front.kawal, call, update_id, request)
    assert refusal.value.data["last_day"] == last_day


async def test_a_case_that_lapses_again_is_submitted_anew(office: Office, play: Play) -> None:
    again_id = await taken_up(office, play, await gone(play))
    await lapsed(play, again_id)
    refused = await reopen(office, again_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_reopenable")
    assert refused.json()["remedy"] == "Submit a new update for the household."


async def test_what_has_not_lapsed_is_not_reopened(office: Office, play: Play) -> None:
    update_id = await returned(play)
    refused = await reopen(office, update_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_reopenable")


@pytest.mark.parametrize(("by", "code"), [("verifikator", "forbidden"), ("operator.cikubang", "not_found")])
async def test_others_do_not_reopen(office: Office, play: Play, by: str, code: str) -> None:
    assert (await reopen(office, await gone(play), by=by)).json()["code"] == code


async def test_a_wait_for_a_paper_after_the_notice_moves_the_lapse_and_ends_nothing(office: Office, play: Play) -> None:
    update_id = await returned(play)
    lapses_at = await told(play, update_id)
    kawal = office.app.state.front.kawal
    now, _ = await await_document(kawal, await calling(play, at=play.later()), update_id, WANTED)
    assert now.waits_until is not None
    waiting = await play.milestone(update_id, at=lapses_at)
    assert waiting.status is Status.WAITING_DOCUMENT
    back = await play.milestone(update_id, at=now.waits_until)
    assert back.status is Status.RETURNED
    notice = "SELECT lapses_at FROM lapse_notices WHERE update_id = :id"
    moved = (await play.scene.one(notice, id=update_id)).lapses_at
    assert moved > now.waits_until + timedelta(days=5), "what was left of the notice"
    assert (await lapsed(play, update_id)).status is Status.LAPSED
    assert play.now == moved
    await assert_sound(play.scene)
