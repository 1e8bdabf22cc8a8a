"""What officers say to each other about a case."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import AreaCode, Base, Moment


class Comment(Base):
    """A comment (catatan) on a case, in the seat of whoever wrote it; its text is sealed. Append-only."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_update_id_id", "update_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    update_id: Mapped[UUID] = mapped_column(ForeignKey("updates.id"))
    area_code: Mapped[AreaCode]
    text: Mapped[bytes | None] = mapped_column(LargeBinary)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    author_role: Mapped[str]
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id"))
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    written_at: Mapped[Moment]
