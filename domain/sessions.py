"""Sessions of people: how long one lives, why one ends, and the secrets that carry one on."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

REFRESH_GRACE: Final = timedelta(seconds=30)
"""How long a refresh token that was used may come once more, because the answer got lost on the line."""

_SECRET_BYTES: Final = 32


class SessionKind(StrEnum):
    """What carries a session: a client's tokens, or the cookie of a browser."""

    TOKEN = "token"  # noqa: S105  the kind, not a token
    BROWSER = "browser"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    REFRESH_REUSED = "refresh_reused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  the cause, not a password
    ACCOUNT_DISABLED = "account_disabled"
    IDENTITY_UNBOUND = "identity_unbound"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long sessions live: `idle` since they were last carried on, `longest` since they began."""

    idle: timedelta
    longest: timedelta

    def ends_at(self, begun: datetime) -> datetime:
        """When a session that began at `begun` ends for good."""
        return begun + self.longest

    def expires_at(self, *, ends_at: datetime, now: datetime) -> datetime:
        """When a session that is carried on at `now` ends unless it is carried on again."""
        return min(now + self.idle, ends_at)


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody signs in, as their own list of sessions shows it to them."""

    address: str | None = None
    agent: str | None = None


def new_secret(prefix: str) -> str:
    """`prefix` and 256 random bits: shown once, stored as its digest alone."""
    return prefix + secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """What is stored of a secret: SHA-256. Nothing slower is needed where there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
