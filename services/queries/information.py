"""Questions to offices outside a case, as the case shows them, and as whoever is to answer finds them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from db.models import Area, Comment, InformationRequest, Update
from db.session import Viewer
from db.vault import Vault
from domain.authority import Actor, Permission
from domain.deadlines import Deadline
from domain.decisions import comment_context
from domain.information import RequestState
from domain.vocabulary import Kind, PeerOffice, Role
from services.kawal import Kawal
from services.queries.case_parts import Rows
from services.queries.clock import ExplainedDeadline, explained
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.masking import masked_text
from services.queries.scope import areas_in_view, within
from services.queries.view import AreaRef, OfficeRef, PersonRef, View
from services.queries.who import Who, read_who


class Question(View):
    """A question to an office outside the case, and its answer."""

    id: UUID
    update_id: UUID
    task_id: UUID
    kind: Kind
    area: AreaRef
    office: PeerOffice = Field(description="The kind of office that is asked")
    asked_office: OfficeRef | None = Field(description="The office itself, where its people have accounts")
    question: str | None = Field(description="Numbers of persons in it are masked. Null once erased after its period")
    asked_by: PersonRef | None
    role: Role
    asked_at: datetime
    deadline: ExplainedDeadline = Field(description="When the answer is due")
    clock_stands_until: datetime = Field(description="How long the clock of the stage stands for it at most")
    clock_resumed_at: datetime | None = Field(description="When it ran again though there was no answer")
    state: RequestState
    answer: str | None
    answered_by: PersonRef | None = Field(description="Of the office itself, or who recorded its letter")
    of_the_office: bool | None = Field(description="Whether the office answered itself; null while it has not")
    evidence_id: UUID | None = Field(description="The letter, where it is a file")
    ended_at: datetime | None


_asked: Final = aliased(Comment)
_answered: Final = aliased(Comment)


def _questions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            InformationRequest.__table__,
            _asked.text.label("question"),
            _answered.text.label("answer"),
            Update.kind,
            func.coalesce(Area.name, InformationRequest.area_code).label("area_name"),
        )
        .join_from(InformationRequest, Update, Update.id == InformationRequest.update_id)
        .join(_asked, _asked.id == InformationRequest.question_id)
        .outerjoin(_answered, _answered.id == InformationRequest.answer_id)
        .outerjoin(Area, Area.code == InformationRequest.area_code)
    )


async def read_questions(connection: AsyncConnection, update_id: UUID) -> Rows:
    """The questions of a case, in order."""
    wanted = _questions().where(InformationRequest.update_id == update_id).order_by(InformationRequest.id)
    return (await connection.execute(wanted)).all()


async def list_questions(kawal: Kawal, actor: Actor, page: PageOf[ByAge]) -> Slice[Question, ByAge]:
    """What waits for an answer: what the asker's own office was asked, and, of officers, what is asked in their areas.

    The newest first. Raises Forbidden.
    """
    areas_in_view(actor, Permission.INFORMATION_ANSWER, area=None)
    wanted = _questions().where(InformationRequest.state == RequestState.OPEN.value, _concerns(actor))
    if page.after is not None:
        wanted = wanted.where(InformationRequest.id < page.after.id)
    now = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = (await connection.execute(wanted.order_by(InformationRequest.id.desc()).limit(page.limit + 1))).all()
        shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
        who = await read_who(connection, people=people_of(shown), offices=offices_of(shown))
    return Slice(list(questions(shown, who, vault=kawal.vault, now=now)), after)


def _concerns(actor: Actor) -> ColumnElement[bool]:
    """By the office of a seat, or by the area of a seat that works on its cases."""
    mine = [
        and_(InformationRequest.office_id == seat.office_id, within(InformationRequest.area_code, (seat.area_code,)))
        for seat in actor.seats
        if Permission.INFORMATION_ANSWER in seat.permissions
    ]
    return or_(within(InformationRequest.area_code, actor.areas_with(Permission.TASKS_WORK)), *mine)


def people_of(rows: Rows) -> Iterator[UUID | None]:
    """Those whose names it takes to tell of them."""
    for row in rows:
        yield from (row.asked_by, row.ended_by)


def offices_of(rows: Rows) -> Iterator[UUID | None]:
    """The offices that it takes."""
    return (row.office_id for row in rows)


def questions(rows: Rows, who: Who, *, vault: Vault, now: datetime) -> tuple[Question, ...]:
    """The questions, as they are told."""
    return tuple(_told(row, who, vault=vault, now=now) for row in rows)


def _told(row: Row[*tuple[Any, ...]], who: Who, *, vault: Vault, now: datetime) -> Question:
    answered = row.answer_id is not None
    return Question(
        id=row.id,
        update_id=row.update_id,
        task_id=row.task_id,
        kind=row.kind,
        area=AreaRef.of(row),
        office=row.office,
        asked_office=who.office(row.office_id),
        question=_words(row.question, row.question_id, vault),
        asked_by=who.person(row.asked_by),
        role=row.asked_role,
        asked_at=row.asked_at,
        deadline=explained(Deadline.model_validate(row.deadline), now=row.ended_at or now),
        clock_stands_until=row.stands_until,
        clock_resumed_at=row.resumed_at,
        state=row.state,
        answer=_words(row.answer, row.answer_id, vault) if answered else None,
        answered_by=who.person(row.ended_by) if answered else None,
        of_the_office=row.of_the_office,
        evidence_id=row.evidence_id,
        ended_at=row.ended_at,
    )


def _words(sealed: bytes | None, comment_id: UUID, vault: Vault) -> str | None:
    if sealed is None:
        return None
    return masked_text(vault.open_text(sealed, context=comment_context(comment_id)) or "")
