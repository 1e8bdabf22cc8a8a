"""The case: the update, what was proposed, the tasks it makes, the decisions, escalations and pauses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Document, Moment, one_of
from domain.pauses import PauseCause
from domain.policy import Power, RungAction
from domain.vocabulary import (
    AppealGround,
    EscalationCause,
    Kind,
    MatchResult,
    Outcome,
    ReasonCode,
    ReopenReason,
    Role,
    Stage,
    Status,
)

TASK_STATUSES = ("open", "put_aside", "decided", "cancelled")


class Update(Base):
    """A household update (usulan pemutakhiran): one proposed change to one household.

    `appeal_of` is the rejected update that it appeals against, on the `ground`; `contested` the stage whose no is, or
    was, disputed; `reopen_of` the lapsed update that it carries on, for the `reopen_reason`.
    """

    __tablename__ = "updates"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("status", Status),
        one_of("stage", Stage),
        one_of("cause", EscalationCause),
        one_of("contested", Stage),
        one_of("ground", AppealGround),
        one_of("reopen_reason", ReopenReason),
        CheckConstraint("(appeal_of IS NULL) = (ground IS NULL)", name="appeal_has_ground"),
        CheckConstraint("(reopen_of IS NULL) = (reopen_reason IS NULL)", name="reopening_has_reason"),
        # One appeal of a rejection: a further one only where the former was taken back.
        Index(
            "uq_updates_appeal_of",
            "appeal_of",
            unique=True,
            postgresql_where=text("appeal_of IS NOT NULL AND status NOT IN ('lapsed', 'withdrawn')"),
        ),
        Index("uq_updates_reopen_of", "reopen_of", unique=True, postgresql_where=text("reopen_of IS NOT NULL")),
        Index("ix_updates_area_code_id", "area_code", "id"),
        Index("ix_updates_status_area_code", "status", "area_code"),
        Index("ix_updates_household_id", "household_id"),
        Index(
            "ix_updates_closed_at_kept",
            "closed_at",
            postgresql_where=text("closed_at IS NOT NULL AND erased_at IS NULL"),
        ),
        Index("ix_updates_round_id", "round_id", postgresql_where=text("round_id IS NOT NULL")),
        Index("ix_updates_submitted_at", "submitted_at", postgresql_using="brin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tracking_code: Mapped[str] = mapped_column(unique=True)
    area_code: Mapped[AreaCode]
    kind: Mapped[str]
    household_id: Mapped[UUID | None]
    base_version: Mapped[int | None]
    policy_version_id: Mapped[UUID] = mapped_column(ForeignKey("policies.id"))
    status: Mapped[str]
    stage: Mapped[str | None]
    settled: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    returned_from: Mapped[str | None]
    identity_waived: Mapped[bool] = mapped_column(Boolean, server_default=false())
    revision: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    cause: Mapped[str | None]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    submitted_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[Moment]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    run_id: Mapped[str | None]
    round_id: Mapped[UUID | None] = mapped_column(ForeignKey("rounds.id"))
    version: Mapped[int]
    erased_at: Mapped[datetime | None]
    contested: Mapped[str | None]
    appeal_of: Mapped[UUID | None] = mapped_column(ForeignKey("updates.id"))
    ground: Mapped[str | None]
    reopen_of: Mapped[UUID | None] = mapped_column(ForeignKey("updates.id"))
    reopen_reason: Mapped[str | None]


class Revision(Base):
    """What was proposed, as it was sent: revision 1 by the submission, each further one by a repair.

    Its papers are sealed (`papers`); those of before that was so stand in `evidence` until the keys are sealed anew.
    """

    __tablename__ = "update_revisions"
    __table_args__ = (CheckConstraint("num_nonnulls(evidence, papers) = 1", name="papers_once"),)

    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    area_code: Mapped[AreaCode]
    change: Mapped[bytes | None] = mapped_column(LargeBinary)
    evidence: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    papers: Mapped[bytes | None] = mapped_column(LargeBinary)
    submitted_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[Moment]
    erased_at: Mapped[datetime | None]
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class IdentityResult(Base):
    """What the civil registry said of one member in one revision of an update."""

    __tablename__ = "identity_results"
    __table_args__ = (one_of("result", MatchResult),)

    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    person_key: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    result: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    checked_at: Mapped[Moment]


class Task(Base):
    """The open piece of work in a stage (tugas), with its deadline and what comes when it passes."""

    __tablename__ = "tasks"
    __table_args__ = (
        one_of("stage", Stage),
        one_of("status", TASK_STATUSES),
        one_of("outcome", Outcome),
        one_of("reason", ReasonCode),
        one_of("cause", EscalationCause),
        Index(
            "ix_tasks_open_area_code_due_at",
            "area_code",
            "due_at",
            "id",
            postgresql_where=text("status = 'open'"),
        ),
        # Of a large area the first due are found in this order: sorting all of its open tasks would take a second.
        Index("ix_tasks_open_due_at", "due_at", "id", postgresql_where=text("status = 'open'")),
        Index("ix_tasks_open_next_milestone_at", "next_milestone_at", postgresql_where=text("status = 'open'")),
        Index(
            "ix_tasks_undone_opened_at",
            "opened_at",
            postgresql_where=text(
                "status = 'open' AND receipt_no IS NULL AND stage IN ('identity_check', 'delivery')",
            ),
        ),
        Index("uq_tasks_update_id_open", "update_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("uq_tasks_update_id_put_aside", "update_id", unique=True, postgresql_where=text("status = 'put_aside'")),
        Index("ix_tasks_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    stage: Mapped[str]
    revision: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    opened_at: Mapped[Moment]
    due_at: Mapped[Moment]
    deadline: Mapped[Document]
    next_milestone_at: Mapped[datetime | None]
    digests_sent: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    level: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    cause: Mapped[str | None]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    claimed_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    receipt_no: Mapped[str | None]
    clock_job: Mapped[int] = mapped_column(BigInteger, server_default="0")
    version: Mapped[int]


class TaskGrant(Base):
    """Which role has which power over a task, by the stage's rule (`rung` null) or by a rung of its ladder."""

    __tablename__ = "task_grants"
    __table_args__ = (one_of("role", Role), one_of("power", Power))

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    power: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    rung: Mapped[int | None] = mapped_column(SmallInteger)


