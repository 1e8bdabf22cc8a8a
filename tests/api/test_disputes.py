"""Appeals and conflicts as people bring them: over the API, each judged by somebody who has not touched the case."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

import services.appeals
from db.repositories.people import read_actor
from domain.contracts import AwaitDecision, Closed, Deliver
from domain.disputes import AppealInput
from domain.errors import AppealTooLate
from domain.vocabulary import Outcome, ReasonCode, Stage, Status
from services.keyed import Call
from tests.api.conftest import Office
from tests.api.test_acts import BY_MINUTES, submitted
from tests.casework.play import Play
from tests.scene import SYSTEM, Scene, user
from tests.soundness import assert_sound
from tests.workflows.stack import floor_area

pytestmark = pytest.mark.embedded

MEANS = ReasonCode.NOT_ELIGIBLE_MEANS
QUOTA = ReasonCode.QUOTA
APPEAL = {"ground": "facts_wrong", "text": "Mobil itu milik tetangga; keluarga ini tidak punya kendaraan."}

APPEALED = AppealInput.model_validate(APPEAL)


@pytest.fixture
def play(scene: Scene) -> Play:
    return Play(scene)


async def rejected(play: Play, *, stage: Stage = Stage.APPROVAL, by: str = "verifikator") -> UUID:
    """A case that was rejected for want of quota, about which offices do not disagree."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, stage)
    ended = (await play.decide(update_id, by, Outcome.REJECT, reason=QUOTA)).next
    assert isinstance(ended, Closed)
    return update_id


async def appeal(
    office: Office,
    update_id: UUID | str,
    *,
    by: str = "operator.taraju",
    key: str | None = None,
    **more: Any,
) -> httpx2.Response:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await desk.post(f"/v1/updates/{update_id}/appeal", json={**APPEAL, **more}, headers=headers)


async def appealed(office: Office, play: Play, update_id: UUID) -> UUID:
    """The rejection is appealed at the time of the play, and the appeal taken up."""
    call = await calling(play, at=play.later())
    appeal_id = (
        await services.appeals.appeal(office.app.state.front.kawal, call, update_id, APPEALED)
    ).receipt.update_id
    step = await play.open(appeal_id)
    assert isinstance(step, AwaitDecision)
    assert (step.stage, step.status) == (Stage.APPEAL, Status.IN_APPEAL)
    return appeal_id


async def calling(play: Play, *, at: datetime) -> Call:
    async with play.scene.worker.transaction(SYSTEM) as connection:
        return Call(actor=await read_actor(connection, user("operator.taraju"), at=at), key=str(uuid4()), at=at)


async def seen(office: Office, update_id: UUID, *, by: str = "slrt.taraju") -> dict[str, Any]:
    return (await (await office.desk_of(by)).get(f"/v1/updates/{update_id}")).json()


async def test_an_appeal_that_is_granted_carries_the_change_on_and_takes_the_place_of_the_rejected_case(
    office: Office, play: Play
) -> None:
    update_id = await rejected(play)
    appeal_id = await appealed(office, play, update_id)
    step = (await play.decide(appeal_id, "asisten", Outcome.OVERTURN, minutes=None)).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.ENDORSEMENT
    before, now = await seen(office, update_id), await seen(office, appeal_id)
    assert (before["status"], before["appealable"]["appealed_by"][0]["id"]) == ("superseded", str(appeal_id))
    assert (now["appeal"]["of"]["id"], now["appeal"]["against"]) == (str(update_id), "approval")
    assert now["change"] == before["change"]
    assert isinstance((await play.decide(appeal_id, "kadis")).next, Deliver)
    await play.push(appeal_id)
    ended = await play.ministry_says(appeal_id)
    assert isinstance(ended, Closed)
    assert ended.status is Status.APPLIED
    events = [event.type for event in await play.scene.events(update_id)]
    assert events[-3:] == ["update.appealed", "update.appeal_answered", "update.superseded"]
    await assert_sound(play.scene)


