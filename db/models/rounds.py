"""Update rounds: the round, each calendar that it was given, which cases rolled over, and its baseline."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.areas import REGENCY
from domain.baseline import MatchState
from domain.rounds import PERIOD, RescheduleReason
from domain.vocabulary import Role


class UpdateRound(Base):
    """A round of a regency; `version` is that of its latest terms.

    `baseline_at` is when its baseline was complete, `listed_at` when every village had its work list by the policy
    `policy_version_id`, `determined_at` when the plan of each was,
    `rolled_at` when all that missed its cut-off had rolled over. The engine looks at it next at `looks_at`.
    """

    __tablename__ = "rounds"
    __table_args__ = (
        UniqueConstraint("area_code", "period"),
        CheckConstraint(f"area_code ~ '{REGENCY}'", name="of_a_regency"),
        CheckConstraint(f"period ~ '{PERIOD}'", name="period_well_formed"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)", name="closed_by_somebody"),
        Index("ix_rounds_not_rolled", "id", postgresql_where=text("rolled_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    period: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger)
    planned_at: Mapped[Moment]
    policy_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("policies.id"))
    baseline_at: Mapped[datetime | None]
    listed_at: Mapped[datetime | None]
    determined_at: Mapped[datetime | None]
    looks_at: Mapped[datetime | None]
    rolled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class RoundTerms(Base):
    """One calendar of a round: as it was planned, and each time that it was moved, why. Append-only."""

    __tablename__ = "round_terms"
    __table_args__ = (
        one_of("reason", RescheduleReason),
        one_of("entered_role", Role),
        CheckConstraint("(version = 1) = (reason IS NULL)", name="moved_for_a_reason"),
        CheckConstraint("cutoff_at > opens_at", name="cut_off_after_it_opens"),
    )

    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    area_code: Mapped[AreaCode]
    opens: Mapped[date]
    input_opens: Mapped[date]
    input_closes: Mapped[date]
    musdes_opens: Mapped[date]
    musdes_closes: Mapped[date]
    cut_off: Mapped[date]
    publishes: Mapped[date]
    opens_at: Mapped[Moment]
    cutoff_at: Mapped[Moment]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    entered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    entered_role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    entered_at: Mapped[Moment]


class RoundRoll(Base):
    """That a case was not approved by the cut-off of a round, and counts for the next (None: none was planned).

    Append-only; once for each case and round.
    """

    __tablename__ = "round_rolls"
    __table_args__ = (
        Index("ix_round_rolls_from_round", "from_round"),
        Index("ix_round_rolls_to_round", "to_round", postgresql_where=text("to_round IS NOT NULL")),
    )

    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    from_round: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    to_round: Mapped[UUID | None] = mapped_column(ForeignKey("rounds.id"))
    area_code: Mapped[AreaCode]
    rolled_at: Mapped[Moment]


class RoundBaseline(Base):
    """What the registry believed of a household when a round opened. Append-only.

    Of its content only the hamlet is in it, by which a village finds its way. `had_case` says whether an update of it
    had been submitted in the time after which data are old.
    """

    __tablename__ = "round_baseline"
    __table_args__ = (
        one_of("match_state", MatchState),
        CheckConstraint("completeness BETWEEN 0 AND 100", name="completeness_per_cent"),
        CheckConstraint("age_days >= 0", name="age_not_negative"),
        Index("ix_round_baseline_round_id_area_code", "round_id", "area_code", "household_id"),
    )

    round_id: Mapped[UUID] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    household_id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    version: Mapped[int]
    members: Mapped[int] = mapped_column(SmallInteger)
    data_of: Mapped[date]
    age_days: Mapped[int]
    verified: Mapped[bool]
    match_state: Mapped[str]
    duplicates: Mapped[int] = mapped_column(SmallInteger)
    completeness: Mapped[int] = mapped_column(SmallInteger)
    hamlet: Mapped[str | None]
    had_case: Mapped[bool] = mapped_column(server_default=false())
