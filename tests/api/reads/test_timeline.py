"""The story of an update: what happened, by whom, and where its time went."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import insert, text

from db.models import ClockInterval
from devstack.demo_people import DEUDEUL
from domain.audit import AuditType
from domain.ids import new_id
from services.queries.event_words import WORDS
from tests.api.reads.casebook import Casebook
from tests.scene import SYSTEM

_DURATION = TypeAdapter(timedelta)


def length(text: str) -> timedelta:
    return _DURATION.validate_python(text)


def keepers(timeline: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [
        (
            span["stage"] or "-",
            span["keeper"]["party"],
            [office["name"] for desk in span["keeper"]["desks"] for office in desk["offices"]],
        )
        for span in timeline["custody"]
    ]


def assert_adds_up(timeline: dict[str, Any]) -> None:
    age = length(timeline["age"])
    assert sum((length(span["length"]) for span in timeline["custody"]), timedelta()) == age
    assert sum((length(held["total"]) for held in timeline["totals"]), timedelta()) == age
    for held in timeline["totals"]:
        assert length(held["running"]) + length(held["paused"]) == length(held["total"])


async def test_custody_adds_up_to_the_age_from_submission_to_application(book: Casebook) -> None:
    update_id = await book.submit()
    book.clock.advance(minutes=3)
    await book.check_identity(update_id)
    await book.approve_everywhere(update_id)
    book.clock.advance(minutes=10)
    await book.push(update_id)
    book.clock.advance(days=2)
    await book.ministry_says(update_id, "accepted")
    closed_at = book.clock.at
    book.clock.advance(days=30)

    timeline = await book.read("operator.taraju", f"/v1/updates/{update_id}/timeline")
    assert_adds_up(timeline)
    assert timeline["until"] == closed_at.isoformat().replace("+00:00", "Z")
    assert keepers(timeline) == [
        ("-", "system", []),
        ("verification", "officers", ["PUSKESOS Desa Taraju"]),
        ("deliberation", "officers", ["Pemerintah Desa Taraju"]),
        ("approval", "officers", ["Dinas Sosial PPKBP3A Kabupaten Tasikmalaya"]),
        ("endorsement", "officers", ["Dinas Sosial PPKBP3A Kabupaten Tasikmalaya"]),
        ("delivery", "system", []),
        ("delivery", "ministry", []),
    ]
    ministry = next(held for held in timeline["totals"] if held["keeper"]["party"] == "ministry")
    assert length(ministry["total"]) == timedelta(days=2)


async def test_a_pause_is_shown_apart_and_still_adds_up(book: Casebook) -> None:
    update_id = await book.in_verification()
    case = await book.scene.case(update_id)
    start = book.clock.at
    async with book.scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            insert(ClockInterval).values(
                id=new_id(),
                task_id=case.task,
                update_id=update_id,
                area_code=case.area_code,
                from_at=start + timedelta(hours=1),
                to_at=start + timedelta(hours=4),
                cause="waiting_document",
            ),
        )
    book.clock.advance(hours=10)
    timeline = await book.read("operator.taraju", f"/v1/updates/{update_id}/timeline")
    assert_adds_up(timeline)
    officers = next(held for held in timeline["totals"] if held["keeper"]["party"] == "officers")
    assert length(officers["paused"]) == timedelta(hours=3)
    assert length(officers["running"]) == timedelta(hours=7)


async def test_where_nobody_might_decide_the_receiver_of_the_rung_had_it(book: Casebook) -> None:
    update_id = await book.submit(by="serba.deudeul", area_code=DEUDEUL)
    await book.check_identity(update_id)
    book.clock.advance(hours=5)
    timeline = await book.read("kades.deudeul", f"/v1/updates/{update_id}/timeline")
    assert_adds_up(timeline)
    assert keepers(timeline)[-1] == ("verification", "officers", ["SLRT Kecamatan Taraju"])


async def test_silence_is_the_holders_also_after_it_has_escalated(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.let_lapse(update_id)
    await book.decide(update_id, "slrt.taraju")
    timeline = await book.read("operator.taraju", f"/v1/updates/{update_id}/timeline")
    assert_adds_up(timeline)
    assert ("verification", "officers", ["PUSKESOS Desa Taraju"]) in keepers(timeline)
    decided = next(event for event in timeline["events"] if event["type"] == "task.decided")
    assert (decided["actor"]["name"], decided["role"]) == ("Supervisor SLRT Taraju", "district_supervisor")
    assert decided["office"]["name"] == "SLRT Kecamatan Taraju"


async def test_a_withdrawn_update_ends_its_custody_where_it_was_withdrawn(book: Casebook) -> None:
    update_id = await book.in_verification()
    book.clock.advance(hours=2)
    await book.withdraw(update_id)
    book.clock.advance(days=9)
    timeline = await book.read("operator.taraju", f"/v1/updates/{update_id}/timeline")
    assert_adds_up(timeline)
    assert timeline["until"] == timeline["custody"][-1]["ends"]


async def test_events_are_told_in_their_order_in_both_languages(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.decide(update_id, "puskesos.taraju")
    events = (await book.read("kemensos", f"/v1/updates/{update_id}/timeline"))["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "update.submitted"
    assert events[0]["words"] == {"id": "Usulan diajukan", "en": "Update submitted"}
    assert [event["status"] for event in events if event["status"]][-1] == "in_deliberation"


async def test_every_event_of_a_case_has_words() -> None:
    of_a_case = {kind for kind in AuditType if kind.value.startswith(("update.", "task."))}
    assert of_a_case == set(WORDS)


async def test_the_trail_is_verified_as_it_is_read(book: Casebook) -> None:
    update_id = await book.in_verification()
    trail = await book.read("inspektorat", f"/v1/updates/{update_id}/audit")
    assert trail["verdict"]["whole"] is True
    assert trail["verdict"]["events"] == len(trail["events"])
    assert trail["verdict"]["head"] == trail["events"][-1]["hash"]
    assert trail["events"][1]["prev_hash"] == trail["events"][0]["hash"]


async def test_a_changed_row_shows_in_the_verdict(book: Casebook) -> None:
    update_id = await book.in_verification()
    async with book.scene.as_owner() as connection:
        await connection.execute(text("ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only"))
        forged = text("UPDATE audit_events SET actor_role = 'regent' WHERE stream = :stream AND seq = 1")
        await connection.execute(forged, {"stream": f"update:{update_id}"})
    verdict = (await book.read("inspektorat", f"/v1/updates/{update_id}/audit"))["verdict"]
    assert verdict["whole"] is False
    assert [(flaw["seq"], flaw["kind"]) for flaw in verdict["flaws"]] == [(1, "changed")]
