"""Areas, the offices that cover them, the people in the offices, what they are there and who stands in for them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment, area_well_formed, one_of
from domain.authority import NATION
from domain.people import LeaveReason, Verdict
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
    __table_args__ = (one_of("tier", Tier), area_well_formed())

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    tier: Mapped[str]
    area_code: Mapped[AreaCode] = mapped_column(index=True)
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class User(Base):
    """A person with an account. Seen by others only as an id and a display name.

    `area_code` is where the account is administered, and gives its holder nothing. Accounts of one `person_id` were
    confirmed to be one person's; a trigger gives a new account its own id. `identity` seals NIK and e-mail address.
    Tokens that another issuer gave out before `tokens_not_before` are refused.
    """

    __tablename__ = "users"
    __table_args__ = (area_well_formed(),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool] = mapped_column(Boolean, server_default=false())
    created_at: Mapped[Moment]
    person_id: Mapped[UUID] = mapped_column(index=True)
    area_code: Mapped[AreaCode] = mapped_column(server_default=NATION)
    identity: Mapped[bytes | None] = mapped_column(LargeBinary)
    tokens_not_before: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class Membership(Base):
    """What a person is, where, for which period: the source of all authority."""

    __tablename__ = "memberships"
    __table_args__ = (
        one_of("role", Role),
        area_well_formed(),
        Index("ix_memberships_role_area_code", "role", "area_code"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    area_code: Mapped[AreaCode]
    valid_from: Mapped[Moment]
    valid_to: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class Delegation(Base):
    """A leave: for a period the holder of a membership decides nothing; `delegate_id`, if given, does for them."""

    __tablename__ = "delegations"
    __table_args__ = (
        one_of("reason", LeaveReason),
        area_well_formed(),
        CheckConstraint("valid_to > valid_from", name="period_ends_after_it_begins"),
        CheckConstraint("delegate_id <> holder_id", name="nobody_stands_in_for_themselves"),
        Index("ix_delegations_area_code_id", "area_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    membership_id: Mapped[UUID] = mapped_column(ForeignKey("memberships.id"), index=True)
    area_code: Mapped[AreaCode]
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    delegate_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    valid_from: Mapped[Moment]
    valid_to: Mapped[Moment]
    reason: Mapped[str]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))


class AccountDigest(Base):
    """A keyed digest of the NIK or the e-mail address of whoever an account belongs to, to find their other ones."""

    __tablename__ = "account_digests"
    __table_args__ = (one_of("purpose", ("nik", "email")), UniqueConstraint("user_id", "purpose", "key_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[str]
    key_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)


class AccountMatch(Base):
    """Two accounts with the same NIK or e-mail address, and what an administrator found: one person, or two."""

    __tablename__ = "account_matches"
    __table_args__ = (
        one_of("verdict", Verdict),
        CheckConstraint("first_id < second_id", name="pair_in_one_order"),
        UniqueConstraint("first_id", "second_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    same: Mapped[list[str]] = mapped_column(ARRAY(Text))
    found_at: Mapped[Moment]
    verdict: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]


class ForeignIdentity(Base):
    """The name (`sub`) under which another issuer knows whoever an account belongs to, one an issuer.

    So an e-mail address that an issuer gives to somebody else does not bring them to the account of who had it before.
    """

    __tablename__ = "foreign_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("user_id", "issuer"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    issuer: Mapped[str]
    subject: Mapped[str]
    bound_at: Mapped[Moment]
    bound_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
