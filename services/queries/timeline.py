"""The story of an update: what happened, and who held it from when to when, adding up to its age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Update
from db.repositories.trail import read_stream, stream_of_update
from db.session import Viewer
from domain.audit import AuditEvent
from domain.authority import Actor, Permission
from services.kawal import Kawal
from services.queries.case import read_scoped_case
from services.queries.custody import CustodySpan, HeldInAll, TaskHeld, added_up, custody_of, posts_held, read_tasks_held
from services.queries.event_words import words_of
from services.queries.view import OfficeRef, PersonRef, Text, View
from services.queries.who import Who, read_who


class Happened(View):
    """One thing that happened to the update."""

    seq: int
    at: datetime
    type: str
    words: Text
    actor: PersonRef | None = Field(description="Who did it; null for the system")
    role: str | None
    office: OfficeRef | None
    on_behalf_of: PersonRef | None
    status: str | None = Field(description="The status of the case from then on; null where it did not change")
    data: dict[str, JsonValue]


class Timeline(View):
    """What happened to an update, and where its time went."""

    update_id: UUID
    submitted_at: datetime
    until: datetime = Field(description="When it was closed, or the moment of this answer")
    age: timedelta
    events: tuple[Happened, ...]
    custody: tuple[CustodySpan, ...] = Field(description="Without a gap; the lengths add up to the age exactly")
    totals: tuple[HeldInAll, ...]


async def read_timeline(kawal: Kawal, actor: Actor, update_id: UUID) -> Timeline:
    """The timeline of an update. Raises NotFound or Forbidden."""
    now = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_scoped_case(connection, actor, update_id, permission=Permission.UPDATES_READ)
        life = await _life(connection, update_id)
        stored, _head = await read_stream(connection, stream_of_update(update_id))
        events = [event.event for event in stored]
        tasks = await read_tasks_held(connection, update_id, events=events)
        who = await _who(connection, events, tasks)
    until = max(life.closed_at or now, life.submitted_at)
    spans = custody_of(tasks, who, begins=life.submitted_at, ends=until)
    return Timeline(
        update_id=update_id,
        submitted_at=life.submitted_at,
        until=until,
        age=until - life.submitted_at,
        events=tuple(_happened(event, who) for event in events),
        custody=spans,
        totals=added_up(spans),
    )


async def _life(connection: AsyncConnection, update_id: UUID) -> Row[*tuple[Any, ...]]:
    wanted = select(Update.submitted_at, Update.closed_at).where(Update.id == update_id)
    return (await connection.execute(wanted)).one()


async def _who(connection: AsyncConnection, events: list[AuditEvent], tasks: list[TaskHeld]) -> Who:
    return await read_who(
        connection,
        people=(person for event in events for person in (event.actor_id, event.on_behalf_of)),
        offices=(event.office_id for event in events),
        posts=posts_held(tasks),
    )


def _happened(event: AuditEvent, who: Who) -> Happened:
    return Happened(
        seq=event.seq,
        at=event.at,
        type=event.type,
        words=words_of(event.type),
        actor=who.person(event.actor_id),
        role=event.actor_role,
        office=who.office(event.office_id),
        on_behalf_of=who.person(event.on_behalf_of),
        status=event.status,
        data=event.data,
    )
