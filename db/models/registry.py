"""The registry: households and their members as they are believed now, and every version before."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, one_of
from domain.household import HouseholdStatus


class Household(Base):
    """A household (keluarga). Its content is sealed; beside it stand the facts that lists need."""

    __tablename__ = "households"
    __table_args__ = (
        one_of("status", HouseholdStatus),
        CheckConstraint("desil BETWEEN 1 AND 10", name="desil_rank"),
        Index("ix_households_area_code_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    version: Mapped[int]
    status: Mapped[str]
    member_count: Mapped[int] = mapped_column(SmallInteger)
    desil: Mapped[int | None] = mapped_column(SmallInteger)
    last_verified_on: Mapped[date | None]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[Moment]


class HouseholdMember(Base):
    """A member (anggota) of a household; the person's particulars are in the household's sealed content."""

    __tablename__ = "household_members"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id"), primary_key=True)
    area_code: Mapped[AreaCode]
    position: Mapped[int] = mapped_column(SmallInteger)
    relation: Mapped[str]
    status: Mapped[str]


class HouseholdVersion(Base):
    """What a household was from `applied_at` on, and the update that made it so. Append-only."""

    __tablename__ = "household_versions"

    household_id: Mapped[UUID] = mapped_column(ForeignKey("households.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    update_id: Mapped[UUID | None] = mapped_column(index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    applied_at: Mapped[Moment]


class IdentityDigest(Base):
    """A keyed blind index of a NIK or KK number, so that it is found without being readable.

    Belongs to a household of the registry or to an update, never to both. With `ended_at` the number is in use there no
    more (the update is closed, the member has left): it is no duplicate, and found by the person's own request alone.
    """

    __tablename__ = "identity_digests"
    __table_args__ = (
        one_of("purpose", ("nik", "kk")),
        CheckConstraint("(household_id IS NULL) <> (update_id IS NULL)", name="one_owner"),
        Index("ix_identity_digests_digest", "digest"),
        Index("ix_identity_digests_household_id", "household_id"),
        Index("ix_identity_digests_update_id", "update_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    area_code: Mapped[AreaCode]
    household_id: Mapped[UUID | None]
    update_id: Mapped[UUID | None]
    purpose: Mapped[str]
    key_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    ended_at: Mapped[datetime | None]
