"""Legal holds: what keeps the contents and files of a case from being erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.retention import HoldGround


class LegalHold(Base):
    """That a case is not erased, why, and until when; placed by one person, lifted by another."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        one_of("ground", HoldGround),
        CheckConstraint("lifted_by IS DISTINCT FROM placed_by", name="four_eyes"),
        CheckConstraint("num_nonnulls(lifted_by, lifted_at, lifted_because) IN (0, 3)", name="lifted_whole"),
        Index(
            "uq_legal_holds_update_id_standing",
            "update_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    ground: Mapped[str]
    explanation: Mapped[bytes] = mapped_column(LargeBinary)
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    placed_at: Mapped[Moment]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
    lifted_because: Mapped[bytes | None] = mapped_column(LargeBinary)
