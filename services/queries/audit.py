"""The audit trail of a case as it is stored, with its hashes, and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import structlog
from pydantic import Field, JsonValue

from db.repositories.trail import read_stream, read_traces, stream_of_update
from db.session import Viewer
from domain.audit import StoredEvent
from domain.audit_verification import FlawKind, verify_stream
from domain.authority import Actor, Permission
from domain.keyring import KeyRing, SealError
from domain.origins import SealedTraces, Traces, open_traces
from services.kawal import Kawal
from services.queries.case import read_scoped_case
from services.queries.view import View

_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger()


class OriginShown(View):
    """From where something was done."""

    means: str = Field(description="session, issuer, api_key, anonymous, partner, operator, engine or duty")
    request: UUID | None = Field(description="X-Request-Id of the request; the client may have chosen it")
    session: UUID | None
    part: str | None = Field(description="The command, the step of the engine or the duty")
    commitment: str | None = Field(description="What the chain holds of the traces, in hex; None where there are none")
    traces: Traces | None = Field(description="For those who may read the read log, until they are erased")


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
    origin: OriginShown | None = Field(description="None for what was recorded before origins were kept")
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
        case = await read_scoped_case(connection, actor, update_id, permission=Permission.AUDIT_READ)
        events, head = await read_stream(connection, stream)
        kept = await read_traces(connection, stream) if _may_see_traces(actor, case.area_code) else []
    flaws = tuple(
        FlawFound(seq=flaw.seq, kind=flaw.kind, detail=flaw.detail) for flaw in verify_stream(stream, events, head=head)
    )
    verdict = Verdict(whole=not flaws, events=len(events), head=head and head.hash.hex(), flaws=flaws)
    traces = {each.commitment.hex(): _opened(each, kawal.vault.fields) for each in kept}
    return Trail(stream=stream, verdict=verdict, events=tuple(_link(stored, traces) for stored in events))


def _may_see_traces(actor: Actor, area_code: str) -> bool:
    """Whoever is to see who read what may see from where officers act; their colleagues may not."""
    return any(Permission.READ_LOG_READ in seat.permissions for seat in actor.seats_over(area_code))


def _opened(kept: SealedTraces, ring: KeyRing) -> Traces | None:
    """The traces; None for an envelope that somebody altered: the chain is shown all the same."""
    try:
        return open_traces(kept, ring)
    except SealError as fault:
        _log.error("audit.traces_unreadable", commitment=kept.commitment.hex(), error=str(fault))
        return None


def _origin(told: dict[str, JsonValue] | None, traces: Mapping[str, Traces | None]) -> OriginShown | None:
    """As it stands in the row, which somebody may have tampered with."""
    if told is None:
        return None
    text = {name: value if isinstance(value, str) else None for name, value in told.items()}
    commitment = text.get("traces")
    return OriginShown(
        means=text.get("means") or "unreadable",
        request=_uuid(text.get("request")),
        session=_uuid(text.get("session")),
        part=text.get("part"),
        commitment=commitment,
        traces=None if commitment is None else traces.get(commitment),
    )


def _uuid(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _link(stored: StoredEvent, traces: Mapping[str, Traces | None]) -> Link:
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
        origin=_origin(event.origin, traces),
        prev_hash=stored.prev_hash.hex(),
        hash=stored.hash.hex(),
    )
