"""What must reach the engine: written with the fact, and marked when somebody has delivered it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import OutboxMessage
from db.writes import Write, added
from domain.vocabulary import Role

START_UPDATE: Final = "start_update"
"""Starts a case; with `AGAIN` in its payload, one whose run the engine has lost."""
AGAIN: Final = "again"
START_MINUTES: Final = "start_minutes"
"""Has minutes carried out."""
START_ROUND: Final = "start_round"
"""Has a round carried through its days."""
START_EVALUATION: Final = "start_evaluation"
"""Has an evaluation measured."""
SIGNAL_ROUND_MOVED: Final = "signal_round_moved"
SIGNAL_MINISTRY_ANSWER: Final = "signal_ministry_answer"
SIGNAL_DEADLINE_MOVED: Final = "signal_deadline_moved"
AUTHORITY_CHANGED: Final = "authority_changed"

HEAD_START: Final = timedelta(seconds=5)
"""How long the dispatcher leaves a message to the request that wrote it, which delivers it itself."""

_ADD: Final = insert(OutboxMessage).returning(OutboxMessage.id)
_STARTED: Final = text(
    "UPDATE outbox SET done_at = :at WHERE subject_id = :update_id AND topic = :topic AND done_at IS NULL RETURNING 1",
)


class Delivery(NamedTuple):
    """A message and whether it has been delivered."""

    id: int
    done: bool


async def add_message(
    connection: AsyncConnection,
    topic: str,
    *,
    subject_id: UUID,
    payload: dict[str, Any],
    at: datetime,
) -> Delivery:
    """Write a message, for the dispatcher to deliver if its request does not."""
    row = {"topic": topic, "subject_id": subject_id, "payload": payload, "available_at": at + HEAD_START}
    message_id = await connection.scalar(_ADD, row)
    if message_id is None:
        raise RuntimeError("an inserted row has an id")
    return Delivery(message_id, done=False)


def added_message(topic: str, *, subject_id: UUID, at: datetime) -> Write:
    """What `add_message` writes, of one without a payload."""
    row: dict[str, object] = {"topic": topic, "subject_id": subject_id, "payload": {}, "available_at": at + HEAD_START}
    return added("message", OutboxMessage, row)


async def tell_authority_changed(
    connection: AsyncConnection,
    membership_id: UUID,
    *,
    role: Role,
    area_code: str,
    at: datetime,
) -> None:
    """At the moment `at`, have every open task looked at that a holder of the role over the area could decide."""
    payload = {"role": role.value, "area_code": area_code}
    row = {"topic": AUTHORITY_CHANGED, "subject_id": membership_id, "payload": payload, "available_at": at}
    await connection.execute(_ADD, row)


async def tell_deadline_moved(connection: AsyncConnection, update_id: UUID, *, task_id: UUID, at: datetime) -> None:
    """At the moment `at`, have the engine look at a task that is to be looked at earlier than it was told."""
    payload = {"task_id": str(task_id)}
    row = {"topic": SIGNAL_DEADLINE_MOVED, "subject_id": update_id, "payload": payload, "available_at": at}
    await connection.execute(_ADD, row)


async def find_message(connection: AsyncConnection, topic: str, *, subject_id: UUID) -> Delivery:
    """The latest message of this topic about this subject."""
    row = (
        await connection.execute(
            select(OutboxMessage.id, OutboxMessage.done_at)
            .where(OutboxMessage.subject_id == subject_id, OutboxMessage.topic == topic)
            .order_by(OutboxMessage.id.desc())
            .limit(1),
        )
    ).one()
    return Delivery(row.id, done=row.done_at is not None)


async def mark_delivered(connection: AsyncConnection, message_id: int, *, at: datetime) -> None:
    """Keep the dispatcher from delivering it again, which would do no harm but take time."""
    await connection.execute(
        update(OutboxMessage).where(OutboxMessage.id == message_id, OutboxMessage.done_at.is_(None)).values(done_at=at),
    )


def marked_started(update_id: UUID, *, at: datetime) -> Write:
    """A case that is being opened has plainly been started."""
    return Write("started", _STARTED, {"update_id": update_id, "topic": START_UPDATE, "at": at})
