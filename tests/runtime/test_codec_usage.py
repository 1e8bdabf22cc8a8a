"""Which codec keys the engine still needs, where two keys were in use at once."""

from __future__ import annotations

from temporalio.client import Client

from devstack.temporal import TemporalServer
from domain.keyring import KeyRing, generate
from runtime.codec import data_converter
from runtime.codec_usage import keys_of_histories
from tests.workflows.stack import until

OLD, NEW = generate(key_id="old"), generate(key_id="new")


async def test_a_key_is_needed_by_whatever_came_later_in_a_history(temporal_server: TemporalServer) -> None:
    async def client(keys: str) -> Client:
        return await Client.connect(
            temporal_server.address, data_converter=data_converter(KeyRing.parse(keys, setting="KAWAL_CODEC_KEYS"))
        )

    begun = await (await client(f"{NEW},{OLD}")).start_workflow("Nobody", "a", id="mixed", task_queue="nobody")
    handle = (await client(f"{OLD},{NEW}")).get_workflow_handle("mixed")
    await handle.signal("more", "b")
    bare = await Client.connect(temporal_server.address)

    async def found() -> set[frozenset[str]]:
        return {key_ids async for key_ids in keys_of_histories(bare)}

    try:
        await until(found, lambda sets: frozenset({"old", "new"}) in sets)
    finally:
        await begun.terminate()
