"""Findings of a repaired case: they speak of what was sent in last, and leave what else officers have to know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from db.repositories.cases import add_finding
from domain.changes import CHANGE_ADAPTER
from domain.household import Household
from domain.vocabulary import MatchResult
from tests.api.conftest import Office, opened, settings_for
from tests.api.proposals import new_household
from tests.api.test_submit import submit
from tests.casework.play import Play
from tests.scene import SYSTEM, household_of

POINTER = "/change/members/1/nik"
CONFLICT = {"code": "data_conflict", "fields": ["/kk_number"], "since": "2026-01-01T00:00:00+00:00"}
NO_REGION = "9906135203850071"


@pytest.fixture
async def office(play: Play) -> AsyncIterator[Office]:
    """The API over the stage that the test plays on."""
    async with opened(play.scene, settings_for(play.scene)) as office:
        yield office


def with_spouse(**changes: object) -> dict[str, Any]:
    body = new_household()
    body["change"]["members"][1] |= changes
    return body


def as_registered(household: Household) -> dict[str, Any]:
    """A registered woman, as she would be written on another card."""
    woman = next(m for m in household.active_members if m.sex == "female" and m.nik is not None)
    return {"nik": woman.nik, "name": woman.name, "birth_date": woman.birth_date.isoformat()}


async def returned(office: Office, play: Play, body: dict[str, Any]) -> UUID:
    """A submission that the civil registry has sent back, with a finding beside those of its numbers."""
    desk = await office.desk_of("operator.taraju")
    update_id = UUID((await submit(desk, body)).json()["id"])
    play.now = datetime.now(UTC)
    await play.open(update_id)
    await play.registry_says(update_id, MatchResult.NOT_FOUND)
    async with play.scene.worker.transaction(SYSTEM) as connection:
        await add_finding(connection, update_id, CONFLICT)
    return update_id


async def repair(play: Play, update_id: UUID, body: dict[str, Any]) -> None:
    await play.resubmit(update_id, CHANGE_ADAPTER.validate_python(body["change"]))


async def findings(office: Office, update_id: UUID) -> list[dict[str, Any]]:
    desk = await office.desk_of("operator.taraju")
    return (await desk.get(f"/v1/updates/{update_id}")).json()["findings"]


async def test_repaired_number_takes_its_finding_along_and_leaves_the_others(office: Office, play: Play) -> None:
    update_id = await returned(office, play, with_spouse(**as_registered(household_of(1))))
    assert [item["code"] for item in await findings(office, update_id)] == ["duplicate_nik", "data_conflict"]
    await repair(play, update_id, new_household())
    assert await findings(office, update_id) == [CONFLICT]


async def test_number_that_a_repair_brings_in_is_looked_for_in_all_areas(office: Office, play: Play) -> None:
    update_id = await returned(office, play, with_spouse(nik=NO_REGION))
    unknown = {"code": "nik_province_unknown", "pointer": POINTER}
    assert await findings(office, update_id) == [unknown, CONFLICT]
    await repair(play, update_id, with_spouse(**as_registered(household_of(1))))
    known = {"code": "duplicate_nik", "pointer": POINTER, "owner": "household", "area_code": "32.06.13.2001"}
    assert await findings(office, update_id) == [known, CONFLICT]
    (event,) = [event for event in await play.scene.events(update_id) if event.type == "update.resubmitted"]
    assert event.data["findings"] == ["duplicate_nik"]


async def test_case_is_no_duplicate_of_itself_but_of_what_was_submitted_since(office: Office, play: Play) -> None:
    update_id = await returned(office, play, new_household())
    await repair(play, update_id, new_household())
    assert await findings(office, update_id) == [CONFLICT]
    await play.registry_says(update_id, MatchResult.NOT_FOUND)
    desk = await office.desk_of("operator.taraju")
    assert (await submit(desk, new_household(kk_number="3206131203150072"), key="again")).status_code == 201
    await repair(play, update_id, new_household())
    owners = {(item["code"], item.get("owner")) for item in await findings(office, update_id)}
    assert owners == {("duplicate_nik", "update"), ("data_conflict", None)}
