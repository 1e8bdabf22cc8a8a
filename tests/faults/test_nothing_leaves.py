"""A whole case through real processes; then everything that they keep or say outside the sealed columns is read raw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text
from temporalio.client import Client

from domain.household import Household
from domain.ids import workflow_id
from domain.vocabulary import Stage
from runtime.codec_usage import keys_of_histories
from tests.faults.offices import DECIDER, Offices
from tests.faults.stack import Stack
from tests.faults.watch import Watch

NOTE = "Rumah tampak kosong waktu dikunjungi"
LANDMARK = "Belakang pabrik genteng Wirasaba"
PAPER_NOTE = "Foto diambil dari halaman tetangga Bu Rukmini"
NEW_NAME = "Tresna Wiguna Adipraja"
PLAIN_TABLES = (
    *("notifications", "outbox", "audit_events", "audit_streams", "updates", "tasks", "task_grants", "escalations"),
    *("clock_intervals", "identity_results", "households", "household_members", "identity_digests", "read_log"),
)
"""Whatever is readable in them is read by everybody who holds the database."""


def personal(household: Household) -> Iterator[str]:
    """What went through of people, and must be seen nowhere: typed texts, and what the registry holds of them."""
    yield from (NOTE, LANDMARK, PAPER_NOTE, NEW_NAME, household.kk_number)
    for member in household.members:
        yield from (member.name, member.birth_date.isoformat())
        yield from (() if member.nik is None else (member.nik,))
    yield from (value for value in household.address.model_dump().values() if isinstance(value, str) and len(value) > 5)


async def _post(offices: Offices, path: str, body: dict[str, Any], *, by: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {offices.tokens[by]}", "Idempotency-Key": str(uuid4())}
    answer = await offices.client.post(f"{offices.stack.api_url}{path}", json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    return answer


async def _carried_through(offices: Offices, watch: Watch, household: Household) -> UUID:
    """Submitted with a new name and an address, returned with a note, repaired, read in the clear, applied."""
    assert household.head is not None
    proposal = {
        "change": {
            "kind": "add_member",
            "member": {
                "name": NEW_NAME,
                "sex": "female",
                "birth_date": "2026-01-02",
                "relation": "child",
                "no_nik_reason": "newborn",
            },
        },
        "evidence": [
            {"type": "birth_statement", "reference": "474.1/12/2026", "note": PAPER_NOTE},
            {"type": "kk", "reference": household.kk_number},
        ],
    }
    whose = {"area_code": household.area_code, "household_id": str(household.id)}
    receipt = await _post(offices, "/v1/updates", {**whose, **proposal}, by="operator.taraju")
    update_id = UUID(receipt.json()["id"])
    task = await watch.open_task(update_id, Stage.VERIFICATION)
    returned = {"outcome": "return", "reason": "unclear_photo", "note": NOTE}
    await _post(offices, f"/v1/tasks/{task['id']}/decision", returned, by=DECIDER[Stage.VERIFICATION])
    repaired = {**proposal, "note": LANDMARK}
    await _post(offices, f"/v1/updates/{update_id}/resubmission", repaired, by="operator.taraju")
    purpose = {"purpose": "field_visit", "explanation": "Kunjungan ke rumah keluarga"}
    shown = await _post(offices, f"/v1/updates/{update_id}/unmask", purpose, by=DECIDER[Stage.VERIFICATION])
    assert NEW_NAME in shown.text
    await offices.forward(update_id, *(Stage.VERIFICATION, Stage.DELIBERATION, Stage.APPROVAL, Stage.ENDORSEMENT))
    await watch.reaches(update_id, "applied")
    return update_id


async def _kept_by_the_engine(stack: Stack, update_id: UUID) -> bytes:
    """The raw history, and what visibility tells of the case; without the codec."""
    bare = await Client.connect(stack.temporal.address)
    handle = bare.get_workflow_handle(workflow_id(update_id))
    history = b"".join([event.SerializeToString() async for event in handle.fetch_history_events()])
    described = (await handle.describe()).raw_description.SerializeToString()
    listed = b"".join([execution.raw_info.SerializeToString() async for execution in bare.list_workflows()])
    return history + described + listed


async def _rows(stack: Stack, update_id: UUID) -> str:
    """The plain tables as text, envelopes and digests included as they are stored."""
    said: list[str] = []
    async with stack.database.transaction() as connection:
        for table in PLAIN_TABLES:
            rows = await connection.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t"))  # noqa: S608 - our own names
            said += [str(row) for (row,) in rows]
        answers = await connection.execute(
            text("SELECT response::text FROM idempotency_keys WHERE update_id = :id"), {"id": update_id}
        )
        said += [str(row) for (row,) in answers]
    return "\n".join(said)


async def test_nothing_of_a_person_leaves_the_sealed_columns(stack: Stack, offices: Offices, watch: Watch) -> None:
    before = stack.log_sizes()
    household = offices.next_household()
    update_id = await _carried_through(offices, watch, household)
    missing = await offices.client.get(
        f"{stack.api_url}/v1/households?q={household.kk_number}",
        headers={"Authorization": f"Bearer {offices.tokens['operator.taraju']}"},
    )
    assert missing.json()["items"], "the number was asked for in an address, too"

    metrics = [(await offices.client.get(f"{stack.api_url}/metrics")).text]
    port = stack.environment["KAWAL_WORKER_METRICS_PORT"]
    metrics.append((await offices.client.get(f"http://127.0.0.1:{port}/metrics")).text)
    engine = await _kept_by_the_engine(stack, update_id)
    logs = {name: said for name, said in stack.said_since(before) if name != "partners.log"}
    places = {
        "engine": engine.decode(errors="replace"),
        "metrics": "\n".join(metrics),
        "rows": await _rows(stack, update_id),
        **logs,
    }
    words = list(personal(household))
    assert len(words) > 8
    found = {(place, word) for place, said in places.items() for word in words if _holds(said, word)}
    assert found == set()

    assert "/v1/updates" in logs["api.log"], "the test can tell what it reads"
    assert str(update_id) in places["engine"]
    assert str(update_id) in places["rows"]
    assert "kawal_http_requests" in metrics[0]
    assert "temporal_" in metrics[1]
    assert b"binary/encrypted" in engine


async def test_the_engine_names_the_codec_keys_that_its_histories_are_under(stack: Stack, offices: Offices) -> None:
    await offices.submitted()
    bare = await Client.connect(stack.temporal.address)
    held = [key_ids async for key_ids in keys_of_histories(bare)]
    assert held
    assert {key_id for key_ids in held for key_id in key_ids} == {"k1"}


def _holds(said: str, word: str) -> bool:
    """As it is, or as JSON escapes it."""
    return word in said or json.dumps(word)[1:-1] in said
