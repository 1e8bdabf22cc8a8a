"""Rounds as a planner plans them, and as officers, lists and the public read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from activities.casework import Desk
from activities.rounds import RoundsAtWork
from db.repositories.calendars import add_calendar, latest_calendars
from db.repositories.clocks import SETTLES_AFTER
from devstack.demo_people import CIKUBANG, TARAJU
from domain.calendar import ONE_DAY
from domain.contracts import TakeBaseline
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.vocabulary import Stage
from duties.round_turns import RoundTurns
from tests.api.conftest import Office
from tests.casework.play import Play
from tests.rounds import REGENCY, at_work, dates, planned, today
from tests.scene import VAULT
from tests.workflows.stack import floor_area


def _working(day: date) -> date:
    """The Tuesday on or after `day`, and no holiday in the weeks of which these tests speak."""
    return day + (1 - day.weekday()) % 7 * ONE_DAY


def _plan(*, opens_in: int = 1, cut_off_in: int = 20, **changes: Any) -> dict[str, Any]:
    day = today(datetime.now(UTC))
    opens, cut_off = day + opens_in * ONE_DAY, _working(day + cut_off_in * ONE_DAY)
    window = {"opens": str(opens), "closes": str(cut_off - 3 * ONE_DAY)}
    return {
        "area_code": REGENCY,
        "period": f"{cut_off:%Y-%m}",
        "opens": str(opens),
        "input_window": window,
        "musdes_window": window,
        "cut_off": str(cut_off),
        "publishes": str(cut_off + 7 * ONE_DAY),
        **changes,
    }


def _dates(plan: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plan.items() if name not in {"area_code", "period"}}


async def _post(
    office: Office, by: str, path: str, body: dict[str, Any], *, key: str | None = None, held: str | None = None
) -> Any:
    headers = {"Idempotency-Key": key or str(uuid4())} | ({} if held is None else {"If-Match": held})
    return await (await office.desk_of(by)).post(path, json=body, headers=headers)


async def _read(office: Office, by: str, path: str) -> Any:
    answer = await (await office.desk_of(by)).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(autouse=True)
async def _no_holidays(scene: Any) -> None:  # pyright: ignore[reportUnusedFunction]
    """Whatever the day on which the tests run, no holiday falls on the days that they name."""
    async with scene.as_owner() as connection:
        calendars = await latest_calendars(connection)
        nation = calendars["*"]
        later = nation.model_copy(update={"closed": (), "version": nation.version + 1})
        await add_calendar(connection, later, at=datetime.now(UTC))


async def test_a_planned_round_is_told_to_all_shown_with_days_left_and_public(office: Office) -> None:
    plan = _plan()
    made = await _post(office, "perencana", "/v1/rounds", plan, key="k")
    assert made.status_code == 201, made.text
    again = await _post(office, "perencana", "/v1/rounds", plan, key="k")
    assert again.json()["id"] == made.json()["id"]
    round_id = made.json()["id"]
    assert made.headers["Location"] == f"/v1/rounds/{round_id}"
    shown = await _read(office, "operator.taraju", f"/v1/rounds/{round_id}")
    assert (shown["state"], shown["zone"], shown["terms"][0]["reason"]) == ("planned", "Asia/Jakarta", None)
    opens = next(each for each in shown["milestones"] if each["code"] == "opens")
    assert opens["days_left"] == 1
    told = (await _read(office, "operator.taraju", "/v1/notifications"))["items"]
    assert [each["round_id"] for each in told if each["subject"] == "round_planned"] == [round_id]
    listed = (await _read(office, "operator.taraju", "/v1/rounds?ahead=true"))["items"]
    assert [each["id"] for each in listed] == [round_id]
    assert (await _read(office, "operator.taraju", "/v1/rounds?ahead=false"))["items"] == []
    page = (await (await office.visitor()).get(f"/public/rounds/{REGENCY}/{plan['period']}")).json()
    assert page["figures"] == dict.fromkeys(("submitted", "approved", "applied", "rolled_in", "rolled_over"), 0)
    assert "terms" not in page
    assert (await (await office.visitor()).get(f"/public/rounds/{REGENCY}/2031-01")).status_code == 404


async def test_who_may_plan_and_what_is_refused(office: Office) -> None:
    for by in ("operator.taraju", "verifikator", "kabid", "admin"):
        assert (await _post(office, by, "/v1/rounds", _plan())).status_code == 403, by
    for area in ("33.01", "32.07"):
        assert (await _post(office, "perencana", "/v1/rounds", _plan(area_code=area))).status_code == 404, area
    village = await _post(office, "perencana", "/v1/rounds", _plan(area_code=CIKUBANG))
    assert village.status_code == 422
    sunday = date.fromisoformat(_plan()["cut_off"]) + 5 * ONE_DAY
    wrong = await _post(office, "perencana", "/v1/rounds", _plan(cut_off=str(sunday), period=f"{sunday:%Y-%m}"))
    assert [each["code"] for each in wrong.json()["violations"]] == ["offices_closed"]
    assert (await _post(office, "perencana", "/v1/rounds", _plan())).status_code == 201
    twice = await _post(office, "perencana", "/v1/rounds", _plan())
    assert "round_planned_already" in {each["code"] for each in twice.json()["violations"]}


async def test_a_round_is_rescheduled_for_a_reason_and_keeps_what_it_said(office: Office) -> None:
    plan = _plan()
    made = await _post(office, "perencana", "/v1/rounds", plan)
    path = f"/v1/rounds/{made.json()['id']}"
    other = _dates(plan) | {"publishes": str(date.fromisoformat(plan["publishes"]) + 7 * ONE_DAY)}
    bare = await _post(office, "perencana", f"{path}/rescheduling", other)
    assert bare.status_code == 422, "without a reason"
    moved = await _post(
        office, "perencana", f"{path}/rescheduling", other | {"reason": "disaster"}, held=made.headers["ETag"]
    )
    assert moved.status_code == 200, moved.text
    assert [(each["version"], each["reason"]) for each in moved.json()["terms"]] == [(1, None), (2, "disaster")]
    assert moved.json()["terms"][0]["dates"]["publishes"] == plan["publishes"]
    stale = await _post(
        office, "perencana", f"{path}/rescheduling", _dates(plan) | {"reason": "disaster"}, held=made.headers["ETag"]
    )
    assert stale.status_code == 412
    early = await _post(office, "perencana", f"{path}/closing", {})
    assert (early.status_code, early.json()["code"]) == (409, "not_possible_now")


async def test_a_round_is_closed_once_it_is_published_and_all_has_rolled_over(office: Office) -> None:
    scene, now = office.scene, datetime.now(UTC)
    opens = today(now) - 60 * ONE_DAY
    round_id = await planned(scene, dates(opens, opens + 30 * ONE_DAY), at=now)
    path = f"/v1/rounds/{round_id}"
    rolling = await _post(office, "perencana", f"{path}/closing", {})
    assert (rolling.status_code, "rolled over" in rolling.json()["detail"]) == (409, True)
    with acting_from(ActOrigin(means=Means.DUTY, part="round_turns"), no_ring):
        await RoundTurns(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(now + SETTLES_AFTER)
    closed = await _post(office, "perencana", f"{path}/closing", {"note": "Selesai"})
    assert closed.status_code == 200, closed.text
    assert (closed.json()["state"], closed.json()["closed_at"] is not None) == ("closed", True)
    again = await _post(office, "perencana", f"{path}/closing", {})
    assert again.status_code == 409
    shut = await _post(office, "perencana", f"{path}/rescheduling", _dates(_plan()) | {"reason": "disaster"})
    assert shut.status_code == 409


async def test_lists_the_case_and_the_round_say_who_will_miss_the_cut_off(office: Office) -> None:
    scene = office.scene
    play = Play(scene)
    day = today(play.now)
    await planned(scene, dates(day, day + 12 * ONE_DAY), at=play.now)
    late = await play.begin(floor_area(30))
    await play.forward_to(late, Stage.VERIFICATION)
    in_time = await play.begin(floor_area(31), place=1)
    await play.forward_to(in_time, Stage.ENDORSEMENT)
    done = await play.begin(floor_area(32), place=2)
    await play.forward_to(done, Stage.DELIVERY)
    listed = (await _read(office, "verifikator", "/v1/updates"))["items"]
    assert {each["id"]: each["will_miss_cutoff"] for each in listed} == {
        str(late): True,
        str(in_time): False,
        str(done): False,
    }
    assert {each["round"] for each in listed if each["id"] != str(done)} == {f"{day + 12 * ONE_DAY:%Y-%m}"}
    for wanted, found in (("true", {str(late)}), ("false", {str(in_time), str(done)})):
        narrowed = (await _read(office, "verifikator", f"/v1/updates?will_miss_cutoff={wanted}"))["items"]
        assert {each["id"] for each in narrowed} == found
    case = (await _read(office, "operator.taraju", f"/v1/updates/{late}"))["round"]
    assert (case["will_miss_cutoff"], case["approved"], case["rolled_over_from"]) == (True, False, [])
    assert datetime.fromisoformat(case["approved_by"]) > datetime.fromisoformat(case["cutoff_at"])
    assert (await _read(office, "operator.taraju", f"/v1/updates/{done}"))["round"]["approved"]
    shown = await _read(office, "verifikator", f"/v1/rounds/{case['id']}")
    assert shown["yours"] == {"open": 2, "will_miss_cutoff": 1}
    assert (shown["figures"]["submitted"], shown["figures"]["approved"]) == (3, 1)
    elsewhere = await _read(office, "operator.cikubang", f"/v1/rounds/{case['id']}")
    assert elsewhere["yours"] == {"open": 0, "will_miss_cutoff": 0}, "numbers of the regency, cases of one's own"
    assert elsewhere["figures"] == shown["figures"]


async def test_without_a_round_nobody_misses_a_cut_off(office: Office) -> None:
    play = Play(office.scene)
    update_id = await play.begin(floor_area(30))
    listed = (await _read(office, "verifikator", "/v1/updates"))["items"]
    assert [(each["round"], each["will_miss_cutoff"]) for each in listed] == [(None, False)]
    assert (await _read(office, "verifikator", "/v1/updates?will_miss_cutoff=true"))["items"] == []
    assert (await _read(office, "operator.taraju", f"/v1/updates/{update_id}"))["round"] is None


async def test_a_case_tells_from_which_rounds_it_rolled_over(office: Office) -> None:
    scene = office.scene
    play = Play(scene)
    update_id = await play.begin(floor_area(30))
    day = today(play.now)
    now = play.now + timedelta(minutes=1)
    await planned(scene, dates(day - 30 * ONE_DAY, day - ONE_DAY), at=now, period="2030-01")
    await planned(scene, dates(day, day + 30 * ONE_DAY), at=now, period="2030-02")
    await _as_if_submitted(office, update_id, before=day - 10 * ONE_DAY)
    with acting_from(ActOrigin(means=Means.DUTY, part="round_turns"), no_ring):
        await RoundTurns(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(now)
    case = (await _read(office, "operator.taraju", f"/v1/updates/{update_id}"))["round"]
    assert (case["period"], case["rolled_over_from"]) == ("2030-02", ["2030-01"])
    timeline = await _read(office, "operator.taraju", f"/v1/updates/{update_id}/timeline")
    assert "counts for the next one" in str(timeline)
    told = (await _read(office, "operator.taraju", "/v1/notifications"))["items"]
    assert "rolled_over" in {each["subject"] for each in told}


async def _as_if_submitted(office: Office, update_id: Any, *, before: date) -> None:
    async with office.scene.as_owner() as connection:
        moved = text("UPDATE updates SET submitted_at = :at WHERE id = :id")
        await connection.execute(moved, {"id": update_id, "at": datetime.combine(before, datetime.min.time(), UTC)})


async def test_the_baseline_is_read_by_village_in_ones_own_areas(office: Office) -> None:
    scene, now = office.scene, datetime.now(UTC)
    day = today(now)
    round_id = await planned(scene, dates(day, day + 20 * ONE_DAY), at=now)
    path = f"/v1/rounds/{round_id}/villages"
    assert (await _read(office, "verifikator", path))["items"] == []
    taking = RoundsAtWork(Desk(scene.worker, VAULT, scene.rules)).take_baseline
    await at_work(datetime.now(UTC)).run(taking, TakeBaseline(round_id=round_id, after=None))
    villages = {each["area"]["code"]: each for each in (await _read(office, "verifikator", path))["items"]}
    assert len(villages) > 1
    registered = await scene.rows(
        "SELECT id FROM households WHERE area_code = :area AND status = 'active'", area=TARAJU
    )
    assert villages[TARAJU]["households"] == len(registered)
    assert villages[TARAJU]["unchecked"] == len(registered)
    assert 0 < villages[TARAJU]["completeness"] <= 100
    own = (await _read(office, "operator.taraju", path))["items"]
    assert [each["area"]["code"] for each in own] == [TARAJU]
    assert (await _read(office, "operator.taraju", f"/v1/rounds/{round_id}"))["baseline_at"] is not None
