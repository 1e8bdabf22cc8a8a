"""The Ministry's answers as they come in: written down once, committed, and then told to the case."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import MinistryAnswer as AnswerRow
from db.models import Update
from db.repositories import outbox
from db.session import Viewer
from domain.contracts import MinistryAnswered
from domain.decisions import answer_note_context
from domain.errors import EngineUnavailable, NotFound
from domain.ids import new_id
from domain.origins import answer_origin_context, present_origin
from runtime.connectors.ministry import MinistryAnswer
from runtime.engine import EngineHasNoCaseError
from services.kawal import Kawal

_MINISTRY: Final = Viewer.system("ministry")


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A new answer, and the message that tells the case of it."""

    update_id: UUID
    answer_id: UUID
    message: outbox.Delivery


async def take_answer(kawal: Kawal, answer: MinistryAnswer) -> bool:
    """Write a verified answer down and tell the case; False when this delivery of it is not the first.

    Raises NotFound when there is no such update. An engine that is down is told later, by the dispatcher.
    """
    async with kawal.database.transaction(_MINISTRY) as connection:
        recorded = await _record(kawal, connection, answer)
    if recorded is None:
        return False
    await _tell(kawal, recorded)
    return True


async def _record(kawal: Kawal, connection: AsyncConnection, answer: MinistryAnswer) -> _Recorded | None:
    update_id, area_code = await _find(connection, answer.update_id)
    answer_id, at, origin = new_id(), kawal.now(), present_origin()
    inserted = await connection.execute(
        insert(AnswerRow)
        .values(
            id=answer_id,
            webhook_id=answer.webhook_id,
            update_id=update_id,
            area_code=area_code,
            receipt_no=answer.receipt_no,
            answer=answer.answer.value,
            reason=answer.reason and answer.reason.value,
            note=kawal.vault.seal_text(answer.note or None, context=answer_note_context(answer_id)),
            received_at=at,
            origin=origin and kawal.vault.seal(origin, context=answer_origin_context(answer_id)),
        )
        .on_conflict_do_nothing(index_elements=[AnswerRow.webhook_id]),
    )
    if not inserted.rowcount:
        return None
    message = await outbox.add_message(
        connection,
        outbox.SIGNAL_MINISTRY_ANSWER,
        subject_id=update_id,
        payload={"answer_id": str(answer_id)},
        at=at,
    )
    return _Recorded(update_id, answer_id, message)


async def _find(connection: AsyncConnection, written_id: str) -> tuple[UUID, str]:
    with contextlib.suppress(ValueError):
        row = (
            await connection.execute(select(Update.id, Update.area_code).where(Update.id == UUID(written_id)))
        ).one_or_none()
        if row is not None:
            return row.id, row.area_code
    raise NotFound("There is no such update here.", pointer="/proposal/update_id")


async def _tell(kawal: Kawal, recorded: _Recorded) -> None:
    try:
        await kawal.engine.tell_ministry_answered(recorded.update_id, MinistryAnswered(answer_id=recorded.answer_id))
    except (EngineUnavailable, EngineHasNoCaseError):
        return
    # Unmarked it would be told a second time, which the case takes for the first.
    with contextlib.suppress(SQLAlchemyError, OSError):
        async with kawal.database.transaction(_MINISTRY) as connection:
            await outbox.mark_delivered(connection, recorded.message.id, at=kawal.now())
