"""Who saw clear values of whom and what for, and the requests to see many at once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.disclosure import BulkVerdict, Purpose
from domain.vocabulary import Role

SUBJECTS = ("household", "update", "engine", "evidence", "person")


class UnmaskRequest(Base):
    """A request to see the clear values of many households; answered by somebody else, good for a time and a number."""

    __tablename__ = "unmask_requests"
    __table_args__ = (
        one_of("purpose", Purpose),
        one_of("verdict", BulkVerdict),
        CheckConstraint("decided_by IS DISTINCT FROM requested_by", name="four_eyes"),
        CheckConstraint("rows_read <= rows", name="rows_bounded"),
        Index("ix_unmask_requests_area_code_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    desil: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    purpose: Mapped[str]
    explanation: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[int] = mapped_column(Integer)
    hours: Mapped[int] = mapped_column(SmallInteger)
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[Moment]
    verdict: Mapped[str | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    rows_read: Mapped[int] = mapped_column(Integer, server_default="0")


class Reading(Base):
    """That somebody was shown clear values: of a household, a case, what the engine keeps, or a file. Append-only."""

    __tablename__ = "read_log"
    __table_args__ = (
        one_of("purpose", Purpose),
        one_of("actor_role", Role),
        one_of("subject", SUBJECTS),
        CheckConstraint(
            "(subject = 'household') = (household_id IS NOT NULL AND update_id IS NULL)", name="of_household"
        ),
        CheckConstraint(
            "CASE subject WHEN 'update' THEN update_id IS NOT NULL ELSE update_id IS NULL OR subject = 'evidence' END",
            name="of_update",
        ),
        CheckConstraint("(subject = 'evidence') = (evidence_id IS NOT NULL)", name="of_evidence"),
        Index("ix_read_log_area_code_id", "area_code", "id"),
        Index("ix_read_log_household_id", "household_id"),
        Index("ix_read_log_update_id", "update_id"),
        Index("ix_read_log_actor_id_id", "actor_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[Moment]
    area_code: Mapped[AreaCode]
    actor_id: Mapped[UUID]
    actor_role: Mapped[str]
    office_id: Mapped[UUID]
    subject: Mapped[str]
    household_id: Mapped[UUID | None]
    update_id: Mapped[UUID | None]
    evidence_id: Mapped[UUID | None]
    batch_id: Mapped[UUID | None] = mapped_column(index=True)
    purpose: Mapped[str]
    explanation: Mapped[bytes | None] = mapped_column(LargeBinary)
    items: Mapped[int] = mapped_column(Integer, server_default="1")
