"""The event log of an area for research, written as it is read: page after page, however many cases there are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, AuditRecord, Office, Task, Update, UpdateRound
from db.repositories import trail
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType, stream_of_event_log
from domain.authority import Actor, Permission
from domain.errors import NotFound
from domain.event_log import (
    EVENT_TYPES,
    Case,
    EventLogQuery,
    Happened,
    ObjectType,
    Pseudonyms,
    TaskOpened,
    case_object,
    event_of,
    plain_object,
    task_object,
    types_of_events,
    types_of_objects,
)
from domain.ids import new_id
from services.kawal import Kawal
from services.queries.scope import within

PAGE: Final = 200
"""Cases that are read at once."""

_KEPT_IN_MEMORY: Final = 8 * 1024 * 1024
_TYPES: Final = tuple(kind.value for kind in EVENT_TYPES)


@dataclass(slots=True)
class _Log:
    """A log that is being written: its pseudonyms, and what has been told of so far."""

    kawal: Kawal
    actor: Actor
    wanted: EventLogQuery
    until: datetime
    names: Pseudonyms = field(default_factory=Pseudonyms)
    seen: dict[ObjectType, set[UUID | str]] = field(default_factory=lambda: defaultdict(set))

    def first_time(self, kind: ObjectType, name: UUID | str | None) -> bool:
        """Whether something is named that was not before."""
        if name is None or name in self.seen[kind]:
            return False
        self.seen[kind].add(name)
        return True


async def export_event_log(kawal: Kawal, actor: Actor, wanted: EventLogQuery) -> AsyncGenerator[bytes]:
    """An OCEL 2.0 document of all cases asked for, in pieces; that it was handed out is written down before.

    No transaction is open while whoever reads it is slow: what happened after it was asked for is not in it, and each
    page is read by itself. Raises InvalidInput, NotFound for a foreign area or a round that is not there, Forbidden.
    """
    wanted.check()
    seat = actor.seat_for(Permission.EVENT_LOG_EXPORT, area_code=wanted.area)
    at = kawal.now()
    asked = wanted.model_dump(mode="json", exclude_none=True)
    async with kawal.database.transaction(Viewer.of(actor)) as connection:
        if wanted.round is not None:
            await _require_round(connection, wanted.round)
        entry = Entry(type=AuditType.EVENT_LOG_EXPORTED, by=Doer.of(actor, seat), data=asked)
        await trail.record(connection, stream_of_event_log(new_id()), [entry], at=at, area_code=wanted.area)
    return _written(_Log(kawal, actor, wanted, at))


async def _require_round(connection: AsyncConnection, round_id: UUID) -> None:
    if await connection.scalar(select(UpdateRound.id).where(UpdateRound.id == round_id)) is None:
        raise NotFound(f"There is no round {round_id}.")


async def _written(log: _Log) -> AsyncGenerator[bytes]:
    """Events go out as they are read; what they are about is put aside, in a file when it is much, and follows."""
    declared = {"objectTypes": types_of_objects(), "eventTypes": types_of_events()}
    yield json.dumps(declared)[:-1].encode() + b', "events": ['
    with SpooledTemporaryFile(max_size=_KEPT_IN_MEMORY) as aside:
        separator = b""
        async for events, objects in _pages(log):
            aside.writelines(json.dumps(each).encode() + b"\n" for each in objects)
            if events:
                yield separator + _joined(events)
                separator = b",\n"
        yield b'], "objects": ['
        aside.seek(0)
        separator = b""
        for line in aside:
            yield separator + line.rstrip()
            separator = b",\n"
    yield b"]}\n"


def _joined(events: Iterable[dict[str, Any]]) -> bytes:
    return b",\n".join(json.dumps(event).encode() for event in events)


async def _pages(log: _Log) -> AsyncIterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The events of some cases, and what is named in them for the first time."""
    after: UUID | None = None
    while True:
        async with log.kawal.database.transaction(Viewer.of(log.actor), snapshot=True) as connection:
            cases = await _read_cases(connection, log, after=after)
            if not cases:
                return
            tasks, happened = await _read_tasks(connection, cases), await _read_events(connection, cases, log.until)
            of = {case.id: case for case in cases}
            events = [event_of(each, of[each.update_id], log.names) for each in happened]
            objects = [*_objects(log, cases, tasks), *await _places(connection, log, cases, happened)]
        yield events, objects
        after = cases[-1].id


