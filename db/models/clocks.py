"""Orders over the clocks of an area, and the jobs that carry them, and new calendars, to every open task."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.clock_orders import OrderKind, SuspensionReason, SystemPart
from domain.vocabulary import Role


class ClockOrderRecord(Base):
    """One record of an order: the one with the highest version holds, unless it is `void`. Append-only."""

    __tablename__ = "clock_orders"
    __table_args__ = (
        one_of("kind", OrderKind),
        one_of("reason", SuspensionReason),
        one_of("part", SystemPart),
        one_of("entered_role", Role),
        CheckConstraint("until_at IS NULL OR until_at > from_at", name="ends_after_it_begins"),
        CheckConstraint(
            "CASE kind WHEN 'suspension' THEN reason IS NOT NULL AND part IS NULL AND credit_days IS NULL"
            " ELSE part IS NOT NULL AND reason IS NULL AND until_at IS NOT NULL END",
            name="of_its_kind",
        ),
        CheckConstraint("credit_days BETWEEN 1 AND 30", name="credit_in_bounds"),
        Index("ix_clock_orders_area_code_id", "area_code", "id"),
        Index("ix_clock_orders_evidence_id", "evidence_id", postgresql_where=text("evidence_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("clock_jobs.id"), unique=True)
    kind: Mapped[str]
    area_code: Mapped[AreaCode]
    number: Mapped[str]
    reason: Mapped[str | None]
    part: Mapped[str | None]
    from_at: Mapped[Moment]
    until_at: Mapped[datetime | None]
    credit_days: Mapped[int | None] = mapped_column(SmallInteger)
    evidence_id: Mapped[UUID | None] = mapped_column(ForeignKey("evidence.id"))
    note: Mapped[str | None]
    void: Mapped[bool] = mapped_column(Boolean, server_default=false())
    entered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    entered_role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    entered_at: Mapped[Moment]


class ClockJob(Base):
    """That the clocks of an area are to be reckoned anew, since an order or a calendar has changed.

    Jobs are numbered in the order in which they were entered; `tasks.clock_job` is the last one that a task has seen.
    """

    __tablename__ = "clock_jobs"
    __table_args__ = (
        one_of("cause", ("order", "calendar", "round")),
        Index("ix_clock_jobs_area_code_id", "area_code", "id"),
        Index("ix_clock_jobs_unsettled", "id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    area_code: Mapped[AreaCode]
    cause: Mapped[str]
    entered_at: Mapped[Moment]
    settled_at: Mapped[datetime | None]
