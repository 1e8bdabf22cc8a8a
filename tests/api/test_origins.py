"""From where: the events that a request leads to say by which means, under which request and from which address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload

from domain.audit import stream_of_account
from domain.ids import workflow_id
from runtime.engine import connect
from tests.api.accounts import give_password, log_in
from tests.api.conftest import WEBHOOK_SECRET, Office
from tests.api.proposals import newborn
from tests.api.test_acts import FORWARD, decide, submitted
from tests.api.test_callbacks import call_back
from tests.origins import addresses, traces_of
from tests.scene import VAULT, session_of, user

pytestmark = pytest.mark.embedded

ADDRESS = "198.51.100.23"
AGENT = "Kawal di lapangan/2.1"
FROM = {"X_Forwarded_For": ADDRESS, "User_Agent": AGENT}


async def origins(office: Office, stream: str, *types: str) -> list[Any]:
    """What the events say of their origin, in their order."""
    rows = await office.scene.rows(
        "SELECT type, origin FROM audit_events WHERE stream = :stream ORDER BY seq", stream=stream
    )
    return [row.origin for row in rows if row.type in types or not types]


async def test_a_decision_recorded_by_the_worker_comes_from_the_request_that_asked_for_it(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    request = str(uuid4())
    answer = await decide(staffed, "puskesos.taraju", task, FORWARD, X_Request_Id=request, **FROM)
    assert (answer.status_code, answer.headers["X-Request-Id"]) == (200, request)
    stream = f"update:{update_id}"
    (decided,) = await origins(staffed, stream, "task.decided")
    session = session_of(user("puskesos.taraju"))
    assert decided == {"means": "session", "request": request, "session": str(session), "traces": decided["traces"]}
    kept = (await traces_of(staffed.scene, stream))[decided["traces"]]
    assert kept is not None
    assert (kept.address, kept.agent, kept.os_user) == (ADDRESS, AGENT, None)
    # What follows at once from the decision comes from it too; what the engine did before by itself does not.
    assert (await origins(staffed, stream, "task.opened"))[-1] == decided
    assert (await origins(staffed, stream, "update.engine_started")) == [{"means": "engine", "part": "open_case"}]


async def test_neither_rows_nor_histories_hold_an_address_in_the_clear(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    assert (await decide(staffed, "puskesos.taraju", task, FORWARD, **FROM)).status_code == 200
    (row,) = await staffed.scene.rows("SELECT origin FROM idempotency_keys WHERE origin IS NOT NULL")
    assert ADDRESS.encode() not in bytes(row.origin)
    for table in ("audit_events", "audit_origins", "idempotency_keys", "outbox"):
        rows = await staffed.scene.rows(f"SELECT t::text AS held FROM {table} t")  # noqa: S608 - the test's own names
        assert rows
        assert not any(ADDRESS in row.held or ADDRESS.encode().hex() in row.held for row in rows)
    client = await connect(staffed.settings, lazy=False)
    handle = client.get_workflow_handle(workflow_id(UUID(update_id)))
    payloads = [each async for event in handle.fetch_history_events() for each in _payloads(event)]
    codec = client.data_converter.payload_codec
    assert codec is not None
    opened = b"".join([payload.data for payload in await codec.decode(payloads)])
    assert b"policy_version_id" in opened, "the test can tell what it reads"
    assert ADDRESS.encode() not in opened


def _payloads(message: Message) -> Iterator[Payload]:
    """Every payload in a message of the engine, however deep."""
    if isinstance(message, Payload):
        yield message
        return
    fields: Iterable[tuple[Any, Any]] = message.ListFields()
    for field, value in fields:
        if field.type == field.TYPE_MESSAGE:
            held: list[Any] = [value] if isinstance(value, Message) else _held(value)
            for each in held:
                if isinstance(each, Message):
                    yield from _payloads(each)


def _held(values: Any) -> list[Any]:
    return list(values.values() if hasattr(values, "values") else values)


async def test_a_repeat_from_elsewhere_does_not_move_the_origin(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    held = {"Idempotency-Key": "one", "X-Forwarded-For": ADDRESS}
    first = await desk.post("/v1/updates", json=newborn(), headers=held)
    again = await desk.post("/v1/updates", json=newborn(), headers=held | {"X-Forwarded-For": "203.0.113.99"})
    assert first.json()["id"] == again.json()["id"]
    assert await addresses(office.scene, f"update:{first.json()['id']}", "update.submitted") == [ADDRESS]


async def test_an_answer_of_the_ministry_comes_from_the_partner_that_called_back(office: Office) -> None:
    update_id = await submitted(office)
    assert (await call_back(office, update_id)).status_code == 200
    (answer,) = await office.scene.rows("SELECT id, origin FROM ministry_answers")
    opened = json.loads(VAULT.fields.open(bytes(answer.origin), context=f"ministry_answers.origin:{answer.id}"))
    assert (opened["means"], opened["traces"]["address"]) == ("partner", "127.0.0.1")
    assert WEBHOOK_SECRET not in json.dumps(opened)


async def test_signing_in_is_told_from_where_and_without_an_address_in_the_chain(
    office: Office,
) -> None:
    who = "operator.taraju"
    await give_password(office, who)
    assert (await log_in(await office.visitor(), who)).status_code == 200
    stream = stream_of_account(user(who))
    assert await addresses(office.scene, stream, "account.logged_in") == ["127.0.0.1"]
    events = await office.scene.rows("SELECT data::text AS told FROM audit_events")
    assert not any("127.0.0.1" in event.told for event in events)


async def test_the_inspectorate_sees_the_address_and_colleagues_do_not(office: Office) -> None:
    desk = await office.desk_of("operator.taraju")
    made = await desk.post(
        "/v1/updates",
        json=newborn(),
        headers={"Idempotency-Key": "one", "X-Forwarded-For": ADDRESS, "User-Agent": AGENT},
    )
    update_id = made.json()["id"]
    auditor = await office.desk_of("inspektorat")
    trail = (await auditor.get(f"/v1/updates/{update_id}/audit")).json()
    assert trail["verdict"]["whole"] is True
    shown = trail["events"][0]["origin"]
    assert (shown["means"], shown["request"]) == ("session", made.headers["X-Request-Id"])
    assert (shown["traces"]["address"], shown["traces"]["agent"]) == (ADDRESS, AGENT)
    seen = (await desk.get(f"/v1/updates/{update_id}/audit")).json()["events"][0]["origin"]
    assert (seen["commitment"], seen["traces"]) == (shown["commitment"], None)
    assert ADDRESS not in (await desk.get(f"/v1/updates/{update_id}/timeline")).text


async def test_a_trail_is_shown_although_its_traces_were_altered(office: Office) -> None:
    update_id = await submitted(office)
    async with office.scene.as_owner() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("DELETE FROM audit_origins")
        await driver.execute(
            "INSERT INTO audit_origins (stream, commitment, area_code, at, sealed) "
            "SELECT stream, decode(origin ->> 'traces', 'hex'), area_code, at, '\\x00' FROM audit_events "
            "WHERE stream = $1 AND seq = 1",
            f"update:{update_id}",
        )
    trail = (await (await office.desk_of("inspektorat")).get(f"/v1/updates/{update_id}/audit")).json()
    assert trail["verdict"]["whole"] is True
    assert trail["events"][0]["origin"]["traces"] is None


async def test_the_origin_of_an_act_goes_with_what_was_asked(staffed: Office) -> None:
    update_id = await submitted(staffed)
    task = await staffed.open_task(update_id, "verification")
    assert (await decide(staffed, "puskesos.taraju", task, FORWARD)).status_code == 200
    async with staffed.scene.as_owner() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        held = await driver.fetchval("SELECT count(*) FROM idempotency_keys WHERE origin IS NOT NULL")
        await driver.execute("UPDATE idempotency_keys SET request = NULL")
        left = await driver.fetchval("SELECT count(*) FROM idempotency_keys WHERE origin IS NOT NULL")
    assert (held, left) == (1, 0)
