"""What sealed columns hold: JSON under the field keys, bound to its row, and the blind index beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter

from domain.keyring import BlindIndex, IndexRing, KeyRing

_Model = TypeVar("_Model", bound=BaseModel)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Vault:
    """Opens and seals the content of columns; raises SealError for what was altered or moved to another row."""

    fields: KeyRing
    index: IndexRing

    def seal(self, content: BaseModel, *, context: str) -> bytes:
        """The content as JSON, sealed for the place that `context` names, such as `households:<id>:3`."""
        return self.fields.seal(content.model_dump_json().encode(), context=context)

    def open(self, envelope: bytes, model: type[_Model], *, context: str) -> _Model:
        """The twin of `seal` for a model class."""
        return model.model_validate_json(self.fields.open(envelope, context=context))

    def open_as(self, envelope: bytes, adapter: TypeAdapter[_Value], *, context: str) -> _Value:
        """The twin of `seal` for a union."""
        return adapter.validate_json(self.fields.open(envelope, context=context))

    def seal_text(self, text: str | None, *, context: str) -> bytes | None:
        """A note, or nothing, sealed."""
        return None if text is None else self.fields.seal(text.encode(), context=context)

    def open_text(self, envelope: bytes | None, *, context: str) -> str | None:
        """The twin of `seal_text`."""
        return None if envelope is None else self.fields.open(envelope, context=context).decode()

    def digests(self, numbers: Iterable[str], *, purpose: str) -> list[BlindIndex]:
        """The digests to store: of each number under the active index key."""
        return [self.index.digest(number, purpose=purpose) for number in numbers]

    def lookups(self, numbers: Iterable[str], *, purpose: str) -> list[bytes]:
        """The digests to look for: of each number under every key, so that a rotation loses nobody."""
        return [found.digest for number in numbers for found in self.index.digests(number, purpose=purpose)]
