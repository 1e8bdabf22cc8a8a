import socket
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from devstack.ports import any_free_port
from devstack.processes import ServiceError
from devstack.temporal import TemporalServer

pytestmark = pytest.mark.embedded

STAGE = SearchAttributeKey.for_keyword("KawalStage")


async def test_workflows_survive_kill_nine_of_the_server(tmp_path: Path) -> None:
    server = TemporalServer(log=tmp_path / "log", database=tmp_path / "temporal.db", port=any_free_port())
    await server.start()
    address = server.address
    client = await Client.connect(address)
    await client.start_workflow(
        "Waiting",
        id="waiting",
        task_queue="nobody-polls",
        priority=Priority(priority_key=2, fairness_key="32.06.13.2001"),
        search_attributes=TypedSearchAttributes([SearchAttributePair(STAGE, "verification")]),
    )
    server.kill()
    assert await server.ended() == "signal SIGKILL"
    await server.start()
    assert server.address == address
    description = await (await Client.connect(address)).get_workflow_handle("waiting").describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert description.typed_search_attributes[STAGE] == "verification"
    await server.stop()


async def test_a_taken_port_is_left_to_its_owner(tmp_path: Path) -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        async with TemporalServer(log=tmp_path / "log", port=taken, ui_port=taken) as server:
            assert len({taken, server.port, server.ui_port}) == 3
            client = await Client.connect(server.address)
            assert await client.service_client.check_health()


async def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = TemporalServer(log=tmp_path / "log", database=tmp_path / "no such folder" / "temporal.db")
    with pytest.raises(ServiceError, match=r"temporal ended with exit code 1(.|\n)*no such folder"):
        await server.start()
