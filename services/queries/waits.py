"""What a case waits for, or waited for, that nobody of its offices can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row

from domain.authority import Actor, Grant, Permission
from domain.document_waits import DocumentWaitEnd, ending_seat, waits_until
from domain.errors import NotPossibleNow
from domain.evidence import EvidenceType
from domain.lifecycle import Happening, Position, move
from domain.policy import Policy
from domain.vocabulary import DocumentWaitReason, PeerOffice, Role, Stage
from services.queries.case_parts import Rows
from services.queries.view import PersonRef, View
from services.queries.who import Who
from services.queries.work import TaskFacts


class DocumentWaited(View):
    """That the repair waits, or waited, for a paper of another office."""

    id: UUID
    document: EvidenceType
    office: PeerOffice = Field(description="The office that gives the paper")
    reason: DocumentWaitReason
    begun_by: PersonRef | None
    role: Role
    begun_at: datetime
    until: datetime = Field(description="When the wait ends by itself, or would have")
    ended_at: datetime | None = Field(description="Null while it waits")
    ended_because: DocumentWaitEnd | None
    ended_by: PersonRef | None = Field(description="Null where its time ran out, or the case moved on")
    evidence_id: UUID | None = Field(description="The file that came")


def people_of(waits: Rows) -> Iterator[UUID | None]:
    """Those whose names it takes to tell of them."""
    for row in waits:
        yield from (row.begun_by, row.ended_by)


def waited(waits: Rows, who: Who) -> tuple[DocumentWaited, ...]:
    """The waits of a case, as they are told."""
    return tuple(_waited(row, who) for row in waits)


def _waited(row: Row[*tuple[Any, ...]], who: Who) -> DocumentWaited:
    return DocumentWaited(
        id=row.id,
        document=row.document,
        office=row.office,
        reason=row.reason,
        begun_by=who.person(row.begun_by),
        role=row.begun_role,
        begun_at=row.from_at,
        until=row.until_at,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
        ended_by=who.person(row.ended_by),
        evidence_id=row.evidence_id,
    )


def require_may_wait(
    actor: Actor, position: Position, task: TaskFacts | None, policy: Policy, *, area_code: str, now: datetime
) -> None:
    """Raise what keeps the asker from letting the repair wait for a paper now."""
    actor.seat_for(Permission.UPDATES_REPAIR, area_code=area_code)
    move(position, Happening.DOCUMENT_AWAITED)
    if task is None or task.rule.stage is not Stage.REPAIR:
        raise NotPossibleNow("The update is on its way to be repaired; its task is not open yet.")
    waits_until(policy.document_wait, at=now, pauses=task.pauses, calendar=task.calendar)


def require_may_end(
    actor: Actor, position: Position, policy: Policy, *, area_code: str, grants: Collection[Grant]
) -> None:
    """Raise what keeps the asker from ending the wait now."""
    ending_seat(actor, area_code=area_code, rule=policy.repair, grants=grants)
    move(position, Happening.DOCUMENT_WAIT_ENDED)
