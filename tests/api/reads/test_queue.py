"""My queue, and one task: what I may decide, and nothing that I had another part in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from devstack.demo_people import DEUDEUL
from domain.circumstances import Floor
from tests.api.reads.casebook import MINUTES, Casebook, better_floor, known_household


async def queue(book: Casebook, username: str, **query: Any) -> list[str]:
    return [item["update_id"] for item in (await book.read(username, "/v1/tasks", **query))["items"]]


async def test_a_task_is_in_the_queue_of_those_who_may_decide_it_and_of_nobody_else(book: Casebook) -> None:
    update_id = str(await book.in_verification())
    assert await queue(book, "puskesos.taraju") == [update_id]
    for other in ("operator.taraju", "kades.taraju", "puskesos.cikubang", "slrt.taraju", "verifikator", "bupati"):
        assert await queue(book, other) == [], other


async def test_a_rung_that_grants_the_decision_puts_the_task_into_another_queue(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.let_lapse(update_id)
    assert await queue(book, "slrt.taraju") == [str(update_id)]
    assert await queue(book, "puskesos.taraju") == [str(update_id)]


async def test_nobody_is_offered_what_they_submitted(book: Casebook) -> None:
    update_id = await book.submit(by="serba.deudeul", area_code=DEUDEUL)
    await book.check_identity(update_id)
    assert await queue(book, "serba.deudeul") == []
    assert await queue(book, "slrt.taraju") == [str(update_id)]


async def test_nobody_is_offered_a_second_stage_of_one_case(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.let_lapse(update_id)
    await book.decide(update_id, "slrt.taraju")
    await book.decide(update_id, "kades.taraju", minutes=MINUTES)
    await book.decide(update_id, "verifikator", "return", reason="unclear_photo")
    assert await queue(book, "slrt.taraju") == []
    assert await queue(book, "verifikator") == []


async def test_a_returned_case_is_in_its_operators_queue_although_they_submitted_it(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.decide(update_id, "puskesos.taraju", "return", reason="unclear_photo")
    (item,) = (await book.read("operator.taraju", "/v1/tasks"))["items"]
    assert (item["update_id"], item["stage"]) == (str(update_id), "repair")


async def test_the_first_due_comes_first_and_pages_hold(book: Casebook) -> None:
    expected: list[str] = []
    for place in range(4):
        expected.append(str(await _verifying(book, place=place)))
        book.clock.advance(days=1)
    first = await book.read("puskesos.taraju", "/v1/tasks", limit=2)
    await _verifying(book, place=0, floor=Floor.WOOD)
    second = await book.read("puskesos.taraju", "/v1/tasks", limit=2, cursor=first["next"])
    assert [item["update_id"] for item in first["items"] + second["items"]] == expected


async def _verifying(book: Casebook, *, place: int, floor: Floor = Floor.CERAMIC) -> UUID:
    return await book.in_verification(household=known_household(place=place), change=better_floor(floor))


async def test_filters_narrow_the_queue(book: Casebook) -> None:
    late = await _verifying(book, place=0)
    await book.let_lapse(late)
    fresh = await _verifying(book, place=1)
    assert await queue(book, "puskesos.taraju", overdue="true") == [str(late)]
    assert await queue(book, "puskesos.taraju", overdue="false") == [str(fresh)]
    assert await queue(book, "puskesos.taraju", stage="approval") == []
    assert await queue(book, "puskesos.taraju", kind="circumstances") == [str(late), str(fresh)]

    task_id = (await book.scene.case(fresh)).task
    claimed = await book.post("puskesos.taraju", f"/v1/tasks/{task_id}/claim", None)
    assert claimed.status_code == 200, claimed.text
    assert await queue(book, "puskesos.taraju", claimed="me") == [str(fresh)]
    assert await queue(book, "puskesos.taraju", claimed="none") == [str(late)]
    (item,) = (await book.read("puskesos.taraju", "/v1/tasks", claimed="me"))["items"]
    assert item["holder"]["claimed_by"]["name"] == "Petugas PUSKESOS Taraju"
    assert item["etag"] == claimed.headers["ETag"]


async def test_a_task_is_read_in_full_while_open_and_when_done(book: Casebook) -> None:
    update_id = await book.in_verification()
    task_id = (await book.scene.case(update_id)).task
    answer = await book.get("verifikator", f"/v1/tasks/{task_id}")
    task = answer.json()["task"]
    assert answer.headers["ETag"].startswith(f'"v{task["version"]}.')
    assert (task["status"], task["deadline"]["overdue"], task["next_rung"]["to"]) == ("open", False, "holder")
    again = await book.get("verifikator", f"/v1/tasks/{task_id}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304

    await book.decide(update_id, "puskesos.taraju")
    book.clock.advance(days=60)
    done = await book.read("verifikator", f"/v1/tasks/{task_id}")
    assert (done["task"]["status"], done["task"]["outcome"], done["task"]["holder"]) == ("decided", "forward", None)
    assert done["task"]["decided_by"]["name"] == "Petugas PUSKESOS Taraju"
    assert done["task"]["deadline"]["overdue"] is False
    assert done["task"]["next_rung"] is None
    decide = next(action for action in done["actions"] if action["name"] == "decide")
    assert decide["allowed"] is False


async def test_a_claim_changes_the_version_of_the_task(book: Casebook) -> None:
    task_id = (await book.scene.case(await book.in_verification())).task
    before = await book.get("puskesos.taraju", f"/v1/tasks/{task_id}")
    await book.post("puskesos.taraju", f"/v1/tasks/{task_id}/claim", None)
    after = await book.get("puskesos.taraju", f"/v1/tasks/{task_id}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["task"]["holder"]["claimed_by"]["name"] == "Petugas PUSKESOS Taraju"
