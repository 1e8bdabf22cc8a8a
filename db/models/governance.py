"""Rules and evidence: policies, calendars, the audit trail, the outbox and idempotency keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Document, Moment, one_of
from domain.consultation import EmergencyReason


class PolicyVersion(Base):
    """A published policy. Immutable: a case keeps the version it began with. Append-only.

    One that was published in an emergency has a reason, and an end after which new cases no longer begin with it.
    """

    __tablename__ = "policies"
    __table_args__ = (
        UniqueConstraint("area_code", "number"),
        one_of("emergency_reason", EmergencyReason),
        CheckConstraint("(emergency_reason IS NULL) = (ends_at IS NULL)", name="emergency_ends"),
        CheckConstraint("(draft_id IS NULL) = (draft_revision IS NULL)", name="revision_of_draft"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    number: Mapped[int]
    document: Mapped[Document]
    digest: Mapped[str]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    published_at: Mapped[Moment]
    effective_at: Mapped[Moment]
    draft_id: Mapped[UUID | None] = mapped_column(ForeignKey("policy_drafts.id"), index=True)
    draft_revision: Mapped[int | None]
    emergency_reason: Mapped[str | None]
    emergency_note: Mapped[str | None]
    ends_at: Mapped[datetime | None]


class Calendar(Base):
    """A version of the working calendar of an area (`*` for the nation). Append-only."""

    __tablename__ = "calendars"

    area_code: Mapped[AreaCode] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    document: Mapped[Document]
    created_at: Mapped[Moment]
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    note: Mapped[str | None]


class AuditStream(Base):
    """The head of one hash chain; locked by whoever appends."""

    __tablename__ = "audit_streams"

    stream: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode | None]
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditRecord(Base):
    """One link of a chain. Append-only by grant and by trigger."""

    __tablename__ = "audit_events"
    __table_args__ = (Index("ix_audit_events_area_code", "area_code"),)

    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[Moment]
    type: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_role: Mapped[str | None]
    office_id: Mapped[UUID | None]
    on_behalf_of: Mapped[UUID | None]
    area_code: Mapped[AreaCode | None]
    status: Mapped[str | None]
    data: Mapped[Document]
    origin: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditOrigin(Base):
    """The traces of whoever acted, sealed, by the commitment to them that events of the stream hold.

    Kept apart from the trail so that they can be erased; the chain is whole without them.
    """

    __tablename__ = "audit_origins"

    stream: Mapped[str] = mapped_column(primary_key=True)
    commitment: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    area_code: Mapped[AreaCode | None]
    at: Mapped[Moment]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class OutboxMessage(Base):
    """What must reach the engine although it may be down: written with the fact, sent after the commit."""

    __tablename__ = "outbox"
    __table_args__ = (
        one_of(
            "topic",
            (
                *("start_update", "start_minutes", "start_round", "start_evaluation"),
                *("signal_ministry_answer", "signal_deadline_moved", "signal_round_moved", "authority_changed"),
            ),
        ),
        Index("ix_outbox_pending", "available_at", "id", postgresql_where=text("done_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    payload: Mapped[Document]
    available_at: Mapped[Moment]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """An act of a person under a key: what was asked (sealed), what was answered, and from where, if the engine has it.

    The authority on repeats. The row is inserted before the act; the answer is saved in the act's own transaction.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("actor_id", "route", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor_id: Mapped[UUID]
    route: Mapped[str]
    key: Mapped[str]
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    update_id: Mapped[UUID | None]
    request: Mapped[bytes | None] = mapped_column(LargeBinary)
    origin: Mapped[bytes | None] = mapped_column(LargeBinary)
    response: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[Moment]
    completed_at: Mapped[datetime | None]
