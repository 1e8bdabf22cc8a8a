"""Cases that the engine should have moved by now, and that it is told to look at again.

Database and engine commit apart. An engine that dies between a committed step and its own note of it, or comes back
from an older copy, waits for something that has happened already; a delivery would not leave, a rung would fire late.
The rows know better: what is overdue there, or the system's own work and still not done, is worth a look.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import OutboxMessage, RoundTerms, Task, Update, UpdateRound
from domain.vocabulary import Stage

TOPIC: Final = "signal_deadline_moved"
"""To look again is all that this signal asks, so it serves here too; it changes nothing in a case that is right."""

_OVERDUE: Final = timedelta(minutes=2)
"""Twice what the action on a milestone may be spread over."""
_NOT_AGAIN_WITHIN: Final = timedelta(minutes=10)
_AT_ONCE: Final = 200


async def remind_engine(connection: AsyncConnection, *, at: datetime) -> int:
    """Queue a reminder of every case that looks forgotten `at` this moment; answers how many, at most 200.

    A case whose partner stays away looks the same and is reminded of at most every ten minutes.
    """
    told = (
        select(OutboxMessage.id)
        .where(OutboxMessage.subject_id == Task.update_id, OutboxMessage.topic == TOPIC)
        .where(or_(OutboxMessage.done_at.is_(None), OutboxMessage.done_at > at - _NOT_AGAIN_WITHIN))
        .exists()
    )
    overdue = Task.next_milestone_at < at - _OVERDUE
    undone = and_(
        Task.stage.in_([Stage.IDENTITY_CHECK.value, Stage.DELIVERY.value]),
        Task.receipt_no.is_(None),
        Task.opened_at < at - _OVERDUE,
        ~_waits_for_its_round(at),
    )
    forgotten = (
        select(
            literal(TOPIC),
            Task.update_id,
            func.jsonb_build_object("task_id", cast(Task.id, Text)),
            Task.opened_at,  # long past: reminders are due at once
        )
        .where(Task.status == "open", or_(overdue, undone), ~told)
        .limit(_AT_ONCE)
    )
    columns = ["topic", "subject_id", "payload", "available_at"]
    return (await connection.execute(insert(OutboxMessage).from_select(columns, forgotten))).rowcount


def _waits_for_its_round(at: datetime) -> ColumnElement[bool]:
    """That the task is a delivery which is to wait until the round of its case opens."""
    return exists().where(
        Update.id == Task.update_id,
        UpdateRound.id == Update.round_id,
        RoundTerms.round_id == UpdateRound.id,
        RoundTerms.version == UpdateRound.version,
        RoundTerms.opens_at > at,
    )
