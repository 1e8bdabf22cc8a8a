"""What officers say to each other about a case."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Office
from tests.api.test_acts import submitted
from tests.scene import user

pytestmark = pytest.mark.embedded

TEXT = "Rumah kosong, tetangga bilang NIK 3206131708900009 ikut anaknya."


async def say(office: Office, username: str, update_id: str, text: str = TEXT, *, key: str = "k") -> Any:
    desk = await office.desk_of(username)
    return await desk.post(f"/v1/updates/{update_id}/comments", json={"text": text}, headers={"Idempotency-Key": key})


async def test_a_comment_is_read_by_all_who_read_the_case_with_numbers_masked(office: Office) -> None:
    update_id = await submitted(office)
    said = await say(office, "puskesos.taraju", update_id)
    assert said.status_code == 201, said.text
    for username in ("operator.taraju", "verifikator", "evaluator"):
        (comment,) = (await (await office.desk_of(username)).get(f"/v1/updates/{update_id}/comments")).json()["items"]
        assert comment["text"] == TEXT.replace("3206131708900009", "3206••••••••0009")
        assert (comment["author"]["id"], comment["role"]) == (str(user("puskesos.taraju")), "puskesos_officer")
    told = (await (await office.desk_of("operator.taraju")).get("/v1/notifications")).json()["items"]
    assert [each["subject"] for each in told] == ["comment"]
    (event,) = await office.scene.rows("SELECT data FROM audit_events WHERE type = 'update.commented'")
    assert event.data == {"comment": said.json()["id"]}
    (row,) = await office.scene.rows("SELECT text FROM comments")
    assert b"tetangga" not in row.text


async def test_the_same_comment_sent_at_once_is_said_once(office: Office) -> None:
    update_id = await submitted(office)
    answers = await asyncio.gather(*(say(office, "kades.taraju", update_id) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = await say(office, "kades.taraju", update_id, "Lain.")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await office.scene.rows("SELECT 1 FROM comments")) == 1


@pytest.mark.parametrize(("username", "status"), [("evaluator", 403), ("puskesos.cikubang", 404)])
async def test_who_does_no_work_on_the_case_does_not_comment(office: Office, username: str, status: int) -> None:
    update_id = await submitted(office)
    assert (await say(office, username, update_id)).status_code == status


async def test_nobody_reads_comments_of_a_foreign_village(office: Office) -> None:
    update_id = await submitted(office)
    await say(office, "kades.taraju", update_id)
    listed = await (await office.desk_of("kades.cikubang")).get(f"/v1/updates/{update_id}/comments")
    assert listed.status_code == 404


@pytest.mark.parametrize("text", ["", "   ", "a\u0000b", "x" * 1001])
async def test_a_text_that_says_nothing_or_too_much_is_refused(office: Office, text: str) -> None:
    update_id = await submitted(office)
    refused = await say(office, "kades.taraju", update_id, text)
    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (422, "/text")
