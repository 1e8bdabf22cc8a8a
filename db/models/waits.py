"""What a case waits for that nobody of its offices can do."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Document, Moment, one_of
from domain.document_waits import DocumentWaitEnd
from domain.evidence import EvidenceType
from domain.information import RequestState
from domain.vocabulary import DocumentWaitReason, PeerOffice, Role


class DocumentWait(Base):
    """A repair that waits, or waited, for a paper of another office, until `until_at` at most.

    The pause of its clock is in `clock_intervals`. `ended_by` is null where nobody ended it: its time ran out, or the
    case moved on without it. `evidence_id` is the file that came.
    """

    __tablename__ = "document_waits"
    __table_args__ = (
        one_of("document", EvidenceType),
        one_of("office", PeerOffice),
        one_of("reason", DocumentWaitReason),
        one_of("begun_role", Role),
        one_of("ended_because", DocumentWaitEnd),
        CheckConstraint("(ended_at IS NULL) = (ended_because IS NULL)", name="ended_for_a_reason"),
        Index("uq_document_waits_task_id_open", "task_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_document_waits_update_id", "update_id"),
        Index("ix_document_waits_evidence_id", "evidence_id", postgresql_where=text("evidence_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    document: Mapped[str]
    office: Mapped[str]
    reason: Mapped[str]
    from_at: Mapped[Moment]
    until_at: Mapped[Moment]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    begun_role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    evidence_id: Mapped[UUID | None] = mapped_column(ForeignKey("evidence.id"))


class LapseNotice(Base):
    """That the applicant was told, once for each repair, that the case will lapse; `lapses_at` moves with pauses."""

    __tablename__ = "lapse_notices"
    __table_args__ = (Index("ix_lapse_notices_update_id", "update_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"), unique=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    told_at: Mapped[Moment]
    lapses_at: Mapped[Moment]
    deadline: Mapped[Document]
    lapsed_at: Mapped[datetime | None]


class InformationRequest(Base):
    """A question to an office outside the case, put while a task is open; `office_id` where its people have accounts.

    The words of question and answer are comments on the case. `pause_id` is the pause of the stage's clock, which
    lasts until `stands_until` at most; past that it has `resumed_at`. `of_the_office` says whether the office answered
    itself, or somebody recorded its letter.
    """

    __tablename__ = "information_requests"
    __table_args__ = (
        one_of("office", PeerOffice),
        one_of("asked_role", Role),
        one_of("state", RequestState),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_once_not_open"),
        CheckConstraint("(state = 'answered') = (answer_id IS NOT NULL)", name="answered_by_words"),
        Index(
            "uq_information_requests_task_id_office_open",
            "task_id",
            "office",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_information_requests_update_id", "update_id"),
        Index("ix_information_requests_area_code_id_open", "area_code", "id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id"))
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    office: Mapped[str]
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("offices.id"))
    question_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"))
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    asked_role: Mapped[str]
    asked_at: Mapped[Moment]
    due_at: Mapped[Moment]
    deadline: Mapped[Document]
    rungs_fired: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    pause_id: Mapped[UUID]
    stands_until: Mapped[Moment]
    resumed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(server_default="open")
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answer_id: Mapped[UUID | None] = mapped_column(ForeignKey("comments.id"))
    of_the_office: Mapped[bool | None]
    evidence_id: Mapped[UUID | None] = mapped_column(ForeignKey("evidence.id"))
