"""The work list of a village: read by its operators and by planners, and moved by hand for a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from activities.casework import Desk
from activities.rounds import RoundsAtWork
from devstack.demo_people import CIKUBANG, TARAJU
from domain.calendar import ONE_DAY
from domain.contracts import CarryRoundOn, RoundCarried, TakeBaseline
from domain.vocabulary import Stage
from tests.api.conftest import Office
from tests.casework.play import Play
from tests.rounds import at_work, dates, planned, today
from tests.scene import VAULT, household_of
from tests.workflows.stack import floor_area

LIST = f"villages/{TARAJU}"


async def carried(office: Office, round_id: UUID) -> None:
    """The baseline taken and the work lists made, as the engine has it done."""
    work = RoundsAtWork(Desk(office.scene.worker, VAULT, office.scene.rules))
    await at_work(datetime.now(UTC)).run(work.take_baseline, TakeBaseline(round_id=round_id, after=None))
    done = RoundCarried()
    while not done.over and done.wake_at is None:
        done = await at_work(datetime.now(UTC)).run(work.carry_round_on, CarryRoundOn(round_id=round_id))


@pytest.fixture
async def path(office: Office) -> str:
    """A round that opened today, with its work lists."""
    now = datetime.now(UTC)
    day = today(now)
    round_id = await planned(office.scene, dates(day, day + 20 * ONE_DAY), at=now)
    await carried(office, round_id)
    return f"/v1/rounds/{round_id}"


async def get(office: Office, by: str, path: str) -> Any:
    return await (await office.desk_of(by)).get(path)


async def move(office: Office, by: str, path: str, body: dict[str, Any], **headers: str) -> Any:
    keyed = {"Idempotency-Key": str(uuid4())} | headers
    return await (await office.desk_of(by)).post(f"{path}/{LIST}/moves", json=body, headers=keyed)


async def places(office: Office, path: str) -> list[dict[str, Any]]:
    return (await get(office, "operator.taraju", f"{path}/{LIST}/targets?limit=200")).json()["items"]


async def test_a_village_reads_its_ranked_list_with_the_reasons_page_by_page(office: Office, path: str) -> None:
    village = (await get(office, "operator.taraju", f"{path}/{LIST}")).json()
    listed = await places(office, path)
    assert [each["position"] for each in listed] == list(range(1, village["listed"] + 1))
    assert [each["points"] for each in listed] == sorted((each["points"] for each in listed), reverse=True)
    assert all(each["reasons"] and each["reasons"][0]["words"]["id"] for each in listed)
    assert "unchecked" in {reason["code"] for each in listed for reason in each["reasons"]}
    first = (await get(office, "operator.taraju", f"{path}/{LIST}/targets?limit=1")).json()
    second = (await get(office, "operator.taraju", f"{path}/{LIST}/targets?limit=200&cursor={first['next']}")).json()
    assert first["items"] + second["items"] == listed
    assert village["operators"] == 1
    assert village["capacity"] == village["working_days"] * 10
    assert village["asked"] == min(village["listed"], village["capacity"])
    assert sum(each["households"] for each in village["hamlets"]) >= village["listed"]
    for by in ("perencana", "verifikator", "puskesos.taraju"):
        assert (await get(office, by, f"{path}/{LIST}/targets")).json()["items"] == listed[:50], by


async def test_hamlets_without_a_case_and_households_never_visited_stand_out(office: Office) -> None:
    case = await office.scene.submit(floor_area(30), household=household_of(0))
    now = datetime.now(UTC)
    day = today(now)
    async with office.scene.as_owner() as connection:
        await connection.execute(
            text("UPDATE updates SET submitted_at = :at WHERE id = :id"), {"at": now - ONE_DAY, "id": case}
        )
    round_id = await planned(office.scene, dates(day, day + 20 * ONE_DAY), at=now)
    await carried(office, round_id)
    village = (await get(office, "operator.taraju", f"/v1/rounds/{round_id}/{LIST}")).json()
    with_case = {each["hamlet"]: each["with_case"] for each in village["hamlets"]}
    assert with_case[household_of(0).address.hamlet] == 1
    assert sum(with_case.values()) == 1
    assert [each["with_case"] for each in village["hamlets"]] == sorted(with_case.values())
    assert village["never_verified"] == village["by_reason"].get("never_verified", 0)


async def test_a_move_by_hand_needs_a_reason_is_shown_and_stands_in_the_trail(office: Office, path: str) -> None:
    before = await places(office, path)
    last = before[-1]
    silent = await move(office, "operator.taraju", path, {"household_id": last["household_id"], "to": 1})
    assert silent.status_code == 422
    body = {"household_id": last["household_id"], "to": 1, "reason": "reported_hardship", "note": "Rumah roboh"}
    moved = await move(office, "operator.taraju", path, body, **{"Idempotency-Key": "k", "If-Match": '"v1"'})
    assert moved.status_code == 200, moved.text
    again = await move(office, "operator.taraju", path, body, **{"Idempotency-Key": "k", "If-Match": '"v1"'})
    assert (again.status_code, again.headers["ETag"]) == (200, '"v2"')
    after = await places(office, path)
    assert [each["household_id"] for each in after] == [each["household_id"] for each in (last, *before[:-1])], (
        "those between give way by one"
    )
    assert (after[0]["rank"], after[0]["position"]) == (last["rank"], 1)
    (shown,) = moved.json()["moves"]
    assert (shown["from_position"], shown["to_position"], shown["reason"]) == (len(before), 1, "reported_hardship")
    assert shown["moved_by"]["name"] == "Operator Desa Taraju"
    events = await office.scene.rows("SELECT data, area_code FROM audit_events WHERE type = 'round.list_moved'")
    assert [(event.data["household"], event.data["reason"], event.area_code) for event in events] == [
        (last["household_id"], "reported_hardship", TARAJU)
    ]
    back = await move(office, "perencana", path, body | {"to": len(before), "reason": "unreachable_now"})
    assert back.status_code == 200
    assert await places(office, path) == before


async def test_what_cannot_be_moved_is_refused(office: Office, path: str) -> None:
    household = (await places(office, path))[0]["household_id"]
    body = {"household_id": household, "to": 2, "reason": "one_visit"}
    for changes, code in (
        ({"household_id": str(household_of(0, village=CIKUBANG).id)}, "not_listed"),
        ({"to": 1}, "not_moved"),
        ({"to": 9_999}, "past_the_list"),
    ):
        refused = await move(office, "operator.taraju", path, body | changes)
        assert (refused.status_code, refused.json()["violations"][0]["code"]) == (422, code)
    assert (await move(office, "operator.taraju", path, body, **{"If-Match": '"v7"'})).status_code == 412
    assert (await move(office, "operator.cikubang", path, body)).status_code == 404
    for by in ("verifikator", "puskesos.taraju"):
        assert (await move(office, by, path, body)).status_code == 403, by
    assert (await get(office, "operator.cikubang", f"{path}/{LIST}/targets")).status_code == 404


async def test_before_the_list_is_made_there_is_none(office: Office) -> None:
    now = datetime.now(UTC)
    round_id = await planned(office.scene, dates(today(now) + ONE_DAY, today(now) + 20 * ONE_DAY), at=now)
    assert (await get(office, "operator.taraju", f"/v1/rounds/{round_id}/{LIST}")).status_code == 404


async def test_plan_against_actual_follows_the_cases_at_once(office: Office, path: str) -> None:
    before = (await get(office, "operator.taraju", f"{path}/{LIST}")).json()["progress"]
    assert (before["done"], before["under_way"], before["to_do"]) == (0, 0, before["planned"])
    assert before["planned"] > 1
    play = Play(office.scene)
    case = await play.begin(floor_area(30))
    under_way = (await get(office, "operator.taraju", f"{path}/{LIST}")).json()["progress"]
    assert (under_way["under_way"], under_way["to_do"]) == (1, before["planned"] - 1)
    await play.forward_to(case, Stage.DELIVERY)
    done = (await get(office, "verifikator", f"{path}/villages?area={TARAJU}")).json()["items"][0]["progress"]
    assert (done["done"], done["under_way"], done["to_do"]) == (1, 0, before["planned"] - 1)
    listed = (await get(office, "verifikator", f"{path}/villages")).json()["items"]
    assert sum(each["progress"]["done"] for each in listed) == 1


async def test_an_update_of_before_the_round_counts_for_nothing_in_it(office: Office) -> None:
    case = await office.scene.submit(floor_area(30), household=household_of(0))
    now = datetime.now(UTC)
    day = today(now)
    async with office.scene.as_owner() as connection:
        earlier = text("UPDATE updates SET submitted_at = :at WHERE id = :id")
        await connection.execute(earlier, {"at": now - 2 * ONE_DAY, "id": case})
    round_id = await planned(office.scene, dates(day, day + 20 * ONE_DAY), at=now)
    await carried(office, round_id)
    progress = (await get(office, "operator.taraju", f"/v1/rounds/{round_id}/{LIST}")).json()["progress"]
    assert (progress["under_way"], progress["to_do"]) == (0, progress["planned"])
