"""Text that people type: bounded, composed (NFC), with single spaces and nothing invisible in it."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that no one can read: control, format (bidi marks too), surrogate, private, unassigned."""

_TYPED_SPACE = frozenset("\t\n\r")


def clean(text: str) -> str:
    """The same text composed to NFC, each run of white space as one space; cleaning twice changes nothing.

    Raises `ValueError` for invisible characters, for nothing but space, and for the rare text that NFC makes
    longer, since it would outgrow the bound it was measured against.
    """
    if not text.isprintable() and any(map(_invisible, text)):
        raise ValueError("contains control or invisible characters")
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if not cleaned:
        raise ValueError("is empty")
    if len(cleaned) > len(text):
        raise ValueError("is not composed text (NFC)")
    return cleaned


def _invisible(character: str) -> bool:
    return character not in _TYPED_SPACE and unicodedata.category(character) in _INVISIBLE


def _named(text: str) -> str:
    if not any(map(str.isalpha, text)):
        raise ValueError("contains no letter")
    return text


def _iso_only(value: object) -> object:
    """Pydantic would read a number as seconds since 1970: a birth date nobody wrote."""
    if isinstance(value, int | float):
        raise ValueError("is not a date written as YYYY-MM-DD")  # noqa: TRY004  pydantic collects ValueError only
    return value


PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(clean),
    AfterValidator(_named),
]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean)]
SearchTerm = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean)]
"""A part of a name or a number that somebody looks for."""
Note = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean)]
IdentityNumber = Annotated[str, StringConstraints(min_length=1, max_length=32)]
"""A NIK or KK number as it was typed; `domain.identity` says whether it is one."""

IsoDate = Annotated[date, BeforeValidator(_iso_only)]
