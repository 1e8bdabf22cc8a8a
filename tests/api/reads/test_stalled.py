"""What is stalled: whose it is, how late, what happens next; and the counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter
from sqlalchemy import insert

from db.models import ClockInterval
from devstack.demo_people import CIKUBANG, DEUDEUL, TARAJU
from domain.ids import new_id
from tests.api.reads.casebook import Casebook, better_floor, known_household
from tests.scene import SYSTEM


async def stalled(book: Casebook, username: str, **query: Any) -> list[str]:
    return [item["update_id"] for item in (await book.read(username, "/v1/stalled", **query))["items"]]


async def test_half_of_the_time_gone_is_what_stalled_means_unless_another_share_is_asked_for(book: Casebook) -> None:
    update_id = await book.in_verification()
    case = await book.scene.case(update_id)
    assert await stalled(book, "kabid") == []
    assert await stalled(book, "kabid", share=0) == [str(update_id)]
    span = case.due_at - case.opened_at
    book.clock.at = case.opened_at + span * 0.51
    assert await stalled(book, "kabid") == [str(update_id)]
    assert await stalled(book, "kabid", share=0.9) == []
    assert await stalled(book, "kabid", overdue="true") == []


async def test_it_says_whose_it_is_how_late_and_what_happens_next(book: Casebook) -> None:
    update_id = await book.in_verification()
    due_at = await book.let_lapse(update_id, past=timedelta(days=1))
    (item,) = (await book.read("operator.taraju", "/v1/stalled"))["items"]
    assert [desk["offices"][0]["name"] for desk in item["holder"]["desks"]] == [
        "PUSKESOS Desa Taraju",
        "SLRT Kecamatan Taraju",
    ]
    assert item["due_at"] == due_at.isoformat().replace("+00:00", "Z")
    assert TypeAdapter(timedelta).validate_python(item["late"]["elapsed"]) == timedelta(days=1)
    assert item["late"]["working_days"] in {0, 1}
    assert (item["level"], item["cause"]) == (1, "deadline")
    case = await book.scene.case(update_id)
    assert item["next_rung"]["to"] == "regency_head"
    assert item["next_rung"]["at"] == case.next_milestone_at.isoformat().replace("+00:00", "Z")
    assert item["next_look_at"] == item["next_rung"]["at"]


async def test_working_days_late_leave_weekends_out(book: Casebook) -> None:
    update_id = await book.in_verification()
    case = await book.scene.case(update_id)
    book.clock.at = case.due_at + timedelta(days=14)
    (item,) = (await book.read("kabid", "/v1/stalled"))["items"]
    assert item["late"]["working_days"] <= 10
    assert item["late"]["working_days"] >= 5


async def test_an_escalation_without_delay_is_stalled_at_once(book: Casebook) -> None:
    update_id = await book.submit(by="serba.deudeul", area_code=DEUDEUL)
    await book.check_identity(update_id)
    (item,) = (await book.read("slrt.taraju", "/v1/stalled"))["items"]
    assert (item["level"], item["cause"], item["late"]) == (1, "no_eligible_decider", None)


async def test_a_standing_pause_is_shown(book: Casebook) -> None:
    update_id = await book.in_verification()
    case = await book.scene.case(update_id)
    async with book.scene.worker.transaction(SYSTEM) as connection:
        await connection.execute(
            insert(ClockInterval).values(
                id=new_id(),
                task_id=case.task,
                update_id=update_id,
                area_code=TARAJU,
                from_at=book.clock.at,
                cause="area_suspended",
            ),
        )
    (item,) = (await book.read("kabid", "/v1/stalled", share=0))["items"]
    assert [(pause["cause"], pause["to"]) for pause in item["pauses"]] == [("area_suspended", None)]


async def test_a_village_sees_its_own_and_an_observer_of_the_province_sees_all(book: Casebook) -> None:
    taraju = await book.in_verification()
    cikubang = await book.in_verification(by="operator.cikubang", area_code=CIKUBANG)
    assert await stalled(book, "bpd.taraju", share=0) == [str(taraju)]
    assert set(await stalled(book, "provinsi", share=0)) == {str(taraju), str(cikubang)}
    assert await stalled(book, "provinsi", share=0, area=CIKUBANG) == [str(cikubang)]


async def test_the_longest_overdue_comes_first_and_pages_hold(book: Casebook) -> None:
    expected: list[str] = []
    for place in range(4):
        expected.append(str(await _verifying(book, place)))
        book.clock.advance(days=1)
    first = await book.read("kabid", "/v1/stalled", limit=3, share=0)
    await book.let_lapse(UUID(expected[0]))
    second = await book.read("kabid", "/v1/stalled", limit=3, share=0, cursor=first["next"])
    assert [item["update_id"] for item in first["items"] + second["items"]] == expected


async def _verifying(book: Casebook, place: int) -> UUID:
    return await book.in_verification(household=known_household(place=place), change=better_floor())


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("cause", {"deadline": 1, "no_eligible_decider": 1, "nearing_deadline": 2}),
        ("stage", {"verification": 3, "deliberation": 1}),
        ("area", {"32.06.13": 4}),
    ],
)
async def test_what_is_stalled_is_counted(book: Casebook, by: str, expected: dict[str, int]) -> None:
    await _four_stalled(book)
    groups = (await book.read("kabid", "/v1/stalled", share=0, group_by=by))["groups"]
    assert {group["key"]: group["tasks"] for group in groups} == expected
    assert [group["tasks"] for group in groups] == sorted((group["tasks"] for group in groups), reverse=True)


async def test_counts_by_office_name_the_office_and_by_area_the_village(book: Casebook) -> None:
    await _four_stalled(book)
    by_office = (await book.read("kabid", "/v1/stalled", share=0, group_by="office"))["groups"]
    assert {group["name"]: group["tasks"] for group in by_office} == {
        "PUSKESOS Desa Taraju": 2,
        "PUSKESOS Desa Deudeul": 1,
        "Pemerintah Desa Taraju": 1,
    }
    by_village = (await book.read("slrt.taraju", "/v1/stalled", share=0, group_by="area"))["groups"]
    assert {(group["key"], group["name"]): group["tasks"] for group in by_village} == {
        (TARAJU, "Taraju"): 3,
        (DEUDEUL, "Deudeul"): 1,
    }
    assert by_village[0]["overdue"] == 1
    assert by_village[0]["oldest_due_at"] <= by_village[1]["oldest_due_at"]


async def test_what_the_system_or_a_partner_has_is_counted_as_theirs(book: Casebook) -> None:
    await book.start(await book.submit())
    (group,) = (await book.read("kabid", "/v1/stalled", share=0, group_by="office"))["groups"]
    assert (group["key"], group["tasks"]) == ("civil_registry", 1)


async def _four_stalled(book: Casebook) -> None:
    """One late, two fresh (one of them in deliberation), and one that nobody in the village may decide."""
    await book.let_lapse(await _verifying(book, 0))
    await _verifying(book, 1)
    await book.decide(await _verifying(book, 2), "puskesos.taraju")
    await book.in_verification(by="serba.deudeul", area_code=DEUDEUL)
