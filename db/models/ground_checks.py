"""Ground checks: who was sent to the field and why, what was reported, and where villages are known to be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Float, ForeignKey, Index, LargeBinary, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, area_well_formed, one_of
from domain.vocabulary import GroundCheckReason, GroundOutcome, Role, Stage


class GroundCheck(Base):
    """That somebody looks in the field before the stage `gates` (verifikasi lapangan), by the task of that name.

    `triggers` are what asked for it, of the policy or `by_hand`; `touched_by` who had had to do with the case by then,
    and so cannot be the one who looks. Append-only.
    """

    __tablename__ = "ground_checks"
    __table_args__ = (
        one_of("gates", Stage),
        one_of("reason", GroundCheckReason),
        CheckConstraint("(requested_by IS NULL) = (reason IS NULL)", name="asked_with_a_reason"),
        Index("ix_ground_checks_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), unique=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    revision: Mapped[int] = mapped_column(SmallInteger)
    gates: Mapped[str]
    triggers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    touched_by: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[Moment]


class GroundReport(Base):
    """What was found in the field; its place, its values and its words are sealed in `content`.

    Never changed: another report supersedes it. `far` says whether it was made farther from the village than the
    policy takes for granted, where that is known.
    """

    __tablename__ = "ground_reports"
    __table_args__ = (
        one_of("outcome", GroundOutcome),
        one_of("role", Role),
        CheckConstraint("supersedes <> id", name="supersedes_another"),
        Index("uq_ground_reports_check_id_first", "check_id", unique=True, postgresql_where=text("supersedes IS NULL")),
        Index("ix_ground_reports_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("ground_checks.id"))
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("ground_reports.id"), unique=True)
    outcome: Mapped[str]
    differs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    photos: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    far: Mapped[bool | None] = mapped_column(Boolean)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    filed_at: Mapped[Moment]
    erased_at: Mapped[datetime | None]


class AreaPoint(Base):
    """Where an area is known to be, such as its office; the last one recorded holds. Append-only."""

    __tablename__ = "area_points"
    __table_args__ = (
        area_well_formed(),
        one_of("role", Role),
        CheckConstraint("latitude BETWEEN -11.1 AND 6.2 AND longitude BETWEEN 94.9 AND 141.1", name="in_indonesia"),
        Index("ix_area_points_area_code_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode] = mapped_column(ForeignKey("areas.code"))
    latitude: Mapped[float] = mapped_column(Float(53))
    longitude: Mapped[float] = mapped_column(Float(53))
    source: Mapped[str]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    recorded_at: Mapped[Moment]
