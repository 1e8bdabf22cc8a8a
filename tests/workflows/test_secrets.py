"""Ids alone pass through the engine: nothing of a person stands in a history, sealed or not."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from temporalio.client import Client

from devstack.partners.persons import Person
from devstack.temporal import TemporalServer
from domain.changes import NewHousehold
from domain.circumstances import Address, Circumstances
from domain.household import Relation, Sex
from domain.vocabulary import Outcome, ReasonCode, Stage
from runtime.codec import data_converter
from tests.scene import MINUTES, Scene
from tests.unit.families import person
from tests.workflows.stack import PartnerServers, Stack, codec_keys

NOTE = "Warga keberatan difoto rumahnya"
HEAD = person("Ujang Tarsono", Relation.HEAD, sex=Sex.MALE, serial=7301)
CHANGE = NewHousehold(
    kk_number="3206130203269903",
    address=Address(hamlet="Kampung Rahasia", rt="3", rw="1"),
    circumstances=Circumstances(floor_area_m2=20),
    members=(HEAD,),
)


def said_of_people() -> Iterator[str]:
    yield from (HEAD.nik or "", HEAD.name, "Tarsono", CHANGE.kk_number, "Kampung Rahasia", NOTE, MINUTES.number)
    yield from ("Petugas PUSKESOS", "Warga mencabut")


async def eventful_case(stack: Stack) -> UUID:
    """A case with a return and a note, a repair, minutes, a push and a refusal by the Ministry."""
    assert HEAD.nik is not None
    entry = Person(
        nik=HEAD.nik,
        kk_number=CHANGE.kk_number,
        name=HEAD.name,
        birth_date=HEAD.birth_date,
        sex=HEAD.sex.value,
    )
    await stack.servers.register([entry])
    async with stack.working():
        update_id = await stack.submit(CHANGE)
        await stack.forward_to(update_id, Stage.VERIFICATION)
        reason = ReasonCode.UNCLEAR_PHOTO
        await stack.decide(update_id, "puskesos.taraju", Outcome.RETURN, reason=reason, note=NOTE)
        await stack.resubmit(update_id, CHANGE)
        await stack.pushed(update_id)
        await stack.ministry_answers(update_id, "rejected", reason="quota")
        await stack.at(update_id, "rejected")
        await stack.handle(update_id).result()
    return update_id


async def stored(temporal_server: TemporalServer, stack: Stack, update_id: UUID) -> bytes:
    """All that the engine keeps of the case, as its store has it."""
    bare = await Client.connect(temporal_server.address)
    handle = bare.get_workflow_handle(stack.handle(update_id).id)
    history = b"".join([event.SerializeToString() async for event in handle.fetch_history_events()])
    return history + (await handle.describe()).raw_description.SerializeToString()


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "readable"])
async def test_history_holds_nothing_of_a_person(
    scene: Scene,
    partner_servers: PartnerServers,
    temporal_server: TemporalServer,
    sealed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await partner_servers.reset()
    converter = data_converter(codec_keys() if sealed else None)
    client = await Client.connect(temporal_server.address, data_converter=converter)
    stack = Stack(scene, partner_servers, client)
    update_id = await eventful_case(stack)
    kept = await stored(temporal_server, stack, update_id)
    assert [word for word in said_of_people() if word.encode() in kept] == []
    assert (b"policy_version_id" in kept) is not sealed, "the test can tell what it reads"
    assert (b"binary/encrypted" in kept) is sealed
