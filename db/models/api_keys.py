"""Keys of machines, and the secrets by which each was known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, area_well_formed


class ApiKey(Base):
    """What a machine may do with its key: of the account, in an area, until a moment."""

    __tablename__ = "api_keys"
    __table_args__ = (area_well_formed(),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    area_code: Mapped[AreaCode]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[Moment]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[Moment]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class ApiKeySecret(Base):
    """A secret of a key by its digest. Rotation adds one, and lets those before it run out (`expires_at`)."""

    __tablename__ = "api_key_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    issued_at: Mapped[Moment]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_network: Mapped[str | None]
