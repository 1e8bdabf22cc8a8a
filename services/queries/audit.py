"""The audit trail of a case as it is stored, with its hashes, and whether it is whole."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from db.repositories.trail import read_stream, stream_of_update
from db.session import Viewer
from domain.audit import StoredEvent
from domain.audit_verification import FlawKind, verify_stream
from domain.authority import Actor, Permission
from services.kawal import Kawal
from services.queries.case import read_scoped_case
from services.queries.view import View


class Link(View):
    """One event of the chain, with everything that its hash is made of."""

    seq: int
    at: datetime
    type: str
    actor_id: UUID | None
    actor_role: str | None
    office_id: UUID | None
    on_behalf_of: UUID | None
    area_code: str | None
    status: str | None
    data: dict[str, JsonValue]
    prev_hash: str = Field(description="Hash of the event before it, in hex")
    hash: str = Field(description="SHA-256 over the hash before it and its canonical form, in hex")


class FlawFound(View):
    """A place where the chain is broken."""

    seq: int
    kind: FlawKind
    detail: str


class Verdict(View):
    """What a reading of the whole chain found."""

    whole: bool = Field(description="Every event is as it was recorded, none is missing, none was added")
    events: int
    head: str | None = Field(description="The recorded end of the chain, in hex")
    flaws: tuple[FlawFound, ...]


class Trail(View):
    """The chain of one case."""

    stream: str
    verdict: Verdict
    events: tuple[Link, ...]


async def read_trail(kawal: Kawal, actor: Actor, update_id: UUID) -> Trail:
    """The chain of an update, verified as it is read. Raises NotFound or Forbidden."""
    stream = stream_of_update(update_id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_scoped_case(connection, actor, update_id, permission=Permission.AUDIT_READ)
        events, head = await read_stream(connection, stream)
    flaws = tuple(
        FlawFound(seq=flaw.seq, kind=flaw.kind, detail=flaw.detail) for flaw in verify_stream(stream, events, head=head)
    )
    verdict = Verdict(whole=not flaws, events=len(events), head=head and head.hash.hex(), flaws=flaws)
    return Trail(stream=stream, verdict=verdict, events=tuple(_link(stored) for stored in events))


def _link(stored: StoredEvent) -> Link:
    event = stored.event
    return Link(
        seq=event.seq,
        at=event.at,
        type=event.type,
        actor_id=event.actor_id,
        actor_role=event.actor_role,
        office_id=event.office_id,
        on_behalf_of=event.on_behalf_of,
        area_code=event.area_code,
        status=event.status,
        data=event.data,
        prev_hash=stored.prev_hash.hex(),
        hash=stored.hash.hex(),
    )
