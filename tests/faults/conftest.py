"""One stack for all fault tests; each finds it whole, and has its invariants checked when it is done."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

import pytest

from tests.faults.invariants import check_invariants
from tests.faults.offices import DECIDER, Offices, now
from tests.faults.stack import Stack, running_stack


@pytest.fixture(scope="session")
async def one_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Stack]:
    """The stack of the session."""
    async with running_stack(tmp_path_factory.mktemp("faults") / "kawal") as stack:
        yield stack


@pytest.fixture(scope="session")
async def everybody(one_stack: Stack) -> AsyncGenerator[Offices]:
    """The offices, everybody logged in."""
    offices = Offices.of(one_stack)
    await offices.log_in("operator.taraju", "kabid", "slrt.taraju", *DECIDER.values())
    yield offices
    await offices.client.aclose()


@pytest.fixture
async def stack(one_stack: Stack) -> Stack:
    """The same, whole again after whatever the test before has done to it."""
    await one_stack.start()
    return one_stack


@pytest.fixture(autouse=True)
def logs(one_stack: Stack) -> Iterator[None]:
    """Show what every process logged during a test; pytest shows it when the test failed."""
    before = one_stack.log_sizes()
    yield
    for name, said in one_stack.said_since(before):
        print(f"----- {name}\n{said}")  # noqa: T201  captured by pytest


@pytest.fixture
async def offices(stack: Stack, everybody: Offices) -> AsyncGenerator[Offices]:
    """The people; when the test is done, everything must be as it has to be."""
    for partner in (stack.registry_url, stack.ministry_url):
        await everybody.partner("DELETE", partner, "/admin/faults")
    await everybody.partner("DELETE", stack.ministry_url, "/admin/rules")
    yield everybody
    await stack.start()
    await everybody.settled()
    await check_invariants(stack.database, at=now())
