"""Areas, kinds, deadlines without a case, and what I was told."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from devstack.demo_people import CIKUBANG, TARAJU
from domain.changes import required_evidence
from domain.vocabulary import Kind
from tests.api.reads.casebook import Casebook
from tests.unit.changes.samples import SAMPLES


async def test_the_tree_of_areas_is_walked_from_above(book: Casebook) -> None:
    regency = await book.read("operator.taraju", "/v1/areas/32.06")
    assert (regency["name"], regency["level"], regency["children"]) == ("Kabupaten Tasikmalaya", 2, 39)
    assert [area["code"] for area in regency["within"]] == ["32"]
    district = await book.read("operator.taraju", "/v1/areas", parent="32.06.13")
    assert [area["code"] for area in district["items"]][:2] == [TARAJU, CIKUBANG]
    village = await book.read("operator.taraju", f"/v1/areas/{TARAJU}")
    assert [area["code"] for area in village["within"]] == ["32", "32.06", "32.06.13"]
    assert village["children"] == 0


async def test_areas_are_found_by_the_beginning_of_their_name(book: Casebook) -> None:
    found = await book.read("operator.taraju", "/v1/areas", q="tARaj")
    assert {area["code"] for area in found["items"]} == {"32.06.13", TARAJU}
    assert (await book.read("operator.taraju", "/v1/areas", q="%"))["items"] == []
    missing = await book.get("operator.taraju", "/v1/areas/99.99")
    assert missing.status_code == 404


async def test_pages_of_areas_cover_the_tree(book: Casebook) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await book.read("admin", "/v1/areas", limit=150, **cursor)
        seen += [area["code"] for area in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(seen) == len(set(seen)) == 392
    assert seen == sorted(seen)


async def test_every_kind_names_its_papers(book: Casebook) -> None:
    kinds = await book.read("operator.taraju", "/v1/kinds")
    assert [kind["kind"] for kind in kinds] == [kind.value for kind in Kind]
    for told in kinds:
        assert [set(group) for group in told["evidence"]] == [set(g) for g in required_evidence(Kind(told["kind"]))]


@pytest.mark.parametrize("kind", list(Kind))
async def test_the_schema_of_a_kind_accepts_its_change_and_refuses_another(book: Casebook, kind: Kind) -> None:
    told = await book.read("operator.taraju", f"/v1/kinds/{kind.value}/schema", area_code=TARAJU)
    schema: dict[str, Any] = told["schema"]
    jsonschema.validate(SAMPLES[kind].model_dump(mode="json"), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"kind": kind.value, "surprise": True}, schema)
    stages = [stage["stage"] for stage in told["route"]["stages"]]
    assert stages[0] == "identity_check"
    assert ("deliberation" in stages) == (told["route"]["name"] == "standard")


async def test_a_deadline_is_reckoned_and_explained_without_a_case(book: Casebook) -> None:
    question = {
        "area_code": TARAJU,
        "started_at": "2026-03-16T10:00:00+07:00",
        "duration": {"working_days": 5},
        "credits": [{"working_days": 2, "cause": "remote_area"}],
    }
    answer = await book.post("operator.taraju", "/v1/deadlines/preview", question)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["reckoning"]["counted_days"] == 7
    assert any(day["category"] == "public_holiday" for day in told["reckoning"]["skipped"])
    assert "daerah terpencil" in told["sentence"]["id"]
    assert "remote area" in told["sentence"]["en"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"duration": {"working_days": 0}}, "/duration"),
        ({"duration": {"working_days": 5, "elapsed": "PT1S"}}, "/duration"),
        ({"started_at": "2026-03-16T10:00:00"}, "/started_at"),
        ({"started_at": "9999-12-31T23:59:59Z"}, "/started_at"),
        ({"pauses": [{"from": "0001-01-01T00:00:00Z", "cause": "returned"}]}, ""),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_question_that_has_no_answer_is_refused(
    book: Casebook,
    changes: dict[str, Any],
    pointer: str,
) -> None:
    question = {"area_code": TARAJU, "duration": {"working_days": 5}, **changes}
    answer = await book.post("operator.taraju", "/v1/deadlines/preview", question)
    assert answer.status_code == 422, answer.text
    assert answer.json()["violations"][0]["pointer"].startswith(pointer)


async def test_a_deadline_of_a_foreign_area_is_not_told(book: Casebook) -> None:
    for area_code in (CIKUBANG, "32.06", "11.01"):
        answer = await book.post(
            "operator.taraju",
            "/v1/deadlines/preview",
            {"area_code": area_code, "duration": {"working_days": 5}},
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_everybody_concerned_is_told_and_nobody_else(book: Casebook) -> None:
    update_id = await book.in_verification()
    await book.let_lapse(update_id)

    async def subjects(username: str) -> list[tuple[str, str | None]]:
        told = (await book.read(username, "/v1/notifications"))["items"]
        assert all(item["update_id"] == str(update_id) for item in told)
        return [(item["subject"], item["to_role"]) for item in told]

    assert await subjects("puskesos.taraju") == [("escalation", "puskesos_officer"), ("reminder", "puskesos_officer")]
    assert await subjects("slrt.taraju") == [("escalation", "district_supervisor")]
    assert await subjects("operator.taraju") == [("escalation", None)]
    assert await subjects("puskesos.cikubang") == []
    assert await subjects("operator.cikubang") == []
    (told,) = (await book.read("operator.taraju", "/v1/notifications"))["items"]
    assert told["words"]["id"] != told["words"]["en"]
    assert told["tracking_code"]


async def test_nobody_reads_without_a_token(book: Casebook) -> None:
    for path in ("/v1/updates", "/v1/tasks", "/v1/stalled", "/v1/households", "/v1/areas", "/v1/kinds"):
        answer = await book.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
