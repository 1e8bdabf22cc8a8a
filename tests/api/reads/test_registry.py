"""Households: masked for everybody, and only for those in whose area they are."""

from __future__ import annotations

from devstack.demo_people import TARAJU
from domain.circumstances import Floor
from domain.ids import new_id
from tests.api.reads.casebook import Casebook, known_household


async def test_lists_hold_facts_and_nobodys_name(book: Casebook) -> None:
    page = await book.read("operator.taraju", "/v1/households")
    household = known_household()
    item = next(item for item in page["items"] if item["id"] == str(household.id))
    assert item["area"] == {"code": TARAJU, "name": "Taraju"}
    assert (item["desil"], item["member_count"]) == (household.desil, len(household.active_members))
    assert set(item) == {
        *("id", "area", "version", "status", "member_count", "desil", "last_verified_on", "updated_at"),
    }


async def test_a_household_is_masked_and_conditional(book: Casebook) -> None:
    household = known_household()
    path = f"/v1/households/{household.id}"
    answer = await book.get("kades.taraju", path)
    shown = answer.json()
    assert shown["household"]["kk_number"] == f"{household.kk_number[:4]}••••••••{household.kk_number[-4:]}"
    assert [member["name"] for member in shown["household"]["members"]] == [m.name for m in household.members]
    assert not any(member.nik and member.nik in answer.text for member in household.members)
    assert not any(member.birth_date.isoformat() in answer.text for member in household.members)
    assert shown["household"]["members"][0]["birth_date"] == f"{household.members[0].birth_date.year}-••-••"
    again = await book.get("kades.taraju", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


async def test_versions_tell_what_a_household_was(book: Casebook) -> None:
    household = known_household()
    later = household.circumstances.model_copy(update={"floor": Floor.MARBLE_GRANITE})
    await book.scene.change_meanwhile(household, circumstances=later)
    path = f"/v1/households/{household.id}/versions"
    versions = await book.read("kades.taraju", path)
    assert [version["version"] for version in versions] == [household.version + 1, household.version]
    before = await book.read("kades.taraju", f"{path}/{household.version}")
    after = await book.read("kades.taraju", f"{path}/{household.version + 1}")
    assert before["household"]["circumstances"]["floor"] == household.circumstances.floor
    assert after["household"]["circumstances"]["floor"] == "marble_granite"
    assert "••••••••" in before["household"]["kk_number"]
    missing = await book.get("kades.taraju", f"{path}/99")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


async def test_open_updates_of_a_household_are_shown_with_it(book: Casebook) -> None:
    update_id = await book.in_verification()
    shown = await book.read("kades.taraju", f"/v1/households/{known_household().id}")
    assert [update["id"] for update in shown["open_updates"]] == [str(update_id)]


async def test_outside_the_area_there_is_no_such_household_nor_task(book: Casebook) -> None:
    household = known_household()
    task_id = (await book.scene.case(await book.in_verification())).task
    paths = [
        f"/v1/households/{household.id}",
        f"/v1/households/{household.id}/versions",
        f"/v1/households/{household.id}/versions/{household.version}",
        f"/v1/tasks/{task_id}",
    ]
    for foreigner in ("operator.cikubang", "serba.deudeul"):
        for path in paths:
            answer = await book.get(foreigner, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    unknown = await book.get("operator.taraju", f"/v1/households/{new_id()}")
    assert unknown.status_code == 404


async def test_who_may_not_read_households_may_not(book: Casebook) -> None:
    for reader in ("provinsi", "admin"):
        for path in ("/v1/households", f"/v1/households/{known_household().id}"):
            answer = await book.get(reader, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
