"""Text that people type: bounded, composed (NFC), with single spaces and nothing invisible in it."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

_INVISIBLE: Final = (
    r"\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F"  # control; tabs and line ends are typed space
    r"\u00AD\u0600-\u0605\u061C\u06DD\u070F\u0890\u0891\u08E2\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF"
    r"\uFFF0-\uFFFB"  # format: bidi marks, joiners, what is reserved for more of them
    r"\u2028\u2029\uE000-\uF8FF\uFDD0-\uFDEF\uFFFE\uFFFF"  # separators, private use, what is no character
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
"""What no one can read, as ranges that a regular expression of Python and one of JSON Schema take alike."""

TYPED: Final[dict[str, Any]] = {"pattern": rf"^[^{_INVISIBLE}]*[^{_INVISIBLE}\s][^{_INVISIBLE}]*$"}
"""The same in JSON Schema: text that can be read, and not nothing but space; one pattern, for generators."""

_READABLE: Final = re.compile(rf"[^{_INVISIBLE}\ud800-\udfff]*")


def clean(text: str) -> str:
    """The same text composed to NFC, each run of white space as one space; cleaning twice changes nothing.

    Raises `ValueError` for invisible characters, for nothing but space, and for the rare text that NFC makes
    longer, since it would outgrow the bound it was measured against.
    """
    if not text.isprintable() and not _READABLE.fullmatch(text):
        raise ValueError("contains control or invisible characters")
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if not cleaned:
        raise ValueError("is empty")
    if len(cleaned) > len(text):
        raise ValueError("is not composed text (NFC)")
    return cleaned


_LETTER: Final = r"[A-Za-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u024F]"
"""The civil registry writes names in Latin letters (Permendagri 73/2022)."""


def _named(text: str) -> str:
    if not re.search(_LETTER, text):
        raise ValueError("contains no Latin letter")
    return text


def _iso_only(value: object) -> object:
    """Pydantic would read a number as seconds since 1970: a birth date nobody wrote."""
    if isinstance(value, int | float):
        raise ValueError("is not a date written as YYYY-MM-DD")  # noqa: TRY004  pydantic collects ValueError only
    return value


_TYPED = Field(json_schema_extra=TYPED)

PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    AfterValidator(clean),
    AfterValidator(_named),
    Field(json_schema_extra={"pattern": f"^[^{_INVISIBLE}]*{_LETTER}[^{_INVISIBLE}]*$"}),
]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean), _TYPED]
SearchTerm = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(clean), _TYPED]
"""A part of a name or a number that somebody looks for."""
Note = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean), _TYPED]
IdentityNumber = Annotated[str, StringConstraints(min_length=1, max_length=32)]
"""A NIK or KK number as it was typed; `domain.identity` says whether it is one."""

IsoDate = Annotated[date, BeforeValidator(_iso_only)]
