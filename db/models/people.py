"""Areas, the offices that cover them, the people in the offices and what they are there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Integer, SmallInteger, false
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.vocabulary import Role, Tier


class Area(Base):
    """A node of the Kemendagri code tree. Public: no row-level security."""

    __tablename__ = "areas"

    code: Mapped[AreaCode] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    parent_code: Mapped[AreaCode | None] = mapped_column(ForeignKey("areas.code"), index=True)
    zone: Mapped[str]
    remoteness: Mapped[int] = mapped_column(Integer, server_default="0")


class Office(Base):
    """An office (instansi) and the area that it covers."""

    __tablename__ = "offices"
    __table_args__ = (one_of("tier", Tier),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    tier: Mapped[str]
    area_code: Mapped[AreaCode] = mapped_column(index=True)


class User(Base):
    """A person with an account. Seen by others only as an id and a display name."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool] = mapped_column(Boolean, server_default=false())
    created_at: Mapped[Moment]


class Membership(Base):
    """What a person is, where, for which period: the source of all authority."""

    __tablename__ = "memberships"
    __table_args__ = (
        one_of("role", Role),
        Index("ix_memberships_role_area_code", "role", "area_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area_code: Mapped[AreaCode]
    valid_from: Mapped[Moment]
    valid_to: Mapped[datetime | None]
