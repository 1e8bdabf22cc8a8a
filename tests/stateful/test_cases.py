"""Operators, officers, silence, partners, orders and restarts in any order; after every step all holds that must."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test as play
from temporalio.client import Client

from devstack.postgres import PostgresServer
from devstack.seed import World as SeededWorld
from tests.stateful.disputes import Disputes
from tests.stateful.machine import Ground
from tests.stateful.orders import Orders
from tests.stateful.waits import Waits
from tests.workflows.stack import PartnerServers


class Everything(Disputes, Waits, Orders):
    """All that can happen to a case, played together."""


@pytest.fixture
async def ground(
    postgres_server: PostgresServer,
    seeded_template: SeededWorld,
    partner_servers: PartnerServers,
    engine_client: Client,
    caplog: pytest.LogCaptureFixture,
) -> Ground:
    """The servers, and the loop to reach them on. That a partner is down is not said again at every attempt."""
    caplog.set_level(logging.ERROR, logger="temporalio.activity")
    await partner_servers.reset()
    return Ground(asyncio.get_running_loop(), postgres_server, seeded_template, partner_servers, engine_client)


async def test_no_order_of_events_breaks_a_case(ground: Ground) -> None:
    class Played(Everything):
        pass

    Played.ground = ground
    chosen = settings.get_current_profile_name()
    profile = settings.get_profile(chosen if chosen.startswith("kawal-") else "kawal-quick")
    await asyncio.to_thread(play, Played, settings=profile)
