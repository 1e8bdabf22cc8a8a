"""Versions of policies: numbered, read, compared; which one holds, and what open cases keep."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from db.models import PolicyVersion
from db.session import Viewer
from domain.ids import new_id
from tests.api.policies.chamber import ADMIN, HEAD, PLANNER, REGENCY, Chamber, policy, quicker
from tests.api.proposals import newborn
from tests.api.test_submit import submit
from tests.scene import user

pytestmark = pytest.mark.embedded


async def test_a_policy_is_published_numbered_and_read_back(chamber: Chamber) -> None:
    first, second = await chamber.published(quicker(3)), await chamber.published(quicker(4))
    assert (first["number"], second["number"]) == (1, 2)
    read = await chamber.get("verifikator", f"/v1/policies/{second['id']}")
    assert read["document"] == quicker(4)
    listed = await chamber.get("verifikator", f"/v1/policies?area_code={REGENCY}&limit=1")
    assert [(item["number"], item["state"]) for item in listed["items"]] == [(2, "in_force")]
    rest = await chamber.get("verifikator", f"/v1/policies?area_code={REGENCY}&cursor={listed['next']}")
    assert [(item["number"], item["state"]) for item in rest["items"]] == [(1, "replaced")]
    (event, _) = await chamber.office.scene.rows(
        "SELECT * FROM audit_events WHERE stream = 'policy:32.06' ORDER BY seq",
    )
    assert (event.type, event.actor_role, event.data["version"], event.data["draft"]) == (
        "policy.published",
        "regency_head",
        first["id"],
        first["draft_id"],
    )


async def test_open_cases_keep_their_version_and_new_ones_begin_with_the_new(chamber: Chamber) -> None:
    office = chamber.office
    desk = await office.desk_of("operator.taraju")
    await submit(desk, newborn(), key="before")
    published = (await chamber.published())["id"]
    await submit(desk, newborn(), key="after")
    rows = await office.scene.rows("SELECT policy_version_id::text AS policy FROM updates ORDER BY id")
    assert [row.policy for row in rows] == [str(office.scene.policy_version_id), published]


async def test_a_policy_of_tomorrow_takes_effect_by_itself_at_its_time(chamber: Chamber) -> None:
    tomorrow = chamber.clock() + timedelta(days=1)
    draft = await chamber.draft(quicker(), effective_from=tomorrow.isoformat())
    await chamber.ask(PLANNER, "POST", f"/v1/policies/drafts/{draft['id']}/consultation")
    chamber.clock.move(seconds=21)
    published = (await chamber.publish(draft["id"])).json()
    assert (published["state"], (await chamber.in_force())["number"]) == ("scheduled", 1)
    assert (await chamber.in_force())["area_code"] == "*"
    chamber.clock.move(days=1)
    assert (await chamber.in_force())["id"] == published["id"]


async def test_a_policy_of_yesterday_is_refused(chamber: Chamber) -> None:
    body = {"policy": policy(), "effective_from": "2020-01-01T00:00:00Z"}
    late = await chamber.ask(PLANNER, "POST", "/v1/policies/drafts", body)
    assert late.status_code == 422
    assert late.json()["violations"][0]["pointer"] == "/effective_from"


async def test_a_version_that_has_not_taken_effect_is_revoked_and_never_does(chamber: Chamber) -> None:
    tomorrow = chamber.clock() + timedelta(days=1)
    draft = await chamber.draft(quicker(), effective_from=tomorrow.isoformat())
    await chamber.ask(PLANNER, "POST", f"/v1/policies/drafts/{draft['id']}/consultation")
    chamber.clock.move(seconds=21)
    published = (await chamber.publish(draft["id"])).json()
    revoke = (HEAD, "POST", f"/v1/policies/{published['id']}/revocation", {"note": "Keliru."})
    revoked = await chamber.ask(*revoke)
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked"), revoked.text
    assert (await chamber.ask(*revoke, key="again")).json()["code"] == "not_possible_now"
    chamber.clock.move(days=2)
    assert (await chamber.in_force())["area_code"] == "*"


async def test_a_version_that_was_consulted_on_and_is_in_force_is_not_revoked(chamber: Chamber) -> None:
    version = await chamber.published()
    refused = await chamber.ask(HEAD, "POST", f"/v1/policies/{version['id']}/revocation", {"note": "Keliru."})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_possible_now")


async def test_what_differs_between_two_versions_is_named_by_stage_and_field_and_told_in_words(
    chamber: Chamber,
) -> None:
    before, after = await chamber.published(quicker(5)), await chamber.published(quicker(3))
    found = await chamber.get("verifikator", f"/v1/policies/{after['id']}/diff?with={before['id']}")
    assert found["differences"] == [
        {
            "pointer": "/stages/verification/deadline",
            "before": {"working_days": 5},
            "after": {"working_days": 3},
            "words": {
                "id": "Tahap verification, batas waktu: 5 hari kerja → 3 hari kerja",
                "en": "Stage verification, deadline: 5 working days → 3 working days",
            },
        },
    ]


async def test_nobody_publishes_past_a_draft(chamber: Chamber) -> None:
    for by in (ADMIN, HEAD, PLANNER):
        answer = await chamber.ask(by, "POST", "/v1/policies", {"policy": policy()})
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def test_the_database_itself_refuses_a_version_without_a_draft_or_by_its_author(chamber: Chamber) -> None:
    draft = await chamber.draft()
    scene, planner = chamber.office.scene, user(PLANNER)
    for draft_id in (None, UUID(draft["id"])):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with scene.app.transaction(Viewer(str(planner), ("*",))) as connection:
                await connection.execute(
                    insert(PolicyVersion).values(
                        id=new_id(),
                        area_code=REGENCY,
                        number=9,
                        document=policy(),
                        digest="-",
                        published_by=planner,
                        published_at=chamber.clock(),
                        effective_at=chamber.clock(),
                        draft_id=draft_id,
                        draft_revision=draft_id and 1,
                    ),
                )