async def test_an_appeal_that_is_turned_down_is_final_and_told_to_the_public(office: Office, play: Play) -> None:
    update_id = await rejected(play)
    appeal_id = await appealed(office, play, update_id)
    code = (await play.case(update_id)).tracking_code
    visitor = await office.visitor()
    open_one = (await visitor.get(f"/public/track/{code}")).json()
    assert (open_one["status"], open_one["appeal"]["status"]) == ("rejected", "in_appeal")
    await play.decide(appeal_id, "asisten", Outcome.UPHOLD, reason=QUOTA, minutes=None)
    tracked = (await visitor.get(f"/public/track/{code}")).json()
    assert "tetap berlaku" in tracked["appeal"]["status_text"]["id"]
    assert (await play.case(update_id)).status == "rejected"
    for closed in (update_id, appeal_id):
        again = await appeal(office, closed)
        assert again.status_code == 409
        assert again.json()["code"] == ("already_appealed" if closed == update_id else "not_appealable")
    await assert_sound(play.scene)


async def test_only_an_appeal_is_upheld_or_overturned_and_nothing_else_is_said_to_it(
    office: Office, play: Play
) -> None:
    appeal_id = await appealed(office, play, await rejected(play))
    task = (await play.case(appeal_id)).task
    assistant = await office.desk_of("asisten")
    forward = await assistant.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward"})
    assert forward.status_code == 422
    assert forward.json()["violations"][0]["remedy"] == "Choose one of: overturn, uphold."
    bare = await assistant.post(f"/v1/tasks/{task}/decision", json={"outcome": "uphold"})
    assert bare.json()["violations"][0]["code"] == "reason_unfit"
    other = await play.begin(floor_area(31), place=1)
    await play.forward_to(other, Stage.VERIFICATION)
    task = (await play.case(other)).task
    officer = await office.desk_of("puskesos.taraju")
    overturn = await officer.post(f"/v1/tasks/{task}/decision", json={"outcome": "overturn"})
    assert overturn.json()["violations"][0]["code"] == "outcome_not_offered"


async def test_nobody_who_touched_the_rejected_case_hears_the_appeal(office: Office, play: Play) -> None:
    """The assistant has rejected it out of a conflict: the appeal climbs at once to who has not touched it."""
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD)
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    await play.decide(update_id, "asisten", Outcome.REJECT, reason=MEANS, minutes=None)
    appeal_id = await appealed(office, play, update_id)
    case = await play.case(appeal_id)
    assert (case.level, case.cause, case.contested) == (1, "no_eligible_decider", "approval")
    assistant = await office.desk_of("asisten")
    refused = await assistant.post(f"/v1/tasks/{case.task}/decision", json={"outcome": "overturn"})
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")
    queue = (await assistant.get("/v1/tasks")).json()["items"]
    assert str(case.task) not in [task["id"] for task in queue]
    supervisor = await office.desk_of("kabid")
    assert str(case.task) in [task["id"] for task in (await supervisor.get("/v1/tasks")).json()["items"]]


async def test_of_two_appeals_at_once_one_is_taken_in(office: Office, play: Play) -> None:
    update_id = await rejected(play)
    both = await asyncio.gather(
        appeal(office, update_id), appeal(office, update_id, by="puskesos.taraju", ground="procedure")
    )
    assert sorted(response.status_code for response in both) == [201, 409]
    late = next(response for response in both if response.status_code == 409).json()
    first = next(response for response in both if response.status_code == 201).json()
    assert (late["code"], late["data"]["appeal_id"]) == ("already_appealed", first["id"])


async def test_the_same_appeal_again_has_the_same_answer(office: Office, play: Play) -> None:
    update_id = await rejected(play)
    first, again = [await appeal(office, update_id, key="appeal-1") for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1)], ids=["in time", "too late"])
async def test_the_last_second_is_in_time_and_the_next_one_names_the_last_day(
    office: Office, play: Play, late: timedelta
) -> None:
    update_id = await rejected(play)
    standing = (await seen(office, update_id))["appealable"]
    due = datetime.fromisoformat(standing["deadline"]["due_at"])
    call = await calling(play, at=due + late)
    if not late:
        assert (await services.appeals.appeal(office.app.state.front.kawal, call, update_id, APPEALED)).receipt
        return
    with pytest.raises(AppealTooLate) as refusal:
        await services.appeals.appeal(office.app.state.front.kawal, call, update_id, APPEALED)
    assert refusal.value.data["last_day"] == standing["last_day"]
    assert str((datetime.now(UTC) + timedelta(days=30)).year) in refusal.value.data["explanation"]["en"]


