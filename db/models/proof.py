"""What proves the audit trail: signed checkpoints, the heads they cover, the public keys that signed them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Moment


class AuditKey(Base):
    """A public key that has signed, with the signature of an older one that vouches for it. Append-only."""

    __tablename__ = "audit_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    first_used_at: Mapped[Moment]
    endorsed_by: Mapped[str | None] = mapped_column(ForeignKey("audit_keys.key_id"))
    endorsement: Mapped[bytes | None] = mapped_column(LargeBinary)


class AuditCheckpoint(Base):
    """A signed statement over the ends of all streams, continuing the one before. Append-only."""

    __tablename__ = "audit_checkpoints"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[Moment]
    streams: Mapped[int]
    events: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    previous: Mapped[bytes] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(ForeignKey("audit_keys.key_id"))
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class AuditMark(Base):
    """The end of a stream as a checkpoint covers it; written when it differs from the last one. Append-only."""

    __tablename__ = "audit_marks"

    stream: Mapped[str] = mapped_column(primary_key=True)
    checkpoint: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
