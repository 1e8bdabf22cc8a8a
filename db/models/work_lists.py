"""What the villages of a round are to verify again: the work list of each, and how it was moved by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.targets import MoveReason, TargetReason
from domain.vocabulary import Role

_REASONS: Final = ", ".join(f"'{reason}'" for reason in sorted(TargetReason))


class RoundVillage(Base):
    """A village in a round: how long its list was when it was made, and what its operators can do of it.

    `target` and `musdes_on` are what was proposed or decided last; they hold once they are determined.
    """

    __tablename__ = "round_villages"
    __table_args__ = (CheckConstraint("capacity >= 0 AND listed >= 0", name="counts_not_negative"),)

    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    area_code: Mapped[AreaCode] = mapped_column(primary_key=True)
    listed: Mapped[int]
    operators: Mapped[int] = mapped_column(SmallInteger)
    working_days: Mapped[int] = mapped_column(SmallInteger)
    capacity: Mapped[int]
    listed_at: Mapped[Moment]
    target: Mapped[int | None]
    musdes_on: Mapped[date | None]
    determined_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class RoundTarget(Base):
    """A household on the list of its village: at `rank` by the rules, at `position` as it stands now."""

    __tablename__ = "round_targets"
    __table_args__ = (
        CheckConstraint(f"reasons <@ ARRAY[{_REASONS}]", name="reasons_known"),
        CheckConstraint("cardinality(reasons) > 0", name="listed_for_a_reason"),
        CheckConstraint("rank > 0 AND position > 0", name="places_from_one"),
        Index("ix_round_targets_round_id_area_code_position", "round_id", "area_code", "position"),
    )

    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    rank: Mapped[int]
    position: Mapped[int]
    points: Mapped[int]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    data_of: Mapped[date]


class RoundMove(Base):
    """That a household was put at another place of its village's list by hand, and why. Append-only."""

    __tablename__ = "round_moves"
    __table_args__ = (
        one_of("reason", MoveReason),
        one_of("moved_role", Role),
        CheckConstraint("to_position <> from_position", name="moved_somewhere"),
        Index("ix_round_moves_round_id_area_code", "round_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"))
    household_id: Mapped[UUID]
    area_code: Mapped[AreaCode]
    from_position: Mapped[int]
    to_position: Mapped[int]
    reason: Mapped[str]
    note: Mapped[str | None]
    moved_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    moved_role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    moved_at: Mapped[Moment]
