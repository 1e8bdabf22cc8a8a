"""Ranges of bytes that a client asks for (RFC 9110, 14), so that a download goes on where the line broke."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from domain.errors import RangeNotSatisfiable

_ONE_RANGE: Final = re.compile(r"bytes=(?P<first>[0-9]{0,12})-(?P<last>[0-9]{0,12})")


class Span(NamedTuple):
    """The bytes from `start` to before `stop`."""

    start: int
    stop: int


def asked_span(header: str | None, *, size: int) -> Span | None:
    """The range that is asked for; None for all, which also answers several ranges at once, or what is no range.

    Raises RangeNotSatisfiable when it lies outside.
    """
    asked = _ONE_RANGE.fullmatch((header or "").replace(" ", ""))
    if asked is None or not (asked["first"] or asked["last"]):
        return None
    if not asked["first"]:
        span = Span(max(size - int(asked["last"]), 0), size)
    else:
        span = Span(int(asked["first"]), min(int(asked["last"] or size - 1) + 1, size))
        if asked["last"] and int(asked["last"]) < span.start:
            return None  # the RFC has an invalid range ignored
    if span.start >= span.stop:
        raise RangeNotSatisfiable(f"The file has {size} bytes.", data={"size": size})
    return span
