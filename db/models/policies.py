"""How policies come about: drafts in their revisions, what was said of them and answered, what became of versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Document, Moment, one_of
from domain.consultation import CommentVerdict, DraftStatus, Turn
from domain.vocabulary import Role


class PolicyDraft(Base):
    """A policy that is to be: whose office's, where it stands, and until when comments are taken.

    `revision` is the present one; `version` counts every change of the draft, for If-Match.
    """

    __tablename__ = "policy_drafts"
    __table_args__ = (one_of("status", DraftStatus), Index("ix_policy_drafts_area_code_id", "area_code", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    drafted_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    drafted_at: Mapped[Moment]
    status: Mapped[str]
    revision: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    deadline: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(Integer)


class DraftRevision(Base):
    """A draft as it was written at one time, what it builds on, and how it fell out on open cases. Append-only."""

    __tablename__ = "policy_draft_revisions"

    draft_id: Mapped[UUID] = mapped_column(ForeignKey("policy_drafts.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    area_code: Mapped[AreaCode]
    base_id: Mapped[UUID] = mapped_column(ForeignKey("policies.id"))
    document: Mapped[Document]
    effective_from: Mapped[datetime | None]
    note: Mapped[str | None]
    trial: Mapped[Document]
    written_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    written_at: Mapped[Moment]


class PolicyComment(Base):
    """What somebody said of a revision of a draft, from where they work (`from_area`). Append-only."""

    __tablename__ = "policy_comments"
    __table_args__ = (one_of("role", Role), Index("ix_policy_comments_draft_id_id", "draft_id", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(ForeignKey("policy_drafts.id"))
    revision: Mapped[int] = mapped_column(Integer)
    area_code: Mapped[AreaCode]
    from_area: Mapped[AreaCode]
    pointer: Mapped[str | None]
    text: Mapped[str]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    at: Mapped[Moment]


class PolicyAnswer(Base):
    """The one answer of the drafting office to a comment. Append-only."""

    __tablename__ = "policy_answers"
    __table_args__ = (one_of("verdict", CommentVerdict),)

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("policy_comments.id"), primary_key=True)
    area_code: Mapped[AreaCode]
    verdict: Mapped[str]
    reason: Mapped[str]
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    at: Mapped[Moment]


class PolicyTurn(Base):
    """That a version took effect, lapsed or was revoked; each once. Append-only."""

    __tablename__ = "policy_turns"
    __table_args__ = (one_of("turn", Turn),)

    version_id: Mapped[UUID] = mapped_column(ForeignKey("policies.id"), primary_key=True)
    turn: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    reason: Mapped[str | None]
    by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[Moment]
