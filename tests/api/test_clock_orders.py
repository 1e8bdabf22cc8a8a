"""Suspensions and outages as a supervisor enters them, and as officers and the public read them."""

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

DISTRICT = "32.06.13"


def _decree(**changes: Any) -> dict[str, Any]:
    begun = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    return {"area_code": DISTRICT, "number": "360/12/2026", "from": begun, "reason": "landslide", **changes}


def _outage(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    times = {"from": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    return {"area_code": DISTRICT, "number": "BA-7", "part": "network", "credit_days": 2, **times, **changes}


async def _post(
    office: Office, by: str, path: str, body: dict[str, Any], *, key: str | None = None, held: str | None = None
) -> Any:
    headers = {"Idempotency-Key": key or str(uuid4())} | ({} if held is None else {"If-Match": held})
    return await (await office.desk_of(by)).post(path, json=body, headers=headers)


async def _read(office: Office, by: str, path: str) -> Any:
    return await (await office.desk_of(by)).get(path)


async def _carry(office: Office, *, at: datetime) -> None:
    scene = office.scene
    with acting_from(ActOrigin(means=Means.DUTY, part="clock_jobs"), no_ring):
        await ClockJobs(desk=Desk(scene.worker, VAULT, scene.rules)).carry_on(at)


async def test_a_suspension_moves_the_deadlines_is_told_to_all_and_lifted(office: Office) -> None:
    play = Play(office.scene)
    update_id = await play.begin(floor_area(30))
    await play.forward_to(update_id, Stage.VERIFICATION)
    entered = await _post(office, "kabid", "/v1/suspensions", _decree(), key="k")
    assert entered.status_code == 201, entered.text
    assert (await _post(office, "kabid", "/v1/suspensions", _decree(), key="k")).status_code == 422, "another moment"
    order = entered.json()
    assert (order["state"], order["settled"], order["tasks_behind"]) == ("holding", False, 1)
    await _carry(office, at=play.later())
    case = (await _read(office, "puskesos.taraju", f"/v1/updates/{update_id}")).json()
    assert "360/12/2026" in case["task"]["deadline"]["sentence"]["id"]
    assert case["task"]["deadline"]["reckoning"]["standing"]
    told = (await _read(office, "operator.taraju", "/v1/notifications")).json()["items"]
    assert [each["clock_order_id"] for each in told if each["subject"] == "clock_order_entered"] == [order["id"]]
    listed = (await _read(office, "operator.taraju", "/v1/suspensions?state=holding")).json()["items"]
    assert [each["id"] for each in listed] == [order["id"]]
    lifted = await _post(office, "kabid", f"/v1/suspensions/{order['id']}/lift", {}, held=entered.headers["ETag"])
    assert lifted.status_code == 200, lifted.text
    assert (lifted.json()["state"], len(lifted.json()["records"])) == ("ended", 2)
    again = await _post(office, "kabid", f"/v1/suspensions/{order['id']}/lift", {})
    assert (again.status_code, again.json()["code"]) == (409, "not_possible_now")
    stale = await _post(
        office, "kabid", f"/v1/suspensions/{order['id']}/correction", _terms(_decree()), held=entered.headers["ETag"]
    )
    assert stale.status_code == 412
    await _carry(office, at=play.later())
    case = (await _read(office, "puskesos.taraju", f"/v1/updates/{update_id}")).json()
    assert not case["task"]["deadline"]["reckoning"]["standing"]


def _terms(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name != "area_code"}


async def test_the_public_reads_that_service_is_held_up_and_by_which_decree(office: Office) -> None:
    play = Play(office.scene)
    update_id = await play.begin(floor_area(30))
    await _post(office, "kabid", "/v1/suspensions", _decree(area_code=TARAJU))
    visitor = await office.visitor()
    page = (await visitor.get(f"/public/areas/{TARAJU}")).json()
    assert [(order["number"], order["cause"]["id"]) for order in page["orders"]] == [("360/12/2026", "tanah longsor")]
    assert "note" not in page["orders"][0]
    row = (await office.scene.rows("SELECT tracking_code FROM updates WHERE id = :id", id=update_id))[0]
    tracked = (await visitor.get(f"/public/track/{row.tracking_code}")).json()
    assert [order["area"]["code"] for order in tracked["orders"]] == [DISTRICT], "no place below the district"
    assert (await visitor.get("/public/areas/32.06.14")).json()["orders"] == []


async def test_who_may_order_and_what_is_refused(office: Office) -> None:
    for by, status in (("operator.taraju", 403), ("verifikator", 403), ("kabid", 201)):
        assert (await _post(office, by, "/v1/outages", _outage())).status_code == status, by
    elsewhere = await _post(office, "kabid", "/v1/suspensions", _decree(area_code="33.01"))
    assert elsewhere.status_code == 404
    unknown = await _post(office, "kabid", "/v1/suspensions", _decree(area_code="32.06.99"))
    assert unknown.status_code == 404
    backwards = await _post(office, "kabid", "/v1/suspensions", _decree(until="2026-01-01T00:00:00+07:00"))
    assert backwards.json()["violations"][0]["code"] == "order_backwards"
    no_file = await _post(office, "kabid", "/v1/suspensions", _decree(scan=str(uuid4())))
    assert no_file.json()["violations"][0]["code"] == "evidence_unknown"


async def test_a_preview_answers_as_a_task_would(office: Office) -> None:
    question = {"area_code": TARAJU, "duration": {"working_days": 3}}
    before = (await (await office.desk_of("verifikator")).post("/v1/deadlines/preview", json=question)).json()
    await _post(office, "kabid", "/v1/outages", _outage(until=(datetime.now(UTC) + timedelta(days=1)).isoformat()))
    after = (await (await office.desk_of("verifikator")).post("/v1/deadlines/preview", json=question)).json()
    assert after["due_at"] > before["due_at"]
    assert "BA-7" in after["sentence"]["en"]


async def test_an_order_of_each_kind_is_corrected_and_lifted_in_the_trail(office: Office) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for kind, order in (("suspensions", _decree()), ("outages", _outage(until=later))):
        entered = await _post(office, "kabid", f"/v1/{kind}", order)
        assert entered.status_code == 201, entered.text
        path, terms = f"/v1/{kind}/{entered.json()['id']}", _terms(order | {"number": "9"})
        corrected = await _post(office, "kabid", f"{path}/correction", terms, held=entered.headers["ETag"])
        assert corrected.status_code == 200, corrected.text
        lifted = await _post(office, "kabid", f"{path}/lift", {}, held=corrected.headers["ETag"])
        assert lifted.status_code == 200, lifted.text
