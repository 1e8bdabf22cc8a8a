"""Calendars as an administrator enters them, and the open deadlines that follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from activities.casework import Desk
from devstack.demo_people import TARAJU
from domain.origins import ActOrigin, Means, acting_from, no_ring
from domain.vocabulary import Stage
from duties.clock_jobs import ClockJobs
from tests.api.conftest import Office
from tests.casework.play import Play
from tests.scene import VAULT
from tests.workflows.stack import floor_area

REGENCY = "32.06"


def _closing(day: str, category: str = "local_closing") -> dict[str, Any]:
    return {"day": day, "name": "Hari jadi kabupaten", "category": category, "source": "SK Bupati 7/2026"}


async def _publish(office: Office, by: str, area: str, **change: Any) -> Any:
    desk = await office.desk_of(by)
    headers = {"Idempotency-Key": str(uuid4())}
    return await desk.post(f"/v1/calendars/{area}/versions", json=change, headers=headers)


async def test_a_local_closing_moves_the_open_deadlines_and_says_so(office: Office) -> None:
    scene = office.scene
    play = Play(scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    of_case = "SELECT due_at, deadline FROM tasks WHERE update_id = :id AND status = 'open'"
    before = (await scene.rows(of_case, id=update_id))[0]
    last_day = (before.due_at + timedelta(hours=7)).date().isoformat()
    published = await _publish(office, "kabid", REGENCY, closed=[_closing(last_day)], note="SK Bupati 7/2026")
    assert published.status_code == 201, published.text
    assert published.json()["calendar"]["version"] == 1
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        await ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(play.later())
    after = (await scene.rows(of_case, id=update_id))[0]
    assert after.due_at > before.due_at
    case = (await (await office.desk_of("puskesos.taraju")).get(f"/v1/updates/{update_id}")).json()
    sentence = case["task"]["deadline"]["sentence"]
    assert "moved by calendar version 1" in sentence["en"]
    assert "Hari jadi kabupaten" in sentence["id"]
    reopened = await _publish(office, "kabid", REGENCY, reopened=[last_day])
    assert reopened.json()["calendar"]["version"] == 2
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        await ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(play.later())
    assert (await scene.rows(of_case, id=update_id))[0].due_at == before.due_at
    versions = (await (await office.desk_of("kabid")).get(f"/v1/calendars/{REGENCY}/versions")).json()["items"]
    assert [version["calendar"]["version"] for version in versions] == [2, 1]


async def test_a_regency_closes_for_reasons_of_its_own_only_and_nobody_below_it(office: Office) -> None:
    year = datetime.now(UTC).year + 1
    foreign = await _publish(office, "kabid", REGENCY, closed=[_closing(f"{year}-03-05", "collective_leave")])
    assert foreign.json()["violations"][0]["code"] == "category_not_yours"
    nothing = await _publish(office, "kabid", REGENCY)
    assert nothing.json()["violations"][0]["code"] == "calendar_unchanged"
    assert (await _publish(office, "verifikator", TARAJU, closed=[_closing(f"{year}-03-05")])).status_code == 403
    decree = _closing(f"{year}-03-05", "collective_leave")
    assert (await _publish(office, "kabid", "*", closed=[decree])).status_code == 404


async def test_a_regency_fixes_its_musdes_windows_and_hours_and_deliberations_follow(office: Office) -> None:
    scene = office.scene
    play = Play(scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.DELIBERATION)
    of_case = "SELECT due_at FROM tasks WHERE update_id = :id AND status = 'open'"
    opens = (play.now + timedelta(days=70)).date()
    window = {"opens": opens.isoformat(), "closes": (opens + timedelta(days=4)).isoformat()}
    published = await _publish(office, "kabid", REGENCY, windows=[window], closing_time="15:00:00")
    assert published.status_code == 201, published.text
    calendar = published.json()["calendar"]
    assert (calendar["windows"], calendar["opening_time"], calendar["closing_time"]) == (
        [window],
        "07:30:00",
        "15:00:00",
    )
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        await ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(play.later())
    due = (await scene.one(of_case, id=update_id)).due_at + timedelta(hours=7)
    assert opens <= due.date() <= opens + timedelta(days=4)
    assert due.hour == 15


async def test_hours_and_windows_that_cannot_be_are_refused_by_their_field(office: Office) -> None:
    days = [{"opens": "2027-03-01", "closes": "2027-03-12"}, {"opens": "2027-03-12", "closes": "2027-03-20"}]
    for change, pointer in (
        ({"closing_time": "07:00:00"}, "/closing_time"),
        ({"closing_time": "15:00:00+07:00"}, "/closing_time"),
        ({"windows": days}, "/windows/1"),
        ({"windows": [{"opens": "2027-03-12", "closes": "2027-03-01"}]}, "/windows/0"),
    ):
        answer = await _publish(office, "kabid", REGENCY, **change)
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["violations"]] == [pointer]
