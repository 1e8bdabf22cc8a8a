"""What answers are made of: immutable views, and the parts that several of them share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from domain.vocabulary import Tier


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class Text(View):
    """A text for people, in both languages."""

    id: str = Field(description="Indonesian")
    en: str = Field(description="English")


class AreaRef(View):
    """An area by its code and name."""

    code: str = Field(description="Kemendagri code, such as 32.06.13.2001", examples=["32.06.13.2001"])
    name: str

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> AreaRef:
        """From a row with `area_code` and `area_name`."""
        return cls(code=row.area_code, name=row.area_name)


class PersonRef(View):
    """A person with an account, as others see them."""

    id: UUID
    name: str


class OfficeRef(View):
    """An office (instansi) and the tier of government that it stands on."""

    id: UUID
    name: str
    tier: Tier
