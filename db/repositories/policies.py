"""Versions of policies and which one holds, drafts, what was said of them, and who is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import (
    ARRAY,
    DateTime,
    Row,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import (
    DraftRevision,
    Notification,
    PolicyAnswer,
    PolicyComment,
    PolicyDraft,
    PolicyTurn,
    PolicyVersion,
)
from db.repositories.people import ancestry
from domain.consultation import DraftStatus, Line, Standing, Turn
from domain.errors import NotFound
from domain.ids import new_id

_AREAS: Final = bindparam("areas", type_=ARRAY(Text))
_AT: Final = bindparam("at", type_=DateTime(timezone=True))
_REVOKED: Final = exists().where(PolicyTurn.version_id == PolicyVersion.id, PolicyTurn.turn == Turn.REVOKED.value)
_LINE: Final = (
    select(PolicyVersion.id)
    .where(
        PolicyVersion.area_code == any_(_AREAS),
        or_(PolicyVersion.ends_at.is_(None), PolicyVersion.ends_at > _AT),
        ~_REVOKED,
    )
    .order_by(PolicyVersion.area_code.desc(), PolicyVersion.effective_at.desc(), PolicyVersion.number.desc())
    .limit(1)
)
IN_FORCE: Final = _LINE.where(PolicyVersion.effective_at <= _AT)
"""The version that a case begins with `at` a moment, of the nearest of the `areas` that has one.

Where areas contain each other the nearest one's rule holds: the longest code sorts last, and `*` for the nation sorts
before every digit. Of one area's versions the one that took effect last holds; what has lapsed or was revoked never.
"""
_COLUMNS: Final = (
    PolicyVersion.id,
    PolicyVersion.area_code,
    PolicyVersion.number,
    PolicyVersion.effective_at,
    PolicyVersion.ends_at,
    PolicyVersion.document,
)


def stream_of_policy(area_code: str) -> str:
    """The name of the trail of an area's policy."""
    return f"policy:{area_code}"


async def version_in_force(connection: AsyncConnection, area_code: str, *, at: datetime) -> Row[*tuple[Any, ...]]:
    """The version that a case of the area begins with now. Raises NotFound."""
    return await _the_one(connection, IN_FORCE, area_code, at=at)


async def last_version(connection: AsyncConnection, area_code: str, *, at: datetime) -> Row[*tuple[Any, ...]]:
    """The version that comes last in the area, be it in force or yet to take effect. Raises NotFound."""
    return await _the_one(connection, _LINE, area_code, at=at)


async def line_of(connection: AsyncConnection, area_code: str, *, at: datetime) -> Line:
    """The end of the area's line of versions. Raises NotFound."""
    row = await last_version(connection, area_code, at=at)
    return Line(last_id=row.id, last_effective_at=row.effective_at)


async def _the_one(
    connection: AsyncConnection,
    wanted: Select[*tuple[Any, ...]],
    area_code: str,
    *,
    at: datetime,
) -> Row[*tuple[Any, ...]]:
    values = {"areas": ancestry(area_code), "at": at}
    statement = select(*_COLUMNS).where(PolicyVersion.id == wanted.scalar_subquery())
    row = (await connection.execute(statement, values)).one_or_none()
    if row is None:
        raise NotFound(
            f"No policy is in force for {area_code}.",
            remedy="Whoever runs Kawal puts the first one in force: `kawal policies start FILE`.",
        )
    return row


class DraftRecord(NamedTuple):
    """A draft with its present revision."""

    id: UUID
    area_code: str
    office_id: UUID
    drafted_by: UUID
    drafted_at: datetime
    status: DraftStatus
    revision: int
    opened_at: datetime | None
    closes_at: datetime | None
    deadline: dict[str, Any] | None
    version: int
    base_id: UUID
    document: dict[str, Any]
    effective_from: datetime | None
    note: str | None
    trial: dict[str, Any]
    written_by: UUID
    written_at: datetime


