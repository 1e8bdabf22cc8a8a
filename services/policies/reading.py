"""Drafts as they are read: where they stand, what is missing, what was said of them, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import Field, JsonValue
from sqlalchemy import Row, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import Area, DraftRevision, PolicyAnswer, PolicyComment, PolicyDraft, PolicyVersion
from db.repositories.policies import (
    DraftRecord,
    as_draft,
    drafts_with_revision,
    find_draft,
    line_of,
    standing_of,
    version_in_force,
)
from db.session import Viewer
from domain.authority import NATION, Actor
from domain.consultation import OPEN_STATUSES, CommentVerdict, DraftStatus, Missing, missing
from domain.deadlines import Deadline
from domain.errors import NotFound
from domain.policy.comparison import Difference, compare
from domain.policy.trial import Trial
from domain.vocabulary import Role
from services.kawal import Kawal
from services.queries.keyset import ByAge, PageOf, Slice, cut
from services.queries.view import AreaRef, OfficeRef, PersonRef, Text, View
from services.queries.who import Who, read_who


class Consultation(View):
    """The time in which a draft is shown, as it is, to everybody who works in its area."""

    opened_at: datetime
    closes_at: datetime
    open: bool = Field(description="Whether comments are taken now")
    words: Text = Field(description="How the time is counted")


class DraftSummary(View):
    """A draft without its rules."""

    id: UUID
    area: AreaRef
    name: str
    title: Text
    status: DraftStatus
    revision: int
    based_on: UUID
    effective_from: datetime | None
    note: str | None
    office: OfficeRef | None
    drafted_by: PersonRef | None
    drafted_at: datetime
    written_by: PersonRef | None = Field(description="Who wrote the present revision")
    written_at: datetime
    consultation: Consultation | None = Field(description="Null while it has not been opened")
    comments: int
    unanswered: int
    emergency_version: UUID | None = Field(description="The version that was put in force at once")
    published_version: UUID | None
    version: int = Field(description="Counts every change; it is the ETag")


class DraftDocument(DraftSummary):
    """A draft with its rules, how it fell out on the open cases, and what is missing before it may be published."""

    document: dict[str, JsonValue]
    trial: Trial
    outdated_by: UUID | None = Field(
        description="The version to rebase it on, when it no longer builds on the last one"
    )
    missing: tuple[Missing, ...]


class RevisionDocument(View):
    """A draft as it was written at one time."""

    draft_id: UUID
    revision: int
    based_on: UUID
    effective_from: datetime | None
    note: str | None
    written_by: PersonRef | None
    written_at: datetime
    document: dict[str, JsonValue]
    trial: Trial


class Answer(View):
    """What the office that drafted said of a comment."""

    verdict: CommentVerdict
    reason: str
    answered_by: PersonRef | None
    office: OfficeRef | None
    at: datetime


class Comment(View):
    """What somebody said of a draft."""

    id: UUID
    revision: int = Field(description="The revision that it was made on")
    pointer: str | None
    text: str
    author: PersonRef | None
    role: Role
    office: OfficeRef | None
    area: AreaRef = Field(description="Where the author works")
    at: datetime
    answer: Answer | None


_NATION: Final = "Indonesia"


async def list_drafts(
    kawal: Kawal,
    actor: Actor,
    page: PageOf[ByAge],
    *,
    area_code: str | None = None,
    status: DraftStatus | None = None,
) -> Slice[DraftSummary, ByAge]:
    """The drafts that the actor may see, the newest first: of their areas, and those that are shown to these."""
    wanted = drafts_with_revision().order_by(PolicyDraft.id.desc()).limit(page.limit + 1)
    if area_code is not None:
        wanted = wanted.where(PolicyDraft.area_code == area_code)
    if status is not None:
        wanted = wanted.where(PolicyDraft.status == status.value)
    if page.after is not None:
        wanted = wanted.where(PolicyDraft.id < page.after.id)
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        rows = (await connection.execute(wanted)).all()
        shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
        items = await _summaries(connection, [as_draft(row) for row in shown], at=at)
    return Slice(items, after)


async def read_draft(kawal: Kawal, actor: Actor, draft_id: UUID) -> DraftDocument:
    """A draft as it is now. Raises NotFound."""
    at = kawal.now()
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        draft = await find_draft(connection, draft_id)
        (summary,) = await _summaries(connection, [draft], at=at)
        standing = await standing_of(connection, draft)
        line = await line_of(connection, draft.area_code, at=at)
    open_still = draft.status in OPEN_STATUSES
    current = line.last_id in {standing.base_id, standing.emergency_id}
    return DraftDocument(
        **summary.model_dump(),
        document=draft.document,
        trial=Trial.model_validate(draft.trial),
        outdated_by=line.last_id if open_still and not current else None,
        missing=tuple(missing(standing, line, now=at)) if open_still else (),
    )


async def read_revision(kawal: Kawal, actor: Actor, draft_id: UUID, revision: int) -> RevisionDocument:
    """A draft as it was in one of its revisions. Raises NotFound."""
    wanted = select(DraftRevision.__table__).where(
        DraftRevision.draft_id == draft_id, DraftRevision.revision == revision
    )
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no revision {revision} of a draft {draft_id}.")
        who = await read_who(connection, people=[row.written_by])
    return RevisionDocument(
        draft_id=row.draft_id,
        revision=row.revision,
        based_on=row.base_id,
        effective_from=row.effective_from,
        note=row.note,
        written_by=who.person(row.written_by),
        written_at=row.written_at,
        document=row.document,
        trial=Trial.model_validate(row.trial),
    )


async def compare_draft(kawal: Kawal, actor: Actor, draft_id: UUID) -> tuple[UUID, list[Difference]]:
    """What the draft would change in the policy that is in force in its area now, which is named. Raises NotFound."""
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        draft = await find_draft(connection, draft_id)
        in_force = await version_in_force(connection, draft.area_code, at=kawal.now())
    return in_force.id, compare(in_force.document, draft.document)


async def list_comments(
    kawal: Kawal,
    actor: Actor,
    draft_id: UUID,
    page: PageOf[ByAge],
    *,
    answered: bool | None = None,
) -> Slice[Comment, ByAge]:
    """What was said of a draft and answered, the newest first. Raises NotFound."""
    has_answer = exists().where(PolicyAnswer.comment_id == PolicyComment.id)
    wanted = _comments().where(PolicyComment.draft_id == draft_id).order_by(PolicyComment.id.desc())
    if answered is not None:
        wanted = wanted.where(has_answer if answered else ~has_answer)
    if page.after is not None:
        wanted = wanted.where(PolicyComment.id < page.after.id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        await find_draft(connection, draft_id)
        rows = (await connection.execute(wanted.limit(page.limit + 1))).all()
        shown, after = cut(rows, page.limit, lambda row: ByAge(row.id))
        items = await _told(connection, shown)
    return Slice(items, after)


async def read_comment(kawal: Kawal, actor: Actor, draft_id: UUID, comment_id: UUID) -> Comment:
    """One comment with its answer. Raises NotFound."""
    wanted = _comments().where(PolicyComment.draft_id == draft_id, PolicyComment.id == comment_id)
    async with kawal.database.transaction(Viewer.of(actor), snapshot=True) as connection:
        items = await _told(connection, (await connection.execute(wanted)).all())
    if not items:
        raise NotFound(f"There is no comment {comment_id} of a draft {draft_id}.")
    return items[0]


def _comments() -> Any:
    return (
        select(
            PolicyComment.id,
            PolicyComment.revision,
            PolicyComment.pointer,
            PolicyComment.text,
            PolicyComment.author_id,
            PolicyComment.role,
            PolicyComment.office_id,
            PolicyComment.from_area,
            PolicyComment.at,
            func.coalesce(Area.name, case((PolicyComment.from_area == NATION, _NATION))).label("area_name"),
            PolicyAnswer.verdict,
            PolicyAnswer.reason,
            PolicyAnswer.answered_by,
            PolicyAnswer.office_id.label("answering_office"),
            PolicyAnswer.at.label("answered_at"),
        )
        .outerjoin(PolicyAnswer, PolicyAnswer.comment_id == PolicyComment.id)
        .outerjoin(Area, Area.code == PolicyComment.from_area)
    )


async def _told(connection: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Comment]:
    who = await read_who(
        connection,
        people=[person for row in rows for person in (row.author_id, row.answered_by)],
        offices=[office for row in rows for office in (row.office_id, row.answering_office)],
    )
    return [
        Comment(
            id=row.id,
            revision=row.revision,
            pointer=row.pointer,
            text=row.text,
            author=who.person(row.author_id),
            role=row.role,
            office=who.office(row.office_id),
            area=AreaRef(code=row.from_area, name=row.area_name or row.from_area),
            at=row.at,
            answer=_answer(row, who),
        )
        for row in rows
    ]


def _answer(row: Row[*tuple[Any, ...]], who: Who) -> Answer | None:
    if row.verdict is None:
        return None
    return Answer(
        verdict=row.verdict,
        reason=row.reason,
        answered_by=who.person(row.answered_by),
        office=who.office(row.answering_office),
        at=row.answered_at,
    )


async def _summaries(
    connection: AsyncConnection,
    drafts: Sequence[DraftRecord],
    *,
    at: datetime,
) -> list[DraftSummary]:
    ids = [draft.id for draft in drafts]
    who = await read_who(
        connection,
        people=[person for draft in drafts for person in (draft.drafted_by, draft.written_by)],
        offices=[draft.office_id for draft in drafts],
    )
    counts = {row.draft_id: row for row in await connection.execute(_counts(ids))}
    versions = (await connection.execute(_versions(ids))).all()
    areas = select(Area.code, Area.name).where(Area.code.in_({draft.area_code for draft in drafts}))
    names = {row.code: row.name for row in await connection.execute(areas)} | {NATION: _NATION}
    emergencies = {row.draft_id: row.id for row in versions if row.emergency}
    published = {row.draft_id: row.id for row in versions if not row.emergency}
    return [
        DraftSummary(
            id=draft.id,
            area=AreaRef(code=draft.area_code, name=names.get(draft.area_code, draft.area_code)),
            name=draft.document["name"],
            title=Text.model_validate(draft.document["title"]),
            status=draft.status,
            revision=draft.revision,
            based_on=draft.base_id,
            effective_from=draft.effective_from,
            note=draft.note,
            office=who.office(draft.office_id),
            drafted_by=who.person(draft.drafted_by),
            drafted_at=draft.drafted_at,
            written_by=who.person(draft.written_by),
            written_at=draft.written_at,
            consultation=_consultation(draft, at=at),
            comments=counts[draft.id].comments if draft.id in counts else 0,
            unanswered=counts[draft.id].unanswered if draft.id in counts else 0,
            emergency_version=emergencies.get(draft.id),
            published_version=published.get(draft.id),
            version=draft.version,
        )
        for draft in drafts
    ]


def _counts(ids: Sequence[UUID]) -> Any:
    answered = exists().where(PolicyAnswer.comment_id == PolicyComment.id)
    return (
        select(
            PolicyComment.draft_id,
            func.count().label("comments"),
            func.count().filter(~answered).label("unanswered"),
        )
        .where(PolicyComment.draft_id.in_(ids))
        .group_by(PolicyComment.draft_id)
    )


def _versions(ids: Sequence[UUID]) -> Any:
    emergency = PolicyVersion.emergency_reason.is_not(None).label("emergency")
    return select(PolicyVersion.id, PolicyVersion.draft_id, emergency).where(PolicyVersion.draft_id.in_(ids))


def _consultation(draft: DraftRecord, *, at: datetime) -> Consultation | None:
    if draft.opened_at is None or draft.closes_at is None or draft.deadline is None:
        return None
    deadline = Deadline.model_validate(draft.deadline)
    return Consultation(
        opened_at=draft.opened_at,
        closes_at=draft.closes_at,
        open=draft.status is DraftStatus.IN_CONSULTATION and at < draft.closes_at,
        words=Text(id=deadline.sentence("id"), en=deadline.sentence("en")),
    )
