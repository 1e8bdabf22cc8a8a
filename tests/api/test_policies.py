from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from api.app import open_kawal
from domain.policy import default_policy
from tests.api.conftest import Office, opened, settings_for
from tests.api.proposals import newborn
from tests.api.test_submit import submit
from tests.scene import Scene

pytestmark = pytest.mark.embedded

REGENCY = "32.06"


def policy(area_code: str = REGENCY, **changes: Any) -> dict[str, Any]:
    return default_policy().model_dump(mode="json") | {"area_code": area_code} | changes


async def publish(
    office: Office,
    document: dict[str, Any],
    *,
    by: str = "admin",
    key: str | None = None,
    **more: Any,
) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await (await office.desk_of(by)).post("/v1/policies", json={"policy": document, **more}, headers=headers)


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


async def test_a_policy_sent_twice_under_one_key_is_published_once_and_answered_as_before(office: Office) -> None:
    first = await publish(office, policy(), key="spring")
    await publish(office, policy())
    rearranged = dict(reversed(policy().items()))
    again = await publish(office, rearranged, key="spring")
    assert (again.status_code, again.json(), again.headers["Location"]) == (
        201,
        first.json(),
        first.headers["Location"],
    )
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await versions(office), await events(office)) == (2, 2)


async def test_another_policy_under_the_same_key_is_refused(office: Office) -> None:
    await publish(office, policy(), key="spring")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for response in (
        await publish(office, policy(digest_to=["regent"]), key="spring"),
        await publish(office, policy(), key="spring", effective_at=tomorrow),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused"), response.text
    assert (await versions(office), await events(office)) == (1, 1)


async def test_racing_requests_under_one_key_publish_one_version(office: Office) -> None:
    answers = await asyncio.gather(*(publish(office, policy(), key="spring") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await versions(office), await events(office)) == (1, 1)


async def test_a_refused_policy_leaves_its_key_for_the_mended_one(office: Office) -> None:
    late = await publish(office, policy(), key="spring", effective_at="2020-01-01T00:00:00Z")
    assert late.status_code == 422
    assert (await publish(office, policy(), key="spring")).status_code == 201


async def test_a_repeat_is_answered_although_its_moment_has_passed(scene: Scene) -> None:
    settings = settings_for(scene)
    kawal = await open_kawal(settings)
    moment = datetime.now(UTC)
    soon = (moment + timedelta(minutes=10)).isoformat()
    async with opened(scene, settings, kawal=replace(kawal, now=lambda: moment)) as before:
        first = await publish(before, policy(), key="spring", effective_at=soon)
        assert first.status_code == 201, first.text
    async with opened(scene, settings, kawal=replace(kawal, now=lambda: moment + timedelta(minutes=20))) as after:
        again = await publish(after, policy(), key="spring", effective_at=soon)
        assert (again.status_code, again.json()) == (201, first.json())
    await kawal.database.close()


async def versions(office: Office) -> int:
    """How many versions the regency's policy has."""
    return (await office.scene.one("SELECT count(*) AS n FROM policies WHERE area_code = :area", area=REGENCY)).n


async def events(office: Office) -> int:
    """How many publications its trail tells of."""
    return (await office.scene.one("SELECT count(*) AS n FROM audit_events WHERE stream = 'policy:32.06'")).n


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
