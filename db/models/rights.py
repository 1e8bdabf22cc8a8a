"""What persons ask of their data, and the exports made for them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.rights import AskedBy, IdentifiedBy, RightsKind, RightsReason, RightsState


class DataSubjectRequest(Base):
    """A person's request: whose data are meant is sealed, and found again by `DataSubjectDigest`.

    The trail knows the NIK as a commitment under `salt`, which goes with the rest once the period is over.
    """

    __tablename__ = "data_subject_requests"
    __table_args__ = (
        one_of("kind", RightsKind),
        one_of("state", RightsState),
        one_of("asked_by", AskedBy),
        one_of("identified_by", IdentifiedBy),
        one_of("reason", RightsReason),
        Index("ix_data_subject_requests_area_code_id", "area_code", "id"),
        Index("ix_data_subject_requests_open_due_at", "due_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    kind: Mapped[str]
    state: Mapped[str]
    asked_by: Mapped[str]
    identified_by: Mapped[str]
    nik: Mapped[bytes | None] = mapped_column(LargeBinary)
    explanation: Mapped[bytes | None] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    requested_at: Mapped[Moment]
    due_at: Mapped[Moment]
    leased_until: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    held: Mapped[bool | None] = mapped_column(Boolean)
    export_until: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class DataSubjectDigest(Base):
    """The keyed blind index of the NIK of a request."""

    __tablename__ = "data_subject_digests"
    __table_args__ = (
        Index("ix_data_subject_digests_digest", "digest"),
        Index("ix_data_subject_digests_request_id", "request_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("data_subject_requests.id"))
    area_code: Mapped[AreaCode]
    key_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)


class DataSubjectExport(Base):
    """The sealed export of a person; removed after its time."""

    __tablename__ = "data_subject_exports"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("data_subject_requests.id"), primary_key=True)
    area_code: Mapped[AreaCode]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[Moment]
    expires_at: Mapped[Moment] = mapped_column(index=True)
