"""The event log for research: process mining reads it, nobody is recognised in it, and it is known who took it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from devstack.demo_people import REGENCY, TARAJU
from domain.event_log import ObjectType
from services import event_log
from tests.api.reads.casebook import Casebook, known_household
from tests.scene import user

PATH = "/v1/research/event-log"


@pytest.fixture
async def told(book: Casebook) -> Casebook:
    """One case that was approved everywhere, one that was withdrawn, one on which somebody was silent."""
    approved = await book.submit()
    await book.check_identity(approved)
    await book.approve_everywhere(approved)
    await book.withdraw(await book.submit(household=known_household(place=1)))
    await book.let_lapse(await book.in_verification(household=known_household(place=2)))
    book.clock.advance(hours=1)
    return book


def all_of(book: Casebook, **other: Any) -> dict[str, Any]:
    return {"area": REGENCY, "since": "2026-01-01T00:00:00Z", "until": book.clock.at.isoformat()} | other


async def test_process_mining_reads_the_log_and_finds_the_cases_in_it(told: Casebook, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    file.write_text(json.dumps(await told.read("evaluator", PATH, **all_of(told))))
    pm4py: Any = importlib.import_module("pm4py")
    ocel = pm4py.read_ocel2_json(str(file))
    objects = ocel.objects.groupby("ocel:type").size().to_dict()
    assert objects[ObjectType.CASE] == 3
    assert objects.keys() == {kind.value for kind in ObjectType}
    stored = await told.scene.one("SELECT count(*) AS n FROM audit_events WHERE stream LIKE 'update:%'")
    assert len(ocel.events) == stored.n
    cases = pm4py.ocel_flattening(ocel, ObjectType.CASE.value)
    assert cases["case:concept:name"].nunique() == 3
    followed, first, last = pm4py.discover_dfg(cases)
    assert first == {"update.submitted": 3}
    assert followed["task.opened", "task.decided"] > 0
    assert last.keys() <= {"task.opened", "update.closed", "task.escalated", "task.reminded"}


async def test_what_is_named_is_there_once(told: Casebook) -> None:
    log = await told.read("evaluator", PATH, **all_of(told))
    ids = [each["id"] for each in log["objects"]]
    assert len(ids) == len(set(ids))
    named = {to["objectId"] for each in [*log["events"], *log["objects"]] for to in each["relationships"]}
    assert named <= set(ids)
    kinds = {each["name"]: {told["name"] for told in each["attributes"]} for each in log["objectTypes"]}
    assert all({told["name"] for told in each["attributes"]} <= kinds[each["type"]] for each in log["objects"])


async def test_nobody_and_no_case_is_recognised(told: Casebook) -> None:
    log = json.dumps(await told.read("evaluator", PATH, **all_of(told)))
    secrets = await told.scene.rows(
        "SELECT id::text AS it FROM updates UNION SELECT tracking_code FROM updates UNION SELECT id::text FROM tasks"
        " UNION SELECT household_id::text FROM updates WHERE household_id IS NOT NULL UNION SELECT id::text FROM users"
        " UNION SELECT display_name FROM users UNION SELECT username FROM users WHERE length(username) > 6"
        " UNION SELECT id::text FROM offices UNION SELECT name FROM offices"
    )
    assert len(secrets) > 20
    assert [secret.it for secret in secrets if secret.it in log] == []
    assert TARAJU not in log
    again = await told.read("evaluator", PATH, **all_of(told))
    assert {each["id"] for each in again["objects"]}.isdisjoint({each["id"] for each in json.loads(log)["objects"]})


async def test_pages_make_no_difference(told: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await told.read("evaluator", PATH, **all_of(told))
    monkeypatch.setattr(event_log, "PAGE", 1)
    by_one = await told.read("evaluator", PATH, **all_of(told))
    for part in ("objects", "events"):
        assert sorted(each["type"] for each in by_one[part]) == sorted(each["type"] for each in whole[part])


async def test_only_what_was_asked_for_is_in_it(told: Casebook) -> None:
    early = await told.read("evaluator", PATH, **all_of(told, until="2026-01-02T00:00:00Z"))
    assert (early["objects"], early["events"]) == ([], [])
    elsewhere = await told.read("evaluator", PATH, **all_of(told, area="32.06.01"))
    assert elsewhere["objects"] == []


async def test_who_took_it_is_written_down(told: Casebook) -> None:
    await told.read("evaluator", PATH, **all_of(told))
    event = await told.scene.one("SELECT * FROM audit_events WHERE type = 'event_log.exported'")
    assert (event.actor_id, event.area_code, event.data["area"]) == (user("evaluator"), REGENCY, REGENCY)


@pytest.mark.parametrize(
    ("by", "asked", "status", "said"),
    [
        ("kadis", {}, 403, "forbidden"),
        ("evaluator", {"area": "32.07"}, 404, "not_found"),
        ("evaluator", {"until": None}, 422, "/round"),
        ("evaluator", {"until": "2025-01-01T00:00:00Z"}, 422, "/until"),
        ("evaluator", {"round": "019a0000-0000-7000-8000-000000000001"}, 422, "/since"),
        ("evaluator", {"since": None, "until": None, "round": "019a0000-0000-7000-8000-000000000001"}, 404, "no round"),
    ],
)
async def test_what_cannot_be_given_is_refused(
    told: Casebook, by: str, asked: dict[str, Any], status: int, said: str
) -> None:
    query = {name: value for name, value in all_of(told, **asked).items() if value is not None}
    answer = await told.get(by, PATH, **query)
    assert answer.status_code == status, answer.text
    assert said in answer.text
