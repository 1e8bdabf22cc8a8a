"""While the engine is away nobody waits for it, and within a second or two of its return everything goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

import httpx2
import pytest

from devstack.temporal import TemporalServer
from tests.api.conftest import Office, opened, staffed_settings, until, working
from tests.api.proposals import newborn
from tests.api.test_acts import FORWARD, decide, submitted
from tests.api.test_submit import submit
from tests.scene import Scene
from tests.workflows.line import Line, listening

pytestmark = pytest.mark.embedded

AT_ONCE = 2
"""Seconds: less than any patience, and enough for a request on a busy machine."""
SOON = 4

# An engine whose machine hangs lets every call time out; one that has ended refuses the connection.
WAYS = pytest.mark.parametrize("leave", [Line.hold, Line.cut], ids=["hangs", "ended"])


@asynccontextmanager
async def over_a_line(scene: Scene, temporal_server: TemporalServer) -> AsyncGenerator[tuple[Office, Line]]:
    """The API with a line to the engine that a test can hold or cut; the worker has one of its own."""
    settings = staffed_settings(scene, temporal_server)
    host, port = temporal_server.address.split(":")
    line = Line(host, int(port))
    async with listening(line) as own, working(scene, settings):
        reached = settings.model_copy(update={"temporal_address": f"127.0.0.1:{own}"})
        async with opened(scene, reached) as office:
            yield office, line


async def reachable(office: Office) -> bool:
    return (await (await office.visitor()).get("/readyz")).json()["engine"]["reachable"]


async def measured(office: Office, name: str) -> float:
    text = (await (await office.visitor()).get("/metrics")).text
    return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


@WAYS
async def test_nobody_waits_for_an_engine_that_is_known_to_be_away(
    scene: Scene,
    temporal_server: TemporalServer,
    leave: Callable[[Line], None],
) -> None:
    async with over_a_line(scene, temporal_server) as (office, line):
        update_id = await submitted(office)
        task = await office.open_task(update_id, "verification")
        desk = await office.desk_of("operator.taraju")
        leave(line)
        first = await submit(desk, newborn(), key="n0")
        assert (first.status_code, first.json()["engine"]) == (201, "pending")
        await until(lambda: _is(office, away=True))
        for number in range(1, 6):
            answer = await quickly(submit(desk, newborn(), key=f"n{number}"))
            assert (answer.status_code, answer.json()["engine"]) == (201, "pending")
        put_off = await quickly(decide(office, "puskesos.taraju", task, FORWARD, Idempotency_Key="k"))
        assert (put_off.status_code, put_off.json()["code"]) == (503, "engine_unavailable")
        assert int(put_off.headers["Retry-After"]) > 0
        assert (await measured(office, "kawal_engine_up"), await measured(office, "kawal_engine_outages_total")) == (
            0,
            1,
        )
        assert await measured(office, "kawal_engine_calls_refused_total") == 6
        line.release()
        began = monotonic()
        await until(lambda: _is(office, away=False))
        assert monotonic() - began < SOON
        done = await decide(office, "puskesos.taraju", task, FORWARD, Idempotency_Key="k")
        assert (done.status_code, done.json()["update"]["status"]) == (200, "in_deliberation")
        assert (await submit(desk, newborn(), key="back")).json()["engine"] == "started"
        assert await measured(office, "kawal_engine_up") == 1


async def test_a_decision_that_no_worker_takes_is_no_outage_of_the_engine(
    scene: Scene,
    temporal_server: TemporalServer,
) -> None:
    settings = staffed_settings(scene, temporal_server)
    async with opened(scene, settings) as office:
        update_id = await submitted(office)
        desk = await office.desk_of("operator.taraju")
        response = await desk.post(f"/v1/updates/{update_id}/withdrawal", json={"note": "Keluarga membatalkan."})
        assert (response.status_code, response.json()["code"]) == (202, "act_pending")
        assert await reachable(office)
        assert await measured(office, "kawal_engine_outages_total") == 0


async def _is(office: Office, *, away: bool) -> bool:
    return await reachable(office) is not away


async def quickly(asked: Awaitable[httpx2.Response]) -> httpx2.Response:
    began = monotonic()
    answer = await asked
    assert monotonic() - began < AT_ONCE
    return answer
