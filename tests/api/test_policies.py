from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from domain.policy import default_policy
from tests.api.conftest import Office
from tests.api.proposals import newborn
from tests.api.test_submit import submit

pytestmark = pytest.mark.embedded

REGENCY = "32.06"


def policy(area_code: str = REGENCY, **changes: Any) -> dict[str, Any]:
    return default_policy().model_dump(mode="json") | {"area_code": area_code} | changes


async def publish(office: Office, document: dict[str, Any], *, by: str = "admin", **more: Any) -> httpx2.Response:
    return await (await office.desk_of(by)).post("/v1/policies", json={"policy": document, **more})


async def test_a_policy_is_published_numbered_and_read_back(office: Office) -> None:
    first, second = await publish(office, policy()), await publish(office, policy())
    assert first.status_code == second.status_code == 201, first.text
    assert (first.json()["number"], second.json()["number"]) == (1, 2)
    reader = await office.desk_of("verifikator")
    read = (await reader.get(second.headers["Location"])).json()
    assert read["document"] == policy()
    listed = (await reader.get("/v1/policies", params={"area_code": REGENCY, "limit": 1})).json()
    assert [item["number"] for item in listed["items"]] == [2]
    rest = (await reader.get("/v1/policies", params={"area_code": REGENCY, "cursor": listed["next"]})).json()
    assert ([item["number"] for item in rest["items"]], rest["next"]) == ([1], None)
    (event, _) = await office.scene.rows("SELECT * FROM audit_events WHERE stream = 'policy:32.06' ORDER BY seq")
    assert (event.type, event.actor_role, event.data["version"]) == (
        "policy.published",
        "administrator",
        first.json()["id"],
    )


async def test_open_cases_keep_their_version_and_new_ones_begin_with_the_new(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    await submit(desk, newborn(), key="before")
    published = (await publish(office, policy())).json()["id"]
    await submit(desk, newborn(), key="after")
    rows = await office.scene.rows("SELECT policy_version_id::text AS policy FROM updates ORDER BY id")
    assert [row.policy for row in rows] == [str(office.scene.policy_version_id), published]


async def test_a_policy_of_tomorrow_is_not_in_force_today(office: Office) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    published = await publish(office, policy(), effective_at=tomorrow.isoformat())
    assert published.status_code == 201
    reader = await office.desk_of("verifikator")
    now = (await reader.get("/v1/policies/in-force", params={"area_code": "32.06.13.2001"})).json()
    assert now["id"] == str(office.scene.policy_version_id)
    late = await publish(office, policy(), effective_at="2020-01-01T00:00:00Z")
    assert late.json()["violations"][0]["pointer"] == "/effective_at"


async def test_what_differs_between_two_versions_is_named_by_stage_and_field(office: Office) -> None:
    before = (await publish(office, policy())).json()["id"]
    changed = policy()
    approval = next(stage for stage in changed["stages"] if stage["stage"] == "approval")
    approval["deadline"] = {"working_days": 3}
    after = (await publish(office, changed)).json()["id"]
    reader = await office.desk_of("verifikator")
    differences = (await reader.get(f"/v1/policies/{after}/diff", params={"with": before})).json()["differences"]
    assert differences == [{"pointer": "/stages/approval/deadline/working_days", "before": 5, "after": 3}]


async def test_racing_publications_are_numbered_one_after_the_other(office: Office) -> None:
    answers = await asyncio.gather(*(publish(office, policy()) for _ in range(6)))
    assert sorted(answer.json()["number"] for answer in answers) == [1, 2, 3, 4, 5, 6]


async def test_a_policy_that_would_lose_a_case_is_refused_at_its_place(office: Office) -> None:
    no_ladder, unreachable, misspelt = policy(), policy(), policy(routse="standard")
    no_ladder["stages"][0]["ladder"] = []
    for route in unreachable["routes"]:
        route["stages"] = [stage for stage in route["stages"] if stage != "endorsement"]
    for document in (no_ladder, unreachable, misspelt, {}):
        response = await publish(office, document)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (422, "invalid_input")
        assert all(violation["pointer"].startswith("/policy") for violation in problem["violations"])
        assert all(violation["remedy"] for violation in problem["violations"])
    assert len(await office.scene.rows("SELECT 1 FROM policies")) == 1


async def test_only_an_administrator_of_the_area_publishes(office: Office) -> None:
    for username in ("kadis", "operator.taraju", "bupati"):
        assert (await publish(office, policy(), by=username)).status_code == 403, username
    assert (await publish(office, policy("*"))).status_code == 201
    await office.scene.rows("DELETE FROM memberships WHERE area_code = '*' RETURNING 1")
    assert (await publish(office, policy("*"))).status_code == 404
    assert (await publish(office, policy("32.07"))).status_code == 404
