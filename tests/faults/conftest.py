"""One stack for all fault tests; each finds it whole, and has its invariants checked when it is done."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import httpx2
import pytest

from runtime.engine import Engine, connect
from tests.faults.invariants import check_invariants
from tests.faults.offices import DECIDER, Offices
from tests.faults.stack import Stack, running_stack
from tests.faults.watch import Watch, now

_LINES, _WIDTH = 40, 400


@pytest.fixture(scope="session")
async def one_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stack]:
    """The stack of the session."""
    async with running_stack(tmp_path_factory.mktemp("faults") / "kawal") as stack:
        yield stack


@pytest.fixture(scope="session")
async def everybody(one_stack: Stack) -> AsyncGenerator[Offices]:
    """The offices, everybody logged in."""
    engine = Engine(await connect(one_stack.settings()), queue_prefix="kawal")
    async with httpx2.AsyncClient(timeout=20, trust_env=False) as client:
        offices = Offices(one_stack, Watch(one_stack, client, engine), client)
        await offices.log_in("operator.taraju", *DECIDER.values())
        await one_stack.take_sptjm()
        await offices.answer_for_the_village()
        yield offices


@pytest.fixture
async def stack(one_stack: Stack, logs: None) -> AsyncGenerator[Stack]:
    """The same, whole before and after whatever the test does to it."""
    del logs
    await one_stack.start()
    yield one_stack
    await one_stack.start()


@pytest.fixture
def watch(offices: Offices) -> Watch:
    """Who looks at what becomes of the cases."""
    return offices.watch


@pytest.fixture
async def offices(stack: Stack, everybody: Offices) -> AsyncGenerator[Offices]:
    """The people, and partners that behave; when the test is done, all must be as it has to be."""
    await _recover(stack, everybody.watch)
    yield everybody
    await stack.start()
    await _recover(stack, everybody.watch)
    await everybody.watch.nothing_waits_for_the_engine()
    await everybody.watch.engine_and_rows_agree()
    await check_invariants(stack.database, at=now())


@pytest.fixture
def logs(one_stack: Stack) -> Iterator[None]:
    """What every process logged during a test, shown by pytest when the test failed."""
    before = one_stack.log_sizes()
    yield
    for name, said in one_stack.said_since(before):
        lines = "\n".join(line[:_WIDTH] for line in said.splitlines()[-_LINES:])
        print(f"----- the end of {name}\n{lines}")  # noqa: T201  captured by pytest


async def _recover(stack: Stack, watch: Watch) -> None:
    """The partners behave again, and the API has noticed that its old connections are gone."""
    await watch.serves(stack.api_url)
    for partner in (stack.registry_url, stack.ministry_url):
        await watch.partner("DELETE", partner, "/admin/faults")
    await watch.partner("DELETE", stack.ministry_url, "/admin/rules")