async def test_a_rejection_of_the_ministry_is_brought_before_it_once_more(office: Office, play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIVERY)
    await play.push(update_id)
    await play.ministry_says(update_id, "rejected", reason=QUOTA)
    appeal_id = await appealed(office, play, update_id)
    assert isinstance((await play.decide(appeal_id, "asisten", Outcome.OVERTURN, minutes=None)).next, Deliver)


async def test_what_the_village_tier_rejected_goes_on_at_the_regency(office: Office, play: Play) -> None:
    update_id = await rejected(play, stage=Stage.VERIFICATION, by="puskesos.taraju")
    appeal_id = await appealed(office, play, update_id)
    step = (await play.decide(appeal_id, "kabid", Outcome.OVERTURN, minutes=None)).next
    assert isinstance(step, AwaitDecision)
    assert step.stage is Stage.APPROVAL


async def test_an_appeal_taken_back_leaves_room_for_another(office: Office, play: Play) -> None:
    update_id = await rejected(play)
    appeal_id = await appealed(office, play, update_id)
    await play.withdraw(appeal_id)
    assert (await appeal(office, update_id)).status_code == 201


@pytest.mark.parametrize("by", ["verifikator", "operator.cikubang"])
async def test_others_do_not_appeal_and_hear_of_nothing_outside_their_area(office: Office, play: Play, by: str) -> None:
    answer = await appeal(office, await rejected(play), by=by)
    assert answer.json()["code"] == ("forbidden" if by == "verifikator" else "not_found")


async def test_what_was_not_rejected_is_not_appealed(office: Office, play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    answer = await appeal(office, update_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_appealable")
    assert (await seen(office, update_id))["appealable"] is None


async def test_a_conflict_shows_both_opinions_to_both_offices(office: Office, play: Play) -> None:
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.APPROVAL)
    await play.decide(update_id, "verifikator", Outcome.REJECT, reason=MEANS)
    await play.decide(update_id, "kades.taraju", Outcome.FORWARD, note="Mobil itu bukan miliknya.")
    for by in ("kades.taraju", "verifikator", "asisten"):
        conflict = (await seen(office, update_id, by=by))["conflict"]
        yes, no = conflict["opinions"]
        assert (yes["state"], yes["advises"], yes["text"]) == ("given", "forward", "Mobil itu bukan miliknya.")
        assert (no["role"], no["state"], conflict["decider"]) == ("regency_verifier", "awaited", "regency_assistant")


async def test_both_opinions_at_once_are_both_heard_and_the_case_goes_on_once(staffed: Office, play: Play) -> None:
    update_id = await submitted(staffed)
    texts = {"kades.taraju": {"advises": "forward"}, "verifikator": {"advises": "reject", "reason": MEANS.value}}
    for stage, by, more in (
        ("verification", "puskesos.taraju", {}),
        ("deliberation", "kades.taraju", BY_MINUTES),
        ("approval", "verifikator", {"outcome": "reject", "reason": MEANS.value}),
    ):
        task = await staffed.open_task(update_id, stage)
        desk = await staffed.desk_of(by)
        assert (await desk.post(f"/v1/tasks/{task}/decision", json={"outcome": "forward", **more})).status_code == 200
    await staffed.open_task(update_id, "opinion")
    desks = {by: await staffed.desk_of(by) for by in texts}
    path = f"/v1/updates/{update_id}/opinion"
    both = await asyncio.gather(
        *(desk.post(path, json={**texts[by], "text": f"Pendapat {by}."}) for by, desk in desks.items())
    )
    assert [response.status_code for response in both] == [200, 200]
    task = await staffed.open_task(update_id, "conflict")
    late = await desks["kades.taraju"].post(path, json={"advises": "forward", "text": "Sekali lagi."})
    assert (late.status_code, late.json()["code"]) == (409, "not_possible_now")
    assistant = await staffed.desk_of("asisten")
    decided = await assistant.post(f"/v1/tasks/{task}/decision", json={"outcome": "reject", "reason": MEANS.value})
    assert decided.json()["update"]["status"] == "rejected"
    taken = await appeal(staffed, update_id)
    assert (taken.status_code, taken.json()["engine"]) == (201, "started")
    task = await staffed.open_task(taken.json()["id"], "appeal")
    supervisor = await staffed.desk_of("kabid")
    overturned = await supervisor.post(f"/v1/tasks/{task}/decision", json={"outcome": "overturn"})
    assert overturned.json()["update"]["status"] == "in_endorsement"
    await assert_sound(play.scene)
