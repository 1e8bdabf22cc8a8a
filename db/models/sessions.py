"""Who is signed in: sessions, and the refresh tokens that carried each of them on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Moment, one_of
from domain.sessions import SessionEnd, SessionKind


class Session(Base):
    """A person signed in at one place. It lives while nobody ended it and `expires_at` has not come."""

    __tablename__ = "sessions"
    __table_args__ = (
        one_of("kind", SessionKind),
        one_of("ended_because", SessionEnd),
        CheckConstraint("expires_at <= ends_at", name="within_its_end"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[str]
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]
    address: Mapped[str | None]
    agent: Mapped[str | None]
    secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)


class RefreshToken(Base):
    """A refresh token by the digest of its secret. One that was used stays, so that its second use shows.

    `replaced_by` is the digest of the one that was given for it, until that was given anew.
    """

    __tablename__ = "refresh_tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID]
    issued_at: Mapped[Moment]
    used_at: Mapped[datetime | None]
    replaced_by: Mapped[bytes | None] = mapped_column(LargeBinary)