class Decision(Base):
    """One decision (keputusan) by one officer, by the system where the identity check answers, or by silence.

    A task has several where its stage waits for a quorum. Append-only.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("stage", Stage),
        one_of("outcome", Outcome),
        one_of("reason", ReasonCode),
        one_of("decided_by", ("officer", "system", "partner", "timeout")),
        UniqueConstraint("task_id", "actor_id", postgresql_nulls_not_distinct=True),
        Index("ix_decisions_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    stage: Mapped[str]
    revision: Mapped[int] = mapped_column(SmallInteger)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    minutes: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    decided_by: Mapped[str]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_role: Mapped[str | None]
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    decided_at: Mapped[Moment]
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class Escalation(Base):
    """A rung that fired. The primary key is what makes each rung fire once, whatever restarts. Append-only."""

    __tablename__ = "escalations"
    __table_args__ = (
        one_of("action", RungAction),
        one_of("cause", EscalationCause),
        Index("ix_escalations_update_id", "update_id"),
    )

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), primary_key=True)
    rung: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    action: Mapped[str]
    to_role: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    cause: Mapped[str]
    due_at: Mapped[Moment]
    fired_at: Mapped[Moment]


class ClockInterval(Base):
    """A span in which a task's clock stands; `to_at` null while it still does, ahead where an order says until when.

    An order over the area has one for each task that it stops, with its number as `note`.
    """

    __tablename__ = "clock_intervals"
    __table_args__ = (
        one_of("cause", PauseCause),
        Index(
            "uq_clock_intervals_task_id_cause_open",
            "task_id",
            "cause",
            unique=True,
            postgresql_where=text("to_at IS NULL AND order_id IS NULL"),
        ),
        Index(
            "uq_clock_intervals_task_id_order_id",
            "task_id",
            "order_id",
            unique=True,
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index("ix_clock_intervals_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    from_at: Mapped[Moment]
    to_at: Mapped[datetime | None]
    cause: Mapped[str]
    order_id: Mapped[UUID | None]
    note: Mapped[str | None]


class MinistryAnswer(Base):
    """An answer of the Ministry as it came in; one webhook message is recorded once. Append-only."""

    __tablename__ = "ministry_answers"
    __table_args__ = (one_of("answer", ("accepted", "returned", "rejected")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(unique=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"), index=True)
    area_code: Mapped[AreaCode]
    receipt_no: Mapped[str]
    answer: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[Moment]
    origin: Mapped[bytes | None] = mapped_column(LargeBinary)


class Notification(Base):
    """What somebody was told about a case: a reminder, an escalation, a return, an end.

    Or about a draft of a policy, an order over an area, or a round of a regency.

    Without a role and a name it is for everybody who works in the area: that is how all but cases are announced.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("to_role", Role),
        Index("ix_notifications_to_role_area_code_id", "to_role", "area_code", "id"),
        Index("ix_notifications_to_user_id_id", "to_user_id", "id"),
        Index(
            "ix_notifications_policy_draft_id", "policy_draft_id", postgresql_where=text("policy_draft_id IS NOT NULL")
        ),
        Index("ix_notifications_clock_order_id", "clock_order_id", postgresql_where=text("clock_order_id IS NOT NULL")),
        Index("ix_notifications_round_id", "round_id", postgresql_where=text("round_id IS NOT NULL")),
        CheckConstraint(
            "num_nonnulls(update_id, policy_draft_id, clock_order_id, round_id) = 1", name="about_one_thing"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID | None] = mapped_column(ForeignKey("updates.id"))
    policy_draft_id: Mapped[UUID | None] = mapped_column(ForeignKey("policy_drafts.id"))
    clock_order_id: Mapped[UUID | None]
    round_id: Mapped[UUID | None] = mapped_column(ForeignKey("rounds.id"))
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"))
    area_code: Mapped[AreaCode]
    to_role: Mapped[str | None]
    to_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str]
    created_at: Mapped[Moment]