async def _read_cases(connection: AsyncConnection, log: _Log, *, after: UUID | None) -> list[Case]:
    columns = (
        *(Update.id, Update.kind, Update.area_code, Update.household_id, Update.policy_version_id),
        *(Update.appeal_of, Update.reopen_of),
    )
    rows = await connection.execute(
        select(*columns).where(*_conditions(log, after=after)).order_by(Update.id).limit(PAGE)
    )
    return [
        Case(
            id=row.id,
            kind=row.kind,
            area_code=row.area_code,
            household_id=row.household_id,
            policy_version_id=row.policy_version_id,
            carries_on=tuple(earlier for earlier in (row.appeal_of, row.reopen_of) if earlier is not None),
        )
        for row in rows
    ]


def _conditions(log: _Log, *, after: UUID | None) -> Iterator[ColumnElement[bool]]:
    wanted = log.wanted
    yield within(Update.area_code, [wanted.area])
    yield Update.submitted_at <= log.until
    if wanted.round is not None:
        yield Update.round_id == wanted.round
    if wanted.since is not None:
        yield Update.submitted_at >= wanted.since
    if wanted.until is not None:
        yield Update.submitted_at < wanted.until
    if after is not None:
        yield Update.id > after


async def _read_tasks(connection: AsyncConnection, cases: Sequence[Case]) -> list[TaskOpened]:
    columns = (Task.id, Task.update_id, Task.stage, Task.due_at)
    rows = await connection.execute(
        select(*columns).where(Task.update_id.in_([case.id for case in cases])).order_by(Task.id)
    )
    return [TaskOpened(*row) for row in rows]


async def _read_events(connection: AsyncConnection, cases: Sequence[Case], until: datetime) -> list[Happened]:
    streams = {stream_of_update(case.id): case.id for case in cases}
    columns = (
        *(AuditRecord.stream, AuditRecord.seq, AuditRecord.at, AuditRecord.type, AuditRecord.actor_id),
        *(AuditRecord.actor_role, AuditRecord.office_id, AuditRecord.on_behalf_of, AuditRecord.status),
        AuditRecord.data,
    )
    rows = await connection.execute(
        select(*columns)
        .where(AuditRecord.stream.in_(streams), AuditRecord.type.in_(_TYPES), AuditRecord.at <= until)
        .order_by(AuditRecord.stream, AuditRecord.seq)
    )
    return [Happened(streams[row.stream], *row[1:]) for row in rows]


def _objects(log: _Log, cases: Sequence[Case], tasks: Sequence[TaskOpened]) -> Iterator[dict[str, Any]]:
    """The cases, their households and tasks. What a case carries on is older: told of by now, or not in the log."""
    for case in cases:
        log.seen[ObjectType.CASE].add(case.id)
        told_of = tuple(earlier for earlier in case.carries_on if earlier in log.seen[ObjectType.CASE])
        yield case_object(case._replace(carries_on=told_of), log.names)
        if case.household_id is not None and log.first_time(ObjectType.HOUSEHOLD, case.household_id):
            yield plain_object(ObjectType.HOUSEHOLD, case.household_id, log.names)
    yield from (task_object(task, log.names) for task in tasks)


async def _places(
    connection: AsyncConnection, log: _Log, cases: Sequence[Case], happened: Sequence[Happened]
) -> list[dict[str, Any]]:
    """Villages, offices and officers that are named for the first time."""
    return [
        *await _villages(connection, log, cases),
        *await _offices(connection, log, happened),
        *(
            plain_object(ObjectType.OFFICER, who, log.names)
            for each in happened
            for who in (each.actor_id, each.on_behalf_of)
            if who is not None and log.first_time(ObjectType.OFFICER, who)
        ),
    ]


async def _villages(connection: AsyncConnection, log: _Log, cases: Sequence[Case]) -> list[dict[str, Any]]:
    fresh = [case.area_code for case in cases if log.first_time(ObjectType.VILLAGE, case.area_code)]
    rows = await connection.execute(select(Area.code, Area.remoteness).where(Area.code.in_(fresh)))
    return [
        plain_object(ObjectType.VILLAGE, code, log.names, {"regency": code[:5], "remoteness": remoteness})
        for code, remoteness in rows
    ]


async def _offices(connection: AsyncConnection, log: _Log, happened: Sequence[Happened]) -> list[dict[str, Any]]:
    fresh = [each.office_id for each in happened if log.first_time(ObjectType.OFFICE, each.office_id)]
    rows = await connection.execute(select(Office.id, Office.tier).where(Office.id.in_(fresh)))
    tiers: dict[UUID, str] = {row.id: row.tier for row in rows}
    return [
        plain_object(
            ObjectType.OFFICE,
            office_id,
            log.names,
            {"tier": tiers[office_id]} if office_id in tiers else None,
        )
        for office_id in fresh
        if office_id is not None
    ]
