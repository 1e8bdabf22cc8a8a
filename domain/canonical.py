"""The one spelling of a value as JSON, for all that is hashed and must give the same hash ten years on."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue

_LARGEST_INTEGER: Final = 2**53 - 1


class NotCanonicalError(ValueError):
    """The value holds something that has no single spelling as JSON, and so no single hash."""


def canonical_json(value: JsonValue) -> bytes:
    """The value as RFC 8785 spells it (sorted keys, no spaces, UTF-8), with its text in NFC.

    Raises `NotCanonicalError` for what PostgreSQL's `jsonb` or another reader might spell otherwise:
    fractions, integers beyond 2**53 - 1, keys outside ASCII, NUL, lone surrogates.
    """
    text = json.dumps(_normal(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotCanonicalError("text with a lone surrogate has no UTF-8 form") from None


def canonical_time(moment: datetime) -> str:
    """The moment in UTC, always with six digits of a second: `2026-03-02T01:15:00.000000Z`."""
    if moment.tzinfo is None:
        raise NotCanonicalError("a time needs its time zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _normal(value: JsonValue) -> JsonValue:
    match value:
        case None | bool():
            return value
        case str():
            return _normal_text(value)
        case int():
            if abs(value) > _LARGEST_INTEGER:
                raise NotCanonicalError("an integer beyond 2**53 - 1: write it as text")
            return value
        case dict():
            return {_normal_key(key): _normal(item) for key, item in value.items()}
        case list():
            return [_normal(item) for item in value]
        case _:
            raise NotCanonicalError(f"{type(value).__name__} has no single form: write it as text")


def _normal_text(text: str) -> str:
    if "\0" in text:
        raise NotCanonicalError("text with NUL cannot be kept by PostgreSQL")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _normal_key(key: object) -> str:
    # ASCII keys sort alike by code point and by UTF-16 unit, which is what RFC 8785 sorts by.
    if not isinstance(key, str) or not key.isascii():
        raise NotCanonicalError("a key is ASCII text")
    return _normal_text(key)
