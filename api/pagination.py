"""Pages over HTTP: a bounded `limit`, an opaque `cursor`, and a body that says how to go on."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.errors import CursorUnknown
from services.queries.keyset import MOST, Key, PageOf, Slice

_Shown = TypeVar("_Shown")

Limit = Annotated[int, Field(ge=1, le=MOST, description="The most items of the page")]


class PageQuery(BaseModel):
    """The part of a query that chooses the page; a list's own query adds its filters. Unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    limit: Limit = 50
    cursor: Annotated[str, Field(max_length=200)] | None = Field(
        default=None,
        description="`next` of the page before; leave it out for the first page",
    )

    def page(self, key: type[Key]) -> PageOf[Key]:
        """The page of a list that is ordered by `key`. Raises CursorUnknown for a cursor that is none of this list."""
        return PageOf(self.limit, None if self.cursor is None else _read(self.cursor, key))


class Page(BaseModel, Generic[_Shown]):
    """A page of a list."""

    items: list[_Shown]
    next: str | None = Field(description="The `cursor` of the page after this one; null on the last")


def page_of(found: Slice[_Shown, Any]) -> Page[_Shown]:
    """The page as it is sent."""
    return Page(items=list(found.items), next=None if found.next is None else _write(found.next))


def _write(key: tuple[Any, ...]) -> str:
    document: bytes = TypeAdapter(type(key)).dump_json(key)
    return base64.urlsafe_b64encode(document).rstrip(b"=").decode()


def _read(cursor: str, key: type[Key]) -> Key:
    try:
        document = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return TypeAdapter(key).validate_json(document)
    except (binascii.Error, ValidationError, ValueError):
        raise CursorUnknown("The list has no page of this cursor.", pointer="/query/cursor") from None
