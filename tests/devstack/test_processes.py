import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from devstack.ports import accepts, any_free_port
from devstack.processes import ChildService, ServiceError, run_to_end, sweep, write_record
from tests.devstack.children import FAIL, SLEEP, STUBBORN, command, listener
from tests.devstack.waiting import runs, until


async def at_once() -> bool:
    return True


async def never() -> bool:
    return False


def records(folder: Path) -> list[str]:
    return [record.name for record in folder.glob("*.json")]


async def test_a_service_counts_as_started_when_its_condition_holds(tmp_path: Path) -> None:
    port = any_free_port()
    service = listener(tmp_path, port)
    await service.start()
    assert await accepts(port)
    await service.stop()
    assert not await accepts(port)
    assert service.pid is None


async def test_a_child_that_ends_before_it_is_ready_tells_its_last_words(tmp_path: Path) -> None:
    service = ChildService(command(tmp_path, FAIL), ready=never)
    with pytest.raises(ServiceError, match=r"exit code 3 before it was ready(.|\n)*the reason"):
        await service.start()


async def test_a_child_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    service = ChildService(command(tmp_path, SLEEP), ready=never, ready_within=0.5)
    with pytest.raises(ServiceError, match="not ready within"):
        await service.start()
    assert service.pid is None


async def test_a_stop_is_final_for_the_whole_group(tmp_path: Path) -> None:
    wanted = command(tmp_path, STUBBORN, grace=0.5)

    async def ready() -> bool:
        return wanted.log.read_text().strip().isdecimal()

    service = ChildService(wanted, ready=ready)
    await service.start()
    grandchild = int(wanted.log.read_text())
    assert runs(grandchild)
    await service.stop()
    await until(lambda: not runs(grandchild))


async def test_a_preparation_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"exit code 3(.|\n)*the reason"):
        await run_to_end(command(tmp_path, FAIL))


async def test_a_preparation_that_is_called_off_does_not_go_on_alone(tmp_path: Path) -> None:
    running = asyncio.create_task(run_to_end(command(tmp_path, STUBBORN)))
    log = tmp_path / "child.log"
    await until(lambda: log.exists() and log.read_text().endswith("\n"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    grandchild = int(log.read_text())
    await until(lambda: not runs(grandchild))


LEAVE_BEHIND = """
import asyncio, os, sys
from pathlib import Path
from tests.devstack.children import listener

asyncio.run(listener(Path(sys.argv[1]), int(sys.argv[2])).start())
os._exit(0)
"""


async def test_what_an_unclean_end_left_behind_is_swept_up(tmp_path: Path) -> None:
    port = any_free_port()
    earlier = command(tmp_path, LEAVE_BEHIND, str(tmp_path), str(port), name="earlier")
    await run_to_end(earlier)
    assert await accepts(port)
    assert await sweep(tmp_path / "run") == ["listener"]
    assert not await accepts(port)
    assert records(tmp_path / "run") == []


async def test_a_stranger_under_a_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = ChildService(command(tmp_path, SLEEP), ready=at_once)
    await stranger.start()
    assert stranger.pid is not None
    record = tmp_path / "worker.json"
    write_record(record, stranger.pid)
    written = json.loads(record.read_text())
    record.write_text(json.dumps({**written, "created": written["created"] - 3600}))
    assert await sweep(tmp_path) == []
    assert stranger.pid is not None
    await stranger.stop()
    assert await stranger.ended() == "signal SIGTERM"


async def test_records_that_cannot_be_read_are_dropped(tmp_path: Path) -> None:
    for name, text in {"empty": "", "list": "[]", "odd": '{"pid": "x"}', "half": '{"pid": 1'}.items():
        (tmp_path / f"{name}.json").write_text(text)
    assert await sweep(tmp_path) == []
    assert records(tmp_path) == []


async def test_a_signal_for_our_group_does_not_reach_a_child(tmp_path: Path) -> None:
    service = ChildService(command(tmp_path, SLEEP), ready=at_once)
    await service.start()
    assert service.pid is not None
    assert os.getpgid(service.pid) == service.pid != os.getpgrp()
    os.kill(service.pid, signal.SIGKILL)
    assert await service.ended() == "signal SIGKILL"
    await service.stop()


async def test_a_log_is_private_and_a_large_one_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with log.open("wb") as stream:
        stream.truncate(21 * 1024 * 1024)
    with pytest.raises(ServiceError):
        await run_to_end(command(tmp_path, FAIL))
    assert log.read_text() == "the reason\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "child.log.1").stat().st_size == 21 * 1024 * 1024
