"""Evaluations: what was measured over which time, what each number was made of, and the numbers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Double, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.evaluations import EvaluationCause
from domain.indicators import Indicator
from domain.vocabulary import Role


class Evaluation(Base):
    """What is measured of an area from a moment on and before another, by what was known until a third.

    `digest` is over all of its numbers: who measures the same again finds the same one. Asked for by nobody (None)
    where a round was closed.
    """

    __tablename__ = "evaluations"
    __table_args__ = (
        one_of("cause", EvaluationCause),
        one_of("requested_role", Role),
        CheckConstraint("begins_at < ends_at AND ends_at <= known_until", name="of_a_time_that_is_over"),
        CheckConstraint("(cause = 'requested') = (requested_by IS NOT NULL)", name="requested_by_somebody"),
        CheckConstraint("(measured_at IS NULL) = (digest IS NULL)", name="measured_with_a_digest"),
        Index("ix_evaluations_area_code_id", "area_code", "id"),
        Index("uq_evaluations_round_closed", "round_id", unique=True, postgresql_where=text("cause = 'round_closed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    round_id: Mapped[UUID | None] = mapped_column(ForeignKey("rounds.id"))
    cause: Mapped[str]
    begins_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    known_until: Mapped[Moment]
    method: Mapped[int] = mapped_column(SmallInteger)
    policy_version_id: Mapped[UUID] = mapped_column(ForeignKey("policies.id"))
    requested_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    requested_role: Mapped[str | None]
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[Moment]
    measured_at: Mapped[datetime | None]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)


class EvaluationObservation(Base):
    """One thing that an indicator counts: a hit or none, or a value. Append-only.

    `part` tells apart what is shown apart (an office, a level); `groups` of which groups the household is
    (`domain.equity`), None where no household is known. `paused` belongs to a custody: how long its clock stood.
    """

    __tablename__ = "evaluation_observations"
    __table_args__ = (one_of("indicator", Indicator),)

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    indicator: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID | None]
    hit: Mapped[bool | None] = mapped_column(Boolean)
    value: Mapped[float | None] = mapped_column(Double)
    paused: Mapped[float | None] = mapped_column(Double)
    groups: Mapped[int | None] = mapped_column(SmallInteger)


class EvaluationMeasure(Base):
    """One number: an indicator, of a part of it or of all, in an area or in the groups that `part` names. Append-only.

    Of a share `numerator` of `denominator` are hits; of a mean they are the sum and the count. Of quantiles `value` is
    the median and `p90` the ninth decile, each with its interval. `paused` is the sum of what stood.
    """

    __tablename__ = "evaluation_measures"
    __table_args__ = (one_of("indicator", Indicator),)

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    indicator: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode] = mapped_column(primary_key=True)
    n: Mapped[int]
    numerator: Mapped[float | None] = mapped_column(Double)
    denominator: Mapped[float | None] = mapped_column(Double)
    value: Mapped[float | None] = mapped_column(Double)
    low: Mapped[float | None] = mapped_column(Double)
    high: Mapped[float | None] = mapped_column(Double)
    p90: Mapped[float | None] = mapped_column(Double)
    p90_low: Mapped[float | None] = mapped_column(Double)
    p90_high: Mapped[float | None] = mapped_column(Double)
    paused: Mapped[float | None] = mapped_column(Double)
