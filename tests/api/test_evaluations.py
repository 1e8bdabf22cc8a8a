"""Evaluations over HTTP: asked for, measured, read alike by all tiers, and opened within one's own areas."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.api.conftest import Office
from tests.casework.play import Play
from tests.evaluations import REGENCY, measured
from tests.rounds import today
from tests.workflows.stack import floor_area

DAY = timedelta(days=1)


def _asking(**changes: Any) -> dict[str, Any]:
    day = today(datetime.now(UTC))
    return {"area_code": REGENCY, "begins": str(day - 30 * DAY), "ends": str(day), **changes}


async def _post(office: Office, by: str, body: dict[str, Any], *, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await (await office.desk_of(by)).post("/v1/evaluations", json=body, headers=headers)


async def _read(office: Office, by: str, path: str) -> Any:
    answer = await (await office.desk_of(by)).get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_evaluation_is_asked_for_measured_and_opened_down_to_its_cases(office: Office) -> None:
    made = await _post(office, "evaluator", _asking(), key="k")
    assert made.status_code == 201, made.text
    assert (await _post(office, "evaluator", _asking(), key="k")).json()["id"] == made.json()["id"]
    waiting = await _read(office, "operator.taraju", f"/v1/evaluations/{made.json()['id']}")
    assert (waiting["measured_at"], waiting["indicators"][0]["numbers"]) == (None, [])
    play = Play(office.scene)
    applied = await play.begin(floor_area(30))
    await play.through(applied)
    evaluation_id, _ = await measured(office.scene, known_until=play.later())
    path = f"/v1/evaluations/{evaluation_id}"
    shown = await _read(office, "operator.taraju", path)
    assert shown == await _read(office, "kabid", path), "all tiers read the same"
    age = next(each for each in shown["indicators"] if each["name"] == "case_age")
    assert age["numbers"][0]["n"] == 1
    assert {each["name"] for each in shown["not_measured"]} >= {"exclusion_error", "poverty"}
    (case,) = (await _read(office, "operator.taraju", f"{path}/indicators/case_age/cases"))["items"]
    assert case["update_id"] == str(applied)
    assert (await _read(office, "operator.cikubang", f"{path}/indicators/case_age/cases"))["items"] == []
    first = await _read(office, "kabid", f"{path}/indicators/custody/cases?limit=1")
    rest = await _read(office, "kabid", f"{path}/indicators/custody/cases?limit=200&cursor={first['next']}")
    whole = await _read(office, "kabid", f"{path}/indicators/custody/cases?limit=200")
    assert first["items"] + rest["items"] == whole["items"]
    table = await (await office.desk_of("operator.taraju")).get(f"{path}/numbers.csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(table.text)))
    village = next(each for each in lines if each["indicator"] == "case_age" and each["area_code"] == case["area_code"])
    assert (village["n"], village["part"], village["unit"]) == ("1", "", "seconds")
    assert float(village["value"]) == case["value"]
    newest = (await _read(office, "operator.taraju", "/v1/evaluations"))["items"]
    assert str(evaluation_id) in {each["id"] for each in newest}


async def test_what_is_refused_and_to_whom(office: Office) -> None:
    for by in ("operator.taraju", "kabid", "perencana", "admin"):
        assert (await _post(office, by, _asking())).status_code == 403, by
    assert (await _post(office, "evaluator", _asking(area_code="32.07"))).status_code == 404
    unknown = {"area_code": None, "begins": None, "ends": None, "round_id": str(uuid4())}
    assert (await _post(office, "evaluator", _asking(**unknown))).status_code == 404
    day = today(datetime.now(UTC))
    for wrong, code in (
        ({"ends": str(day + DAY)}, "day_to_come"),
        ({"begins": str(day - 400 * DAY)}, "evaluation_too_long"),
        ({"begins": str(day), "ends": str(day - DAY)}, "ends_before_it_begins"),
        ({"area_code": "32"}, None),
        ({"begins": None}, "missing"),
        ({"known_until": (datetime.now(UTC) + DAY).isoformat()}, "bound_to_come"),
        ({"known_until": (datetime.now(UTC) - 60 * DAY).isoformat()}, "bound_too_early"),
    ):
        answer = await _post(office, "evaluator", _asking(**wrong))
        if code is None:
            assert answer.status_code == 404, "a province is outside the seat"
            continue
        assert answer.status_code == 422, answer.text
        assert code in {each["code"] for each in answer.json()["violations"]}, wrong
