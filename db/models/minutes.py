"""Minutes of village deliberations: the paper as it was recorded, and what comes of each case that it lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
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
from domain.minutes import CaseResult
from domain.vocabulary import MinutesType, Outcome, ReasonCode, Role


class MinutesRecord(Base):
    """Minutes of a musdes, or an SPTJM (berita acara). A record is never changed: another one supersedes it.

    `words` holds what is sealed of it: place, names, and what somebody wrote. `finished_at` is when every case that it
    lists had its result.
    """

    __tablename__ = "minutes"
    __table_args__ = (
        one_of("type", MinutesType),
        one_of("covers", ("listed", "village")),
        one_of("role", Role),
        CheckConstraint("year = extract(year from held_on)", name="of_its_year"),
        CheckConstraint("supersedes <> id", name="supersedes_another"),
        UniqueConstraint("supersedes"),
        ForeignKeyConstraint(["scan_id", "area_code"], ["evidence.id", "evidence.area_code"]),
        Index(
            "uq_minutes_area_code_year_number",
            "area_code",
            "year",
            "number",
            unique=True,
            postgresql_where=text("superseded_by IS NULL"),
        ),
        Index("ix_minutes_area_code_id", "area_code", "id"),
        Index("ix_minutes_scan_id", "scan_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    type: Mapped[str]
    number: Mapped[str]
    year: Mapped[int] = mapped_column(SmallInteger)
    held_on: Mapped[date]
    covers: Mapped[str]
    attendance: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    words: Mapped[bytes] = mapped_column(LargeBinary)
    scan_id: Mapped[UUID | None]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("minutes.id"))
    superseded_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("minutes.id", deferrable=True, initially="DEFERRED"),
    )
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]


class MinutesCase(Base):
    """What minutes decide about one case, by which act, and once and for all what came of it."""

    __tablename__ = "minutes_cases"
    __table_args__ = (
        one_of("outcome", Outcome),
        one_of("reason", ReasonCode),
        one_of("result", CaseResult),
        CheckConstraint("(result IS NULL) = (settled_at IS NULL)", name="settled_with_a_result"),
        UniqueConstraint("minutes_id", "place"),
        Index("ix_minutes_cases_update_id", "update_id"),
    )

    minutes_id: Mapped[UUID] = mapped_column(ForeignKey("minutes.id"), primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    area_code: Mapped[AreaCode]
    place: Mapped[int] = mapped_column(SmallInteger)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    act_id: Mapped[UUID] = mapped_column(ForeignKey("idempotency_keys.id"))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"))
    result: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    settled_at: Mapped[datetime | None]
