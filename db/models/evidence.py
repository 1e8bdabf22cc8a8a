"""Files that stand behind updates: what is kept of each, which case has it, and uploads that are under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.evidence import ContentFault, EvidenceType, MediaType


class Evidence(Base):
    """A file that is kept. Its content lies in the store under `sha256`; the row is never changed, only erased.

    `received_sha256` is of the file as it was sent. `capture` is where and when the picture was taken, sealed.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        one_of("type", EvidenceType),
        one_of("media_type", MediaType),
        UniqueConstraint("id", "area_code"),
        Index("ix_evidence_sha256", "sha256"),
        Index("ix_evidence_thumbnail_sha256", "thumbnail_sha256"),
        Index("ix_evidence_live_kept_at", "kept_at", postgresql_where=text("erased_at IS NULL")),
        Index("ix_evidence_erased_at", "erased_at", "id", postgresql_where=text("erased_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    type: Mapped[str]
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kept_at: Mapped[Moment]
    received_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    media_type: Mapped[str]
    width: Mapped[int | None]
    height: Mapped[int | None]
    pages: Mapped[int | None] = mapped_column(SmallInteger)
    signed: Mapped[bool] = mapped_column(Boolean)
    scanned: Mapped[bool] = mapped_column(Boolean)
    thumbnail_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    thumbnail_size: Mapped[int | None]
    capture: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_at: Mapped[datetime | None]


class UpdateEvidence(Base):
    """That a file stands behind a case, from which revision on. A file stands behind one case. Append-only."""

    __tablename__ = "update_evidence"
    __table_args__ = (
        ForeignKeyConstraint(["evidence_id", "area_code"], ["evidence.id", "evidence.area_code"]),
        Index("ix_update_evidence_update_id", "update_id"),
    )

    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    revision: Mapped[int] = mapped_column(SmallInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    bound_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    bound_at: Mapped[Moment]


class EvidenceUpload(Base):
    """A file on its way: which parts have arrived. Seen by its owner alone, and gone when it has expired."""

    __tablename__ = "evidence_uploads"
    __table_args__ = (
        one_of("type", EvidenceType),
        one_of("fault", ContentFault),
        Index("ix_evidence_uploads_uploaded_by_id", "uploaded_by", "id"),
        Index("ix_evidence_uploads_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    type: Mapped[str]
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    length: Mapped[int]
    parts: Mapped[list[list[Any]]] = mapped_column(JSONB)
    details: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    checking_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    fault: Mapped[str | None]
