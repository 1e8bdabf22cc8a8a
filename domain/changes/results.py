"""What comes of applying or comparing a change. Values are JSON values, so that they can be stored and shown."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, JsonValue

from domain.household import Household
from domain.identity import mask

_NUMBERS = frozenset({"nik", "kk_number"})
_BIRTH_DATE = "birth_date"


class FieldConflict(BaseModel, frozen=True):
    """A field with three values that differ. `/members` stands for who belongs to the household and as what."""

    pointer: str
    base: JsonValue = Field(repr=False)
    theirs: JsonValue = Field(repr=False)
    ours: JsonValue = Field(repr=False)

    def masked(self) -> Self:
        """The same with numbers and birth dates as lists may show them."""
        values = {name: masked_value(self.pointer, getattr(self, name)) for name in ("base", "theirs", "ours")}
        return self.model_copy(update=values)


class Applied(BaseModel, frozen=True):
    """Every household to be written: the changed one first, in its next version; a founded one in version 1."""

    households: tuple[Household, ...]


class Conflicted(BaseModel, frozen=True):
    """Nothing is to be written: people have to decide these fields first."""

    conflicts: tuple[FieldConflict, ...]


class FieldDiff(BaseModel, frozen=True):
    """A field that a change sets: as it was in the base, as proposed, and as the registry holds it now."""

    pointer: str
    before: JsonValue = Field(repr=False)
    after: JsonValue = Field(repr=False)
    current: JsonValue = Field(repr=False)

    def masked(self) -> Self:
        """The same with numbers and birth dates as lists may show them."""
        values = {name: masked_value(self.pointer, getattr(self, name)) for name in ("before", "after", "current")}
        return self.model_copy(update=values)


def masked_value(pointer: str, value: JsonValue) -> JsonValue:
    """The value with what tells a person apart masked: NIK, KK number, and day and month of birth.

    `pointer` says what the value itself is. A NIK is its holder's district, birth date and a serial: with the date
    beside it, a masked one could be read off. The year stays, since officers judge by age.
    """
    match value:
        case dict():
            return {name: masked_value(f"{pointer}/{name}", inner) for name, inner in value.items()}
        case list():
            return [masked_value(pointer, inner) for inner in value]
        case str() if _last(pointer) in _NUMBERS:
            return mask(value)
        case str() if _last(pointer) == _BIRTH_DATE:
            return f"{value[:4]}-••-••"
        case _:
            return value


def _last(pointer: str) -> str:
    return pointer.rsplit("/", maxsplit=1)[-1]
