"""The steps in which the plan of a village in a round is determined: each open until somebody signs it."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Document, Moment, one_of
from domain.signoffs import ACTS, ObjectionReason, SignoffStep
from domain.vocabulary import Role


class RoundSignoff(Base):
    """One step of the plan of a village, signed once by one of `roles`; an answer that did not come has no `act`.

    `contested` is the step that objected, `look_at` when the next rung of its ladder is due.
    """

    __tablename__ = "round_signoffs"
    __table_args__ = (
        one_of("step", SignoffStep),
        one_of("contested", ("dinas", "puskesos")),
        one_of("act", ACTS),
        one_of("reason", ObjectionReason),
        one_of("signed_role", Role),
        CheckConstraint("(ended_at IS NULL) OR (act IS NOT NULL OR step = 'answer')", name="signed_or_unanswered"),
        CheckConstraint("(act IS NULL) = (signed_by IS NULL)", name="signed_by_somebody"),
        CheckConstraint("(reason IS NULL) = (act IS DISTINCT FROM 'object')", name="objected_for_a_reason"),
        Index(
            "uq_round_signoffs_round_id_area_code_open",
            "round_id",
            "area_code",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_round_signoffs_round_id_look_at", "round_id", "look_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_round_signoffs_round_id_area_code_id", "round_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"))
    area_code: Mapped[AreaCode]
    step: Mapped[str]
    contested: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    opened_at: Mapped[Moment]
    due_at: Mapped[Moment]
    deadline: Mapped[Document]
    look_at: Mapped[Moment]
    rungs_fired: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    ended_at: Mapped[datetime | None]
    act: Mapped[str | None]
    target: Mapped[int | None]
    musdes_on: Mapped[date | None]
    reason: Mapped[str | None]
    words: Mapped[str | None]
    signed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    signed_role: Mapped[str | None]
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
