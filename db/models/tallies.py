"""Failed attempts to sign in, counted where every process of the API sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Moment


class SignInTally(Base):
    """The failures of one subject, an account's name as a digest or an address; `domain/lockout.py` has the rule."""

    __tablename__ = "sign_in_tallies"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[Moment] = mapped_column(index=True)
    paused_until: Mapped[datetime | None]
