"""What the workflow itself says, beside what the tables say."""

from __future__ import annotations

import pytest

from tests.api.conftest import Office, until
from tests.api.proposals import newborn

pytestmark = pytest.mark.embedded


async def test_the_workflow_and_the_tables_say_the_same(staffed: Office) -> None:
    operator = await staffed.desk_of("operator.taraju")
    submitted = await operator.post("/v1/updates", json=newborn(), headers={"Idempotency-Key": "lahir-1"})
    address = submitted.headers["Location"]

    async def verified() -> bool:
        return (await operator.get(address)).json()["status"] == "in_verification"

    await until(verified)
    case = (await operator.get(address)).json()
    live = (await operator.get(f"{address}/live")).json()
    assert (live["update_id"], live["status"], live["task_id"]) == (case["id"], case["status"], case["task"]["id"])
    assert live["step"] == "await_decision"
    assert live["wake_at"] >= case["task"]["next_look_at"]


async def test_readiness_is_whole_when_the_engine_is_there(staffed: Office) -> None:
    visitor = await staffed.visitor()
    told = (await visitor.get("/readyz")).json()
    assert (told["status"], told["engine"]["reachable"]) == ("ready", True)
