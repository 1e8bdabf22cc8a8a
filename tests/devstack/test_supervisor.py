import asyncio
import os
import signal
from pathlib import Path

import pytest

from devstack.ports import accepts, any_free_port
from devstack.processes import ChildService, ServiceError
from devstack.supervisor import Supervisor
from tests.devstack.children import FAIL, STUBBORN, command, listener
from tests.devstack.waiting import until


async def test_a_service_that_crashes_is_started_again_and_people_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(say=said.append)
    port = any_free_port()
    service = listener(tmp_path, port)
    await supervisor.start(service)
    first = service.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: "listener is back" in said)
    assert said[0] == "listener ended: signal SIGKILL; starting it again in 0.5 s"
    assert service.pid not in {None, first}
    assert await accepts(port)
    await supervisor.stop()
    assert not await accepts(port)


async def test_a_service_that_cannot_come_back_is_tried_again_ever_more_slowly(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(say=said.append)
    port = any_free_port()
    service = listener(tmp_path, port)
    await supervisor.start(service)
    rival = listener(tmp_path, port, name="rival")
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    await service.ended()
    await rival.start()
    await until(lambda: sum(line.startswith("listener ended") for line in said) > 2)
    pauses = [line.rpartition(" in ")[2] for line in said if line.startswith("listener ended")]
    assert pauses == ["0.5 s", "1 s", "2 s"]
    await supervisor.stop()
    await rival.stop()


async def test_services_stop_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(say=said.append)
    for name in ("first", "second", "third"):
        await supervisor.start(listener(tmp_path, any_free_port(), name=name))
    await supervisor.stop()
    assert [line.split()[0] for line in said] == ["third", "second", "first"]
    assert not list((tmp_path / "run").iterdir())


async def test_a_service_that_failed_to_start_is_not_forgotten_at_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(say=said.append)

    async def never() -> bool:
        return False

    with pytest.raises(ServiceError, match="the reason"):
        await supervisor.start(ChildService(command(tmp_path, FAIL), ready=never))
    await supervisor.stop()
    assert said[0].startswith("child stopped")


async def test_a_kill_cuts_a_slow_stop_short(tmp_path: Path) -> None:
    supervisor = Supervisor(say=lambda _: None)
    wanted = command(tmp_path, STUBBORN, grace=120)

    async def ready() -> bool:
        return bool(wanted.log.read_text().strip())

    await supervisor.start(ChildService(wanted, ready=ready))
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0)
    supervisor.kill()
    await asyncio.wait_for(stopping, timeout=10)
