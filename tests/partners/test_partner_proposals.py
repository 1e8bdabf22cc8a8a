from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devstack.partners.serve import serving
from domain.errors import PartnerUnavailable
from runtime.connectors.http import PartnerContractError
from runtime.connectors.ministry import MinistryClient
from tests.partners.conftest import SITI, TOKEN, Admin, Inbox, ministry_partner, proposal


async def test_same_key_and_proposal_give_the_same_receipt(gateway: MinistryClient) -> None:
    first = await gateway.push(proposal(), idempotency_key="twice")
    assert await gateway.push(proposal(), idempotency_key="twice") == first
    assert first.update_id == proposal().update_id


async def test_other_key_gives_another_receipt_for_the_same_update(gateway: MinistryClient) -> None:
    first = await gateway.push(proposal(), idempotency_key="delivery-1")
    second = await gateway.push(proposal(), idempotency_key="delivery-2")
    assert first.receipt_no != second.receipt_no


async def test_key_of_another_proposal_is_refused_as_a_defect(gateway: MinistryClient) -> None:
    await gateway.push(proposal(), idempotency_key="reused")
    with pytest.raises(PartnerContractError) as caught:
        await gateway.push(proposal(household_version=4), idempotency_key="reused")
    assert caught.value.status == 422


async def test_twenty_pushes_at_once_with_one_key_are_one_proposal(
    gateway: MinistryClient,
    ministry_admin: Admin,
) -> None:
    sent = proposal(update_id="crowd")
    receipts = await asyncio.gather(*(gateway.push(sent, idempotency_key="crowd") for _ in range(20)))
    assert len({receipt.receipt_no for receipt in receipts}) == 1
    listed = await ministry_admin("GET", "/proposals?update_id=crowd")
    assert [entry["receipt_no"] for entry in listed["proposals"]] == [receipts[0].receipt_no]


@pytest.mark.parametrize("fault", [{"lose_answer_rate": 1}, {"latency_ms": 5000}, {"wrong_answer_rate": 1}])
async def test_push_whose_answer_did_not_arrive_is_repeated_without_a_second_proposal(
    gateway: MinistryClient,
    ministry_admin: Admin,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, float],
) -> None:
    name = f"lost-by-{next(iter(fault))}"
    await ministry_admin("PUT", "/faults", fault)
    with pytest.raises(PartnerUnavailable):
        await gateway.push(proposal(update_id=name), idempotency_key=name)
    [recorded] = (await ministry_admin("GET", f"/proposals?update_id={name}"))["proposals"]
    await ministry_admin("DELETE", "/faults")
    receipt = await gateway.push(proposal(update_id=name), idempotency_key=name)
    [still] = (await ministry_admin("GET", f"/proposals?update_id={name}"))["proposals"]
    assert recorded["receipt_no"] == receipt.receipt_no == still["receipt_no"]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_what_was_proposed_can_be_read_back(gateway: MinistryClient, ministry_admin: Admin) -> None:
    receipt = await gateway.push(proposal(), idempotency_key="read-back")
    record = await ministry_admin("GET", f"/proposals/{receipt.receipt_no}")
    assert record["proposal"] == proposal().model_dump(mode="json")
    assert record["answer"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"area_code": "32.06"},
        {"submitted_at": "2025-05-02T03:04:00"},
        {"household_version": -1},
        {"change": None},
        {"surprise": 1},
    ],
)
async def test_impossible_proposal_is_refused_without_quoting_it(
    ministry_admin: Admin,
    change: dict[str, Any],
) -> None:
    answer = await _post(ministry_admin.url, {**proposal().model_dump(mode="json"), **change}, key="bad")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert SITI["nik"] not in answer.text


async def test_proposal_without_a_key_is_refused(ministry_admin: Admin) -> None:
    answer = await _post(ministry_admin.url, proposal().model_dump(mode="json"), key=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_receipt_outlives_the_process(tmp_path: Path, inbox: Inbox) -> None:
    receipts: list[str] = []
    for _ in range(2):
        async with serving(ministry_partner(inbox, path=tmp_path / "ministry.sqlite")) as url:
            client = MinistryClient(url, TOKEN)
            receipts.append((await client.push(proposal(), idempotency_key="restart")).receipt_no)
            await client.aclose()
    assert receipts[0] == receipts[1]


async def _post(url: str, body: dict[str, Any], *, key: str | None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {TOKEN}"} | ({"Idempotency-Key": key} if key else {})
    async with httpx2.AsyncClient(headers=headers) as client:
        return await client.post(f"{url}/v1/proposals", json=body)
