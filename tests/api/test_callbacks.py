from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook

from domain.ids import new_id
from tests.api.conftest import WEBHOOK_SECRET, Office
from tests.api.test_acts import submitted

pytestmark = pytest.mark.embedded

NOTE = "Sudah dipadankan oleh Siti."


async def call_back(
    office: Office,
    update_id: str,
    *,
    webhook_id: str = "msg_1",
    secret: str = WEBHOOK_SECRET,
    at: datetime | None = None,
    tamper: bool = False,
    **changes: Any,
) -> httpx2.Response:
    """Send an answer as the Ministry's gateway does."""
    proposal = {"update_id": update_id, "receipt_no": "R-1", "answer": "accepted", "reason": None, "note": NOTE}
    body = json.dumps({"type": "proposal.answered", "proposal": proposal | changes})
    at = at or datetime.now(UTC)
    headers = {
        "Webhook-Id": webhook_id,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(webhook_id, at, body),
        "Content-Type": "application/json",
    }
    sent = body.replace("R-1", "R-2") if tamper else body
    return await (await office.visitor()).post("/v1/callbacks/ministry", content=sent, headers=headers)


async def test_an_answer_is_recorded_once_however_often_it_is_delivered(office: Office) -> None:
    update_id = await submitted(office)
    answers = await asyncio.gather(*(call_back(office, update_id) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["received"] for answer in answers) == ["before"] * 5 + ["now"]
    row = await office.scene.one("SELECT * FROM ministry_answers")
    assert (str(row.update_id), row.answer, row.receipt_no) == (update_id, "accepted", "R-1")
    assert NOTE.encode() not in bytes(row.note)
    message = await office.scene.one("SELECT * FROM outbox WHERE topic = 'signal_ministry_answer'")
    assert (message.payload, message.done_at) == ({"answer_id": str(row.id)}, None)


async def test_a_further_answer_of_the_ministry_is_another_one(office: Office) -> None:
    update_id = await submitted(office)
    await call_back(office, update_id)
    second = await call_back(office, update_id, webhook_id="msg_2", answer="returned", reason="unclear_photo")
    assert second.json() == {"received": "now"}


async def test_a_running_case_is_told_at_once(staffed: Office) -> None:
    update_id = await submitted(staffed)
    await staffed.open_task(update_id, "verification")
    assert (await call_back(staffed, update_id)).status_code == 200
    message = await staffed.scene.one("SELECT * FROM outbox WHERE topic = 'signal_ministry_answer'")
    assert (message.done_at is not None, message.attempts) == (True, 0)


async def test_what_the_ministry_did_not_sign_is_refused(office: Office) -> None:
    update_id = await submitted(office)
    foreign = "whsec_" + "QQ" * 20
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for response in (
        await call_back(office, update_id, secret=foreign),
        await call_back(office, update_id, tamper=True),
        await call_back(office, update_id, at=an_hour_ago),
        await (await office.visitor()).post("/v1/callbacks/ministry", json={}),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert await office.scene.rows("SELECT 1 FROM ministry_answers") == []


async def test_an_answer_about_an_unknown_update_is_refused(office: Office) -> None:
    for update_id in (str(new_id()), "0198-update", "nul\0"):
        response = await call_back(office, update_id)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_a_signed_body_that_is_no_answer_is_refused(office: Office) -> None:
    update_id = await submitted(office)
    response = await call_back(office, update_id, answer="returned")
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
