"""Conditional reads: who holds the present version is told so instead of being sent it again (RFC 9110, 13.1.2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Response
from pydantic import BaseModel

from api.deps import etag

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "You hold this answer already."}}
"""For `responses` of a conditional read."""
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Known:
    """The entity tags that the client holds."""

    tags: frozenset[str]

    def answer(self, response: Response, shown: BaseModel, *, version: int) -> Response | None:
        """Name the version in the answer, and what is shown of it; a 304 when the client has just that, else None.

        An answer may change while the thing stays in its version: a calendar, a round or an order over the area moves
        its deadline, and who asks is shown what concerns them.
        """
        tag = etag(version, of=hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:_DIGITS])
        response.headers["ETag"] = tag
        if tag in self.tags or "*" in self.tags:
            return Response(status_code=304, headers=dict(response.headers))
        return None


async def _known(
    if_none_match: Annotated[
        str | None,
        Header(max_length=1000, description="The ETag of what you hold; an unchanged answer is not sent again (304)."),
    ] = None,
) -> Known:
    tags = (if_none_match or "").split(",")
    return Known(frozenset(tag.strip().removeprefix("W/") for tag in tags))


KnownDep = Annotated[Known, Depends(_known)]
