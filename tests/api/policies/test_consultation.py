"""What the tiers below say, what they are answered, and that nothing is published before, nor by one person alone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from db.models import PolicyComment
from db.session import Viewer
from domain.ids import new_id
from tests.api.policies.chamber import ADMIN, DRAFTS, HEAD, OPERATOR, PLANNER, Chamber, quicker
from tests.scene import user

pytestmark = pytest.mark.embedded


async def test_from_draft_to_force_with_a_comment_and_its_answer(chamber: Chamber) -> None:
    draft = await chamber.shown()
    assert draft["consultation"]["open"]
    assert draft["consultation"]["words"]["en"]
    comment = (await chamber.comment(draft["id"], pointer="/stages/verification/deadline")).json()
    assert (comment["author"]["name"], comment["area"]["code"], comment["answer"]) == (
        "Operator Desa Taraju",
        "32.06.13.2001",
        None,
    )
    running = await chamber.publish(draft["id"])
    assert running.json()["code"] == "consultation_incomplete"
    assert [item["code"] for item in running.json()["data"]["missing"]] == [
        "consultation_running",
        "comments_unanswered",
    ]
    chamber.clock.move(seconds=20)
    unanswered = (await chamber.publish(draft["id"])).json()["data"]["missing"]
    assert [(item["code"], item["comments"]) for item in unanswered] == [("comments_unanswered", [comment["id"]])]
    answered = await chamber.answer(draft["id"], comment["id"], verdict="noted")
    assert (answered.status_code, answered.json()["answer"]["verdict"]) == (201, "noted"), answered.text
    assert (await chamber.get(HEAD, f"{DRAFTS}/{draft['id']}"))["missing"] == []
    published = await chamber.publish(draft["id"])
    assert (published.status_code, published.json()["state"]) == (201, "in_force"), published.text
    assert (await chamber.in_force())["id"] == published.json()["id"]
    after = await chamber.get(HEAD, f"{DRAFTS}/{draft['id']}")
    assert (after["status"], after["published_version"]) == ("published", published.json()["id"])


async def test_a_draft_that_was_shown_to_nobody_is_not_published(chamber: Chamber) -> None:
    draft = await chamber.draft()
    refused = await chamber.publish(draft["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "consultation_incomplete")
    assert [item["code"] for item in refused.json()["data"]["missing"]] == ["consultation_not_opened"]


async def test_comments_are_taken_while_the_draft_is_shown_and_not_after(chamber: Chamber) -> None:
    draft = await chamber.shown()
    chamber.clock.move(seconds=19.9)
    assert (await chamber.comment(draft["id"])).status_code == 201
    chamber.clock.move(seconds=0.1)
    late = await chamber.comment(draft["id"])
    assert (late.status_code, late.json()["code"]) == (409, "not_possible_now")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"text": " "}, "/text"),
        ({"text": "x" * 1001}, "/text"),
        ({"text": "NIK 3206131708900009 salah"}, "/text"),
        ({"pointer": "/stages/9/deadline"}, "/pointer"),
        ({"pointer": "stages"}, "/pointer"),
        ({"revision": 2}, "/revision"),
        ({"author": "x"}, "/author"),
    ],
)
async def test_a_comment_that_cannot_be_kept_is_refused_at_its_field(
    chamber: Chamber, said: dict[str, Any], pointer: str
) -> None:
    draft = await chamber.shown()
    refused = await chamber.comment(draft["id"], **said)
    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (422, pointer)
    assert "3206131708900009" not in refused.text


async def test_the_planner_and_the_administrator_are_not_asked_for_comments(chamber: Chamber) -> None:
    draft = await chamber.shown()
    for by in (PLANNER, ADMIN, "provinsi"):
        assert (await chamber.comment(draft["id"], by=by)).status_code == 403, by
    for by in ("kades.taraju", "bpd.taraju", "camat.taraju", "kabid", "evaluator"):
        assert (await chamber.comment(draft["id"], by=by)).status_code == 201, by


async def test_a_comment_is_answered_once_by_the_office_that_drafted(chamber: Chamber) -> None:
    draft = await chamber.shown()
    comment = (await chamber.comment(draft["id"])).json()
    assert (await chamber.answer(draft["id"], comment["id"], by=OPERATOR)).status_code == 403
    answers = await asyncio.gather(
        *(
            chamber.answer(draft["id"], comment["id"], by=by, verdict=v)
            for by, v in ((PLANNER, "noted"), (ADMIN, "accepted"))
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert len(await chamber.office.scene.rows("SELECT 1 FROM policy_answers")) == 1
    elsewhere = await chamber.shown(quicker(4))
    assert (await chamber.answer(elsewhere["id"], comment["id"])).status_code == 404


async def test_everybody_concerned_is_told(chamber: Chamber) -> None:
    draft = await chamber.shown()

    async def told(by: str) -> list[tuple[str, str]]:
        items = (await chamber.get(by, "/v1/notifications"))["items"]
        return [(item["subject"], item["policy_draft_id"]) for item in items]

    for by in (OPERATOR, "kades.deudeul", "slrt.taraju", "kabid", "bupati"):
        assert await told(by) == [("policy_consultation", draft["id"])], by
    comment = (await chamber.comment(draft["id"])).json()
    assert (await told(PLANNER))[0] == ("policy_commented", draft["id"])
    await chamber.answer(draft["id"], comment["id"])
    assert (await told(OPERATOR))[0] == ("policy_comment_answered", draft["id"])
    assert len(await told("kades.deudeul")) == 1
    chamber.clock.move(seconds=21)
    await chamber.publish(draft["id"])
    assert (await told("kades.deudeul"))[0] == ("policy_published", draft["id"])


async def test_nobody_publishes_what_they_have_written_of(chamber: Chamber) -> None:
    draft = await chamber.shown(by=ADMIN)
    chamber.clock.move(seconds=21)
    refused = await chamber.publish(draft["id"], by=ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")
    assert (await chamber.emergency(draft["id"], by=ADMIN)).json()["code"] == "separation_of_duties"
    assert (await chamber.publish(draft["id"], by=HEAD)).status_code == 201


async def test_nor_what_they_have_amended(chamber: Chamber) -> None:
    draft = await chamber.draft(by=PLANNER)
    path = f"{DRAFTS}/{draft['id']}"
    await chamber.ask(ADMIN, "POST", f"{path}/revisions", {"policy": quicker(4)}, holds=1)
    await chamber.ask(PLANNER, "POST", f"{path}/consultation")
    chamber.clock.move(seconds=21)
    assert (await chamber.publish(draft["id"], by=ADMIN)).json()["code"] == "separation_of_duties"
    assert (await chamber.publish(draft["id"], by=HEAD)).status_code == 201


async def test_nor_by_another_account_of_theirs(chamber: Chamber) -> None:
    draft = await chamber.shown(by=PLANNER)
    chamber.clock.move(seconds=21)
    await chamber.office.scene.rows(
        "UPDATE users SET person_id = (SELECT person_id FROM users WHERE id = :planner) WHERE id = :head RETURNING 1",
        planner=user(PLANNER),
        head=user(HEAD),
    )
    refused = await chamber.publish(draft["id"], by=HEAD)
    assert (refused.status_code, refused.json()["code"]) == (403, "separation_of_duties")
    assert (await chamber.publish(draft["id"], by=ADMIN)).status_code == 201


async def test_nor_by_standing_in_for_somebody_who_may(chamber: Chamber) -> None:
    """A leave lends work on tasks, not the publication of policies."""
    scene = chamber.office.scene
    (seat,) = await scene.rows("SELECT id FROM memberships WHERE role = 'regency_head'")
    body = {
        "membership_id": str(seat.id),
        "delegate_id": str(user("kabid")),
        "valid_from": chamber.clock().isoformat(),
        "valid_to": f"{(chamber.clock().date().replace(year=chamber.clock().year + 1)).isoformat()}T00:00:00Z",
        "reason": "annual_leave",
    }
    declared = await chamber.ask(HEAD, "POST", "/v1/delegations", body)
    assert declared.status_code == 201, declared.text
    draft = await chamber.shown()
    chamber.clock.move(seconds=21)
    for by in ("kabid", HEAD):
        assert (await chamber.publish(draft["id"], by=by)).status_code == 403, by


async def test_the_publisher_publishes_what_they_have_read(chamber: Chamber) -> None:
    draft = await chamber.shown()
    path = f"{DRAFTS}/{draft['id']}/revisions"
    await chamber.ask(PLANNER, "POST", path, {"policy": quicker(4)}, holds=draft["version"])
    chamber.clock.move(seconds=21)
    stale = await chamber.publish(draft["id"], holds=draft["version"])
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    without = await chamber.ask(HEAD, "POST", f"{DRAFTS}/{draft['id']}/publication")
    assert without.status_code == 422


async def test_of_two_publishers_one_publishes(chamber: Chamber) -> None:
    draft = await chamber.shown()
    chamber.clock.move(seconds=21)
    answers = await asyncio.gather(*(chamber.publish(draft["id"], by=by) for by in (HEAD, ADMIN, HEAD, ADMIN)))
    numbers = {answer.json()["number"] for answer in answers if answer.status_code == 201}
    assert numbers == {1}
    assert len(await chamber.office.scene.rows("SELECT 1 FROM policies WHERE area_code = '32.06'")) == 1


async def test_of_two_drafts_published_at_once_one_is_rebased(chamber: Chamber) -> None:
    drafts = [await chamber.shown(quicker(days)) for days in (2, 3, 4)]
    chamber.clock.move(seconds=21)
    answers = await asyncio.gather(*(chamber.publish(draft["id"]) for draft in drafts))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"draft_outdated"}


async def test_publication_and_amendment_at_once_never_publish_what_was_not_shown(chamber: Chamber) -> None:
    for days in (6, 7, 8, 9):
        draft = await chamber.shown(quicker(days - 4))
        chamber.clock.move(seconds=21)
        body = {"policy": quicker(days)}
        amended, published = await asyncio.gather(
            chamber.ask(PLANNER, "POST", f"{DRAFTS}/{draft['id']}/revisions", body, holds="*"),
            chamber.publish(draft["id"]),
        )
        assert sorted((amended.status_code, published.status_code)) == [201, 409]
        if published.status_code == 201:
            read = await chamber.get(HEAD, f"/v1/policies/{published.json()['id']}")
            assert read["document"] == quicker(days - 4)


async def test_a_comment_at_the_last_moment_is_answered_or_comes_too_late(chamber: Chamber) -> None:
    for _ in range(4):
        draft = await chamber.shown()
        chamber.clock.move(seconds=19.99)
        commenting = [chamber.comment(draft["id"], by=by) for by in (OPERATOR, "kades.taraju", "kabid")]
        said = [asyncio.ensure_future(one) for one in commenting]
        await asyncio.sleep(0)
        chamber.clock.move(seconds=0.01)
        published, *comments = await asyncio.gather(chamber.publish(draft["id"]), *said)
        kept = [answer for answer in comments if answer.status_code == 201]
        assert {answer.status_code for answer in comments} <= {201, 409}
        left = await chamber.office.scene.one(
            "SELECT count(*) AS n FROM policy_comments WHERE draft_id::text = :id", id=draft["id"]
        )
        assert left.n == len(kept)
        assert (published.status_code == 201) == (left.n == 0), published.text


async def test_each_act_is_in_the_trail_and_the_trail_is_whole(chamber: Chamber) -> None:
    draft = await chamber.shown()
    comment = (await chamber.comment(draft["id"])).json()
    await chamber.answer(draft["id"], comment["id"])
    chamber.clock.move(seconds=21)
    await chamber.publish(draft["id"])
    events = await chamber.office.scene.rows(
        "SELECT stream, type, actor_id, area_code FROM audit_events WHERE stream LIKE 'policy%' ORDER BY stream, seq",
    )
    assert [event.type for event in events if event.stream == f"policy-draft:{draft['id']}"] == [
        "policy.drafted",
        "policy.consultation_opened",
        "policy.published",
    ]
    said = [event for event in events if event.stream == f"policy-comment:{comment['id']}"]
    assert [(event.type, event.actor_id, event.area_code) for event in said] == [
        ("policy.commented", user(OPERATOR), "32.06.13.2001"),
        ("policy.comment_answered", user(PLANNER), "32.06.13.2001"),
    ]


@pytest.mark.parametrize("table", ["policy_draft_revisions", "policy_comments", "policy_answers"])
async def test_what_was_written_and_said_is_never_changed(chamber: Chamber, table: str) -> None:
    for statement in (f"UPDATE {table} SET area_code = '*'", f"DELETE FROM {table}"):  # noqa: S608
        with pytest.raises(Exception, match="are never changed or removed"):
            await chamber.office.scene.rows(statement)


async def test_in_the_database_nobody_speaks_for_another_nor_of_what_is_not_shown_to_them(chamber: Chamber) -> None:
    hidden, shown = await chamber.draft(quicker(2)), await chamber.shown(quicker(4))
    scene, author = chamber.office.scene, user(OPERATOR)
    village = Viewer(str(author), ("32.06.13.2001",))
    for draft, by in ((shown, user("kades.taraju")), (hidden, author)):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with scene.app.transaction(village) as connection:
                await connection.execute(insert(PolicyComment).values(**_comment(draft, by, chamber)))
    async with scene.app.transaction(village) as connection:
        await connection.execute(insert(PolicyComment).values(**_comment(shown, author, chamber)))
        changed = await connection.execute(text("UPDATE policy_drafts SET status = 'withdrawn'"))
        assert changed.rowcount == 0
        await connection.rollback()


def _comment(draft: dict[str, Any], author: UUID, chamber: Chamber) -> dict[str, Any]:
    return {
        "id": new_id(),
        "draft_id": UUID(draft["id"]),
        "revision": 1,
        "area_code": "32.06",
        "from_area": "32.06.13.2001",
        "text": "-",
        "author_id": author,
        "role": "village_operator",
        "office_id": UUID(draft["office"]["id"]),
        "at": chamber.clock(),
    }
