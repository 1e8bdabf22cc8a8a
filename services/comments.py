"""Comments on a case: what officers tell each other beside their decisions. They end no wait and need no engine."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Comment
from db.repositories import trail
from db.repositories.cases import lock_case, touch_case
from db.repositories.tasks import find_open_task, notify
from db.repositories.trail import Doer, Entry, stream_of_update
from db.session import Viewer
from domain.audit import AuditType
from domain.authority import Actor, Seat
from domain.decisions import comment_context
from domain.ids import new_id
from domain.permissions import Permission
from domain.text import Note
from domain.vocabulary import Role
from services.kawal import Kawal
from services.keyed import Call, Created, once
from services.queries.case import read_scoped_case
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.masking import masked_text
from services.queries.view import OfficeRef, PersonRef, View
from services.queries.who import read_who


class CommentInput(BaseModel):
    """What somebody has to say about a case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    text: Note


class Said(View):
    """A comment."""

    id: UUID
    text: str | None = Field(
        description="In the author's words; numbers of persons in it are masked. Null once erased after its period",
    )
    author: PersonRef | None
    on_behalf_of: PersonRef | None
    role: Role
    office: OfficeRef | None
    written_at: datetime


async def comment(kawal: Kawal, call: Call, update_id: UUID, said: CommentInput) -> tuple[Created, bool]:
    """Say something about a case, open or closed, once for each key; and whether it had been said before.

    Whoever holds its task is told, and whoever submitted it. Raises NotFound, Forbidden, IdempotencyKeyReused.
    """
    async with kawal.database.transaction(Viewer.of(call.actor)) as connection:
        case = await lock_case(connection, update_id)
        seat = call.actor.seat_for(Permission.TASKS_WORK, area_code=case.area_code)

        async def write() -> Created:
            comment_id = await add_comment(kawal, connection, call, seat, update_id, case.area_code, said.text)
            task = await find_open_task(connection, update_id)
            holder = () if task is None or task.claimed_by is None else (task.claimed_by,)
            await notify(
                connection,
                "comment",
                update_id=update_id,
                task_id=None if task is None else task.id,
                area_code=case.area_code,
                at=call.at,
                user_ids=sorted({case.submitted_by, *holder} - {call.actor.user_id}),
            )
            entry = Entry(
                type=AuditType.UPDATE_COMMENTED,
                by=Doer.of(call.actor, seat),
                data={"comment": str(comment_id)},
            )
            await touch_case(connection, update_id)
            stream = stream_of_update(update_id)
            await trail.record(connection, stream, [entry], at=call.at, area_code=case.area_code)
            return Created(id=comment_id)

        route = f"POST /v1/updates/{update_id}/comments"
        return await once(connection, call, said, write, answer=Created, route=route, vault=kawal.vault)


async def add_comment(
    kawal: Kawal,
    connection: AsyncConnection,
    call: Call,
    seat: Seat,
    update_id: UUID,
    area_code: str,
    words: str,
) -> UUID:
    """Keep what was said about a case, sealed; its id."""
    comment_id = new_id()
    await connection.execute(
        insert(Comment).values(
            id=comment_id,
            update_id=update_id,
            area_code=area_code,
            text=kawal.vault.seal_text(words, context=comment_context(comment_id)),
            author_id=call.actor.user_id,
            author_role=seat.role.value,
            office_id=seat.office_id,
            on_behalf_of=seat.on_behalf_of,
            written_at=call.at,
        ),
    )
    return comment_id


async def list_comments(kawal: Kawal, actor: Actor, update_id: UUID, page: PageOf[ByAge]) -> Slice[Said, ByAge]:
    """What was said about a case, the newest first. Raises NotFound or Forbidden."""
    columns = (Comment.id, Comment.text, Comment.author_id, Comment.author_role, Comment.office_id)
    wanted = select(*columns, Comment.on_behalf_of, Comment.written_at).where(Comment.update_id == update_id)
    if page.after is not None:
        wanted = wanted.where(Comment.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await read_scoped_case(connection, actor, update_id, permission=Permission.UPDATES_READ)
        rows = (await connection.execute(wanted.order_by(Comment.id.desc()).limit(page.limit + 1))).all()
        shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
        who = await read_who(
            connection,
            people=[user_id for row in shown for user_id in (row.author_id, row.on_behalf_of)],
            offices=[row.office_id for row in shown],
        )
    items = [
        Said(
            id=row.id,
            text=None
            if row.text is None
            else masked_text(kawal.vault.open_text(row.text, context=comment_context(row.id)) or ""),
            author=who.person(row.author_id),
            on_behalf_of=who.person(row.on_behalf_of),
            role=row.author_role,
            office=who.office(row.office_id),
            written_at=row.written_at,
        )
        for row in shown
    ]
    return Slice(items, after)
