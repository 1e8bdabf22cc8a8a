"""The partners and the engine's client, shared by the session; a whole Kawal of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from devstack.partners.civil_registry import civil_registry
from devstack.partners.ministry import ministry
from devstack.partners.serve import serving
from devstack.seed import World
from devstack.temporal import TemporalServer
from runtime.codec import data_converter
from tests.scene import Scene
from tests.soundness import assert_sound
from tests.workflows.stack import ADMIN_TOKEN, TOKEN, PartnerServers, Stack, codec_keys

NOWHERE = "http://127.0.0.1:9/callbacks"
WEBHOOK_SECRET = "whsec_c2VjcmV0IG9mIHRoZSBNaW5pc3RyeSdzIGdhdGV3YXk="


@pytest.fixture(scope="session")
async def partner_servers(seeded_template: World) -> AsyncIterator[PartnerServers]:
    """The civil registry and the Ministry on loopback. The Ministry's callbacks go nowhere: tests answer for it."""
    registry = civil_registry(token=TOKEN, admin_token=ADMIN_TOKEN)
    gateway = ministry(token=TOKEN, admin_token=ADMIN_TOKEN, callback_url=NOWHERE, webhook_secret=WEBHOOK_SECRET)
    async with serving(registry) as registry_url, serving(gateway) as ministry_url:
        yield PartnerServers(registry_url, ministry_url, seeded_template.persons)


@pytest.fixture(scope="session")
async def engine_client(temporal_server: TemporalServer) -> Client:
    """A client whose payloads are sealed."""
    return await Client.connect(temporal_server.address, data_converter=data_converter(codec_keys()))


@pytest.fixture
async def stack(scene: Scene, partner_servers: PartnerServers, engine_client: Client) -> AsyncIterator[Stack]:
    """Everything but the workers, which a test runs as it needs them; every case has to be sound in the end."""
    await partner_servers.reset()
    yield Stack(scene, partner_servers, engine_client)
    await assert_sound(scene)


@pytest.fixture
async def kawal(stack: Stack) -> AsyncIterator[Stack]:
    """Everything, at work."""
    async with stack.working():
        yield stack
