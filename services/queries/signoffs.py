"""The steps of the plan of a village, as its readers see them: who signed what, and who is silent."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from db.repositories.signoffs import read_steps
from domain.deadlines import Deadline
from domain.signoffs import STEP_WORDS, ObjectionReason, SignoffStep
from domain.vocabulary import Role
from services.queries.view import OfficeRef, PersonRef, Text, View
from services.queries.who import read_who


class SignoffView(View):
    """One step: open under a deadline, or signed; what was said is shown to all sides."""

    step: SignoffStep
    words: Text
    contested: SignoffStep | None = Field(description="Whose objection it is about")
    roles: tuple[Role, ...] = Field(description="Who may sign it, those included whom silence has let")
    opened_at: datetime
    due_at: datetime
    deadline: Text = Field(description="How the deadline came about")
    level: int = Field(description="How far silence has escalated")
    open: bool
    ended_at: datetime | None
    act: str | None = Field(description="How it was signed; null for an answer that did not come in time")
    target: int | None
    musdes_on: date | None
    reason: ObjectionReason | None
    said: str | None
    signed_by: PersonRef | None
    on_behalf_of: PersonRef | None
    role: Role | None
    office: OfficeRef | None


async def read_signoffs(connection: AsyncConnection, round_id: UUID, area_code: str) -> tuple[SignoffView, ...]:
    """Every step of the plan of a village, in order."""
    rows = await read_steps(connection, round_id, area_code)
    who = await read_who(
        connection,
        people=(person for row in rows for person in (row.signed_by, row.on_behalf_of)),
        offices=(row.office_id for row in rows),
    )
    return tuple(
        SignoffView(
            step=SignoffStep(row.step),
            words=_words(SignoffStep(row.step)),
            contested=row.contested,
            roles=tuple(Role(role) for role in row.roles),
            opened_at=row.opened_at,
            due_at=row.due_at,
            deadline=_sentence(Deadline.model_validate(row.deadline)),
            level=row.level,
            open=row.ended_at is None,
            ended_at=row.ended_at,
            act=row.act,
            target=row.target,
            musdes_on=row.musdes_on,
            reason=row.reason,
            said=row.words,
            signed_by=who.person(row.signed_by),
            on_behalf_of=who.person(row.on_behalf_of),
            role=row.signed_role,
            office=who.office(row.office_id),
        )
        for row in rows
    )


def _words(step: SignoffStep) -> Text:
    words = STEP_WORDS[step]
    return Text(id=words.id, en=words.en)


def _sentence(deadline: Deadline) -> Text:
    return Text(id=deadline.sentence("id"), en=deadline.sentence("en"))