def drafts_with_revision() -> Select[*tuple[Any, ...]]:
    """Drafts, each with its present revision; the columns are those of a DraftRecord."""
    return select(
        PolicyDraft.id,
        PolicyDraft.area_code,
        PolicyDraft.office_id,
        PolicyDraft.drafted_by,
        PolicyDraft.drafted_at,
        PolicyDraft.status,
        PolicyDraft.revision,
        PolicyDraft.opened_at,
        PolicyDraft.closes_at,
        PolicyDraft.deadline,
        PolicyDraft.version,
        DraftRevision.base_id,
        DraftRevision.document,
        DraftRevision.effective_from,
        DraftRevision.note,
        DraftRevision.trial,
        DraftRevision.written_by,
        DraftRevision.written_at,
    ).join(
        DraftRevision,
        and_(DraftRevision.draft_id == PolicyDraft.id, DraftRevision.revision == PolicyDraft.revision),
    )


async def find_draft(connection: AsyncConnection, draft_id: UUID) -> DraftRecord:
    """A draft as it is. Raises NotFound."""
    row = (await connection.execute(drafts_with_revision().where(PolicyDraft.id == draft_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no draft {draft_id}.")
    return as_draft(row)


def as_draft(row: Row[*tuple[Any, ...]]) -> DraftRecord:
    """A row of `drafts_with_revision`."""
    return DraftRecord(*row)._replace(status=DraftStatus(row.status))


async def lock_draft(connection: AsyncConnection, draft_id: UUID) -> None:
    """Take turns with whoever else acts on the draft: amends, comments, answers, publishes.

    Not a row lock, since the tiers below may comment on what they may not change.
    """
    await _take_turns(connection, f"policy-draft:{draft_id}")


async def lock_line(connection: AsyncConnection, area_code: str) -> None:
    """Take turns with whoever else publishes for the area."""
    await _take_turns(connection, f"policy:{area_code}")


async def _take_turns(connection: AsyncConnection, name: str) -> None:
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def standing_of(connection: AsyncConnection, draft: DraftRecord) -> Standing:
    """The draft with what decides about its publication: open comments, authors, its emergency."""
    authors = await connection.execute(
        select(DraftRevision.written_by, DraftRevision.on_behalf_of).where(DraftRevision.draft_id == draft.id),
    )
    emergency = select(PolicyVersion.id).where(
        PolicyVersion.draft_id == draft.id,
        PolicyVersion.emergency_reason.is_not(None),
    )
    return Standing(
        status=draft.status,
        base_id=draft.base_id,
        effective_from=draft.effective_from,
        closes_at=draft.closes_at,
        unanswered=tuple(await connection.scalars(_unanswered(draft.id))),
        authors=frozenset(account for row in authors for account in row if account is not None),
        emergency_id=await connection.scalar(emergency),
    )


def _unanswered(draft_id: UUID) -> Select[*tuple[Any, ...]]:
    answered = exists().where(PolicyAnswer.comment_id == PolicyComment.id)
    return select(PolicyComment.id).where(PolicyComment.draft_id == draft_id, ~answered).order_by(PolicyComment.id)


async def change_draft(connection: AsyncConnection, draft: DraftRecord, **changes: object) -> None:
    """Write these columns of the draft, in its next version."""
    await connection.execute(
        update(PolicyDraft).where(PolicyDraft.id == draft.id).values(version=draft.version + 1, **changes),
    )


async def add_turn(
    connection: AsyncConnection,
    version_id: UUID,
    turn: Turn,
    *,
    area_code: str,
    at: datetime,
    by: UUID | None = None,
    reason: str | None = None,
) -> None:
    """Write down what became of a version."""
    values = {"version_id": version_id, "turn": turn.value, "area_code": area_code, "at": at, "by": by}
    await connection.execute(insert(PolicyTurn).values(reason=reason, **values))


async def tell(
    connection: AsyncConnection,
    subject: str,
    *,
    draft_id: UUID,
    area_code: str,
    at: datetime,
    user_ids: Sequence[UUID] | None = None,
) -> None:
    """Tell everybody who works in the area about a draft, or only these persons; `subject` is a stable code."""
    shared: dict[str, JsonValue | datetime | UUID] = {
        "policy_draft_id": draft_id,
        "area_code": area_code,
        "subject": subject,
        "created_at": at,
    }
    rows = [{"id": new_id(), "to_user_id": user_id, **shared} for user_id in ([None] if user_ids is None else user_ids)]
    if rows:
        await connection.execute(insert(Notification), rows)
