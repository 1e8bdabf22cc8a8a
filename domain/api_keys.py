"""Keys of machines: how one is written, how long it lives, and what it may carry.

A key is `kawal_`, the id of the key in 22 characters of base 62, `_`, 256 random bits in 43, and a checksum in 6:
a scanner of leaked secrets knows it by sight, and can tell without asking anybody that it is none.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.authority import PERMISSIONS, Permission
from domain.errors import Violation
from domain.vocabulary import Role

KEY_PREFIX: Final = "kawal_"
KEY_PATTERN: Final = r"kawal_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}"
LONGEST_LIFE: Final = timedelta(days=366)
LONGEST_OVERLAP: Final = timedelta(days=30)
USE_NOTED_EVERY: Final = timedelta(minutes=1)
"""The use of a key is written down at most so often."""

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_DIGITS, _SECRET_DIGITS, _SUM_DIGITS = 22, 43, 6
_SECRET_BITS: Final = 256
_FORM: Final = re.compile(KEY_PATTERN)


def new_api_key(key_id: UUID) -> str:
    """A new secret of a key: shown once, stored as its digest alone (`domain.sessions.digest_of`)."""
    secret = _written(secrets.randbits(_SECRET_BITS), _SECRET_DIGITS)
    body = f"{KEY_PREFIX}{_written(key_id.int, _ID_DIGITS)}_{secret}"
    return body + _checksum(body)


def key_id_of(written: str) -> UUID | None:
    """The id of the key that a secret says it is of; None for what cannot be one, as its checksum shows."""
    if not _FORM.fullmatch(written) or _checksum(written[:-_SUM_DIGITS]) != written[-_SUM_DIGITS:]:
        return None
    number = _read(written[len(KEY_PREFIX) :][:_ID_DIGITS])
    return UUID(int=number) if number < 1 << 128 else None


def check_scopes(scopes: Sequence[Permission]) -> list[Violation]:
    """The scopes that no key can carry, since a service may not do it; and that there are some."""
    able = PERMISSIONS[Role.SERVICE]
    choose = f"Take of {', '.join(sorted(able))}."
    if not scopes:
        none = "A key without a scope could do nothing."
        return [Violation(pointer="/scopes", code="scope_missing", detail=none, remedy=choose)]
    return [
        Violation(
            pointer=f"/scopes/{place}",
            code="scope_not_for_services",
            detail=f"{scope.value} is nothing that a service may do.",
            remedy=choose,
        )
        for place, scope in enumerate(scopes)
        if scope not in able
    ]


def check_expiry(expires_at: datetime, *, now: datetime) -> list[Violation]:
    """What is wrong with the moment at which a key is to expire."""
    if now < expires_at <= now + LONGEST_LIFE:
        return []
    return [
        Violation(
            pointer="/expires_at",
            code="expiry_out_of_range",
            detail=f"A key expires in the future, and within {LONGEST_LIFE.days} days.",
            remedy="Name a moment within this time, and rotate the key before it.",
        ),
    ]


def _checksum(body: str) -> str:
    return _written(zlib.crc32(body.encode()), _SUM_DIGITS)


def _written(number: int, digits: int) -> str:
    written = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_DIGITS))
        written = _DIGITS[digit] + written
    return written


def _read(written: str) -> int:
    number = 0
    for digit in written:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
