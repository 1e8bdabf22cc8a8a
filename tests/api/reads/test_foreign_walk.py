"""Somebody of another village asks for every thing of a case, at every address that there is."""

from __future__ import annotations

from tests.api.reads.casebook import Casebook, known_household


async def test_every_address_of_a_thing_answers_a_stranger_as_if_it_were_not_there(book: Casebook) -> None:
    update_id = await book.in_verification()
    household = known_household()
    things = {
        "update_id": update_id,
        "task_id": (await book.scene.case(update_id)).task,
        "household_id": household.id,
        "version": household.version,
    }
    paths = (await book.client.get("/openapi.json")).json()["paths"]
    asked: list[str] = []
    for template, methods in paths.items():
        if "get" not in methods or not any(f"{{{name}}}" in template for name in things):
            continue
        path = template.format(**things)
        own = [await book.get(username, path) for username in ("slrt.taraju", "kadis")]
        foreign = await book.get("operator.cikubang", path)
        assert {answer.status_code for answer in own} & {200, 503}, (path, [answer.text for answer in own])
        not_for_operators = (await book.get("operator.taraju", path)).status_code == 403
        refusal = (403, "forbidden") if not_for_operators and foreign.status_code == 403 else (404, "not_found")
        assert (foreign.status_code, foreign.json()["code"]) == refusal, path
        asked.append(template)
    assert len(asked) >= 9


async def test_no_list_holds_anything_of_a_strangers_village(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.let_lapse(update_id)
    household = known_household()
    for path in ("/v1/updates", "/v1/tasks", "/v1/stalled?share=0", "/v1/households", "/v1/notifications"):
        own = (await book.get("kabid", path)).text
        foreign = (await book.get("puskesos.cikubang", path)).text
        assert household.area_code not in foreign, path
        assert str(update_id) not in foreign, path
        assert path in {"/v1/tasks", "/v1/notifications"} or household.area_code in own, path
